//! Measures calls, compared with a call through a `Box<dyn Trait>`.
//!
//! The box and the handle are hidden from the compiler before each call. Otherwise it would look up the function once
//! and keep it, which it can do in a loop but hardly elsewhere.
use crate::measure::{Comparison, Effort, calls, calls_on_two_threads, each, seconds};
use crate::plugins::{self, ADDER};
use hotswap_host::prelude::*;
use hotswap_operate::{HealthMonitor, HealthOptions};
use hotswap_tests::Stage;
use std::hint::black_box;
use std::time::Duration;

/// The baseline: a call through a trait object that the compiler cannot see into.
trait Adder: Send + Sync {
    fn add(&self, a: i64, b: i64) -> i64;
}

struct Local;

impl Adder for Local {
    fn add(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
}

/// Makes this many calls. The result of each is used, as far as the compiler knows.
type Loop<'a> = Box<dyn Fn(u64) + 'a>;
type SharedLoop<'a> = Box<dyn Fn(u64) + Sync + 'a>;

/// Makes a loop around this call.
///
/// The same instructions take up to a third more time if they lie badly in the cache lines, and an edit anywhere in the
/// program moves them. Therefore each loop exists four times, at different places in a line, and the fastest copy is
/// measured.
macro_rules! repeat {
    ($loop:ident, |$i:ident| $call:expr) => {
        fastest([
            repeat!(@at 0, $loop, $i, $call),
            repeat!(@at 16, $loop, $i, $call),
            repeat!(@at 32, $loop, $i, $call),
            repeat!(@at 48, $loop, $i, $call),
        ])
    };
    (@at $bytes:literal, $loop:ident, $i:ident, $call:expr) => {
        Box::new(|times: u64| {
            // SAFETY: these instructions do nothing.
            unsafe { std::arch::asm!(".skip {}, 0x90", const $bytes, options(nomem, nostack)) };
            for $i in 0..times.cast_signed() {
                black_box($call);
            }
        }) as $loop
    };
}

fn fastest<C: Fn(u64) + ?Sized>(copies: [Box<C>; 4]) -> Box<C> {
    let took = |copy: &C| {
        let tries = (0..100).map(|_| seconds(|| copy(10_000)).0);
        tries.fold(f64::INFINITY, f64::min)
    };
    let timed = copies.map(|copy| (took(&copy), copy)).into_iter();
    let fastest = timed.min_by(|(one, _), (other, _)| one.total_cmp(other));
    fastest.expect("there are four copies").1
}

fn boxed() -> SharedLoop<'static> {
    static ADDER: &dyn Adder = &Local;
    repeat!(SharedLoop, |i| black_box(&ADDER).add(i, 2))
}

fn adder() -> Stage {
    plugins::host(&[(ADDER, &plugins::adder(1))])
}

fn adder_and_caller() -> Stage {
    let (adder, caller) = (plugins::adder(1), plugins::caller());
    plugins::host(&[(ADDER, &adder), ("bench-caller", &caller)])
}

fn function<F: hotswap_host::Signature<A>, A>(
    stage: &Stage,
    plugin: &str,
    name: &str,
) -> Function<F> {
    stage
        .swapper
        .function(plugin, name)
        .expect("the plugin has this function")
}

/// Measures a typed call.
pub fn typed(effort: Effort) -> Comparison {
    typed_by(|ours, baseline| calls(effort, ours, baseline))
}

/// Measures a typed call of a plugin whose calls are watched, compared with one of a plugin whose calls are not.
pub fn watched(effort: Effort) -> Comparison {
    compare_typed(effort, &crate::pipeline::watched_adder(), &adder())
}

/// Measures a typed call of a plugin whose calls are counted for metrics, compared with the same call without.
pub fn counted(effort: Effort) -> Comparison {
    let (stage, plain) = (adder(), adder());
    let counts = stage.swapper.count_calls(true);
    counts.expect("nothing else is going on");
    compare_typed(effort, &stage, &plain)
}

type Add = fn(i64, i64) -> i64;

/// Returns a patch of the function that the rows call.
fn patch(stage: &Stage) -> hotswap_host::Patch<'_> {
    let sum = |a: i64, b: i64| a.wrapping_add(b);
    stage.swapper.patch(ADDER).rewrite::<Add, _>("add", sum)
}

/// Measures a typed call of a function that a closure of the host replaces, compared with the same call without a patch.
pub fn patched(effort: Effort) -> Comparison {
    let (stage, plain) = (adder(), adder());
    patch(&stage).apply().expect("the function has this type");
    compare_typed(effort, &stage, &plain)
}

/// Measures a typed call of a function without patches in a plugin that has one, compared with the same call in a plugin
/// without.
pub fn beside_patch(effort: Effort) -> Comparison {
    let (stage, plain) = (adder(), adder());
    let build = |_: String| String::new();
    let patch = stage.swapper.patch(ADDER);
    let patch = patch.after::<fn() -> String, _>("build", build);
    patch.apply().expect("the function has this type");
    compare_typed(effort, &stage, &plain)
}

/// Measures a call from one plugin to another whose method a closure of the host replaces, compared with the same call
/// without a patch.
pub fn patched_import(effort: Effort) -> Comparison {
    compare_imports(effort, "Sums::add")
}

/// Measures a call from one plugin to another that has a patch of another function, compared with the same call without
/// a patch.
pub fn import_beside_patch(effort: Effort) -> Comparison {
    compare_imports(effort, "add")
}

/// Compares calls of an import in a host that replaces this function of the adder, and in another one.
fn compare_imports(effort: Effort, function_of_adder: &str) -> Comparison {
    let (stage, plain) = (adder_and_caller(), adder_and_caller());
    let sum = |a: i64, b: i64| a.wrapping_add(b);
    let patch = stage.swapper.patch(ADDER);
    let patch = patch.rewrite::<Add, _>(function_of_adder, sum);
    patch.apply().expect("the function has this type");
    let [patched, unpatched] = [&stage, &plain].map(|stage| {
        let run: Function<fn(u64)> = function(stage, "bench-caller", "imported");
        move |times| run.call(times).expect("the plugin is loaded")
    });
    calls(effort, patched, unpatched)
}

/// Measures how long it takes to apply a patch, compared with taking the plugin out of service.
pub fn apply_patch(effort: Effort) -> Comparison {
    let stage = adder();
    let swapper = &stage.swapper;
    let apply = || {
        let patch = patch(&stage);
        let (took, applied) = seconds(|| patch.apply());
        applied.expect("the function has this type");
        let reset = swapper.patches(ADDER).rollback(1);
        reset.expect("nothing else is going on");
        took
    };
    let take_out = || {
        let (took, taken) = seconds(|| swapper.take_out_of_service(ADDER, "a measurement"));
        taken.expect("nothing else is going on");
        swapper.resume(ADDER).expect("nothing else is going on");
        took
    };
    each(effort, apply, take_out)
}

/// Compares a typed call in two hosts that have the adder.
pub fn compare_typed(effort: Effort, ours: &Stage, plain: &Stage) -> Comparison {
    let [ours, plain]: [Function<Add>; 2] =
        [ours, plain].map(|stage| function(stage, ADDER, "add"));
    calls(
        effort,
        repeat!(Loop, |i| black_box(&ours)
            .call(i, 2)
            .expect("the plugin is loaded")),
        repeat!(Loop, |i| black_box(&plain)
            .call(i, 2)
            .expect("the plugin is loaded")),
    )
}

/// Measures a health check with its thread, compared with a direct call of the check.
pub fn health_check(effort: Effort) -> Comparison {
    let stage = adder();
    let mut options = HealthOptions::default();
    options.interval = Duration::from_secs(3600);
    let monitor = HealthMonitor::builder(&stage.swapper).options(options);
    let monitor = monitor.start().expect("the options are right");
    let by_monitor = || {
        let report = monitor.check_now(ADDER).expect("the plugin is loaded");
        black_box(report);
    };
    let directly = || {
        let health = stage.swapper.check_health(ADDER, "sound");
        black_box(health.expect("the plugin is healthy"));
    };
    each(
        effort,
        || seconds(by_monitor).0,
        || seconds(|| (0..1000).for_each(|_| directly())).0 / 1000.0,
    )
}

/// Measures a typed call on each of two threads at once.
pub fn typed_on_two_threads(effort: Effort) -> Comparison {
    typed_by(|ours, baseline| calls_on_two_threads(effort, ours, baseline))
}

fn typed_by(
    compare: impl FnOnce(&(dyn Fn(u64) + Sync), &(dyn Fn(u64) + Sync)) -> Comparison,
) -> Comparison {
    let stage = adder();
    let add: Function<fn(i64, i64) -> i64> = function(&stage, ADDER, "add");
    let typed = repeat!(SharedLoop, |i| black_box(&add)
        .call(i, 2)
        .expect("the plugin is loaded"));
    compare(&*typed, &*boxed())
}

/// Measures a typed call of a live function, which is found by its name alone.
pub fn live(effort: Effort) -> Comparison {
    let stage = adder_and_caller();
    let add: Function<fn(i64, i64) -> i64> = stage
        .swapper
        .live_function("add")
        .expect("a plugin has this function");
    calls(
        effort,
        repeat!(Loop, |i| black_box(&add)
            .call(i, 2)
            .expect("the plugin is loaded")),
        boxed(),
    )
}

/// Measures a typed call on a generation that is pinned for many calls.
pub fn pinned(effort: Effort) -> Comparison {
    let stage = adder();
    let add: Function<fn(i64, i64) -> i64> = function(&stage, ADDER, "add");
    let pin = stage.swapper.pin();
    let add = add.on(&pin).expect("the plugin is loaded");
    calls(
        effort,
        repeat!(Loop, |i| black_box(&add)
            .call(i, 2)
            .expect("the plugin is loaded")),
        boxed(),
    )
}

/// Measures a call from one plugin to another, compared with a call within the calling plugin.
pub fn import(effort: Effort) -> Comparison {
    let stage = adder_and_caller();
    let [imported, local] = ["imported", "local"].map(|name| {
        let run: Function<fn(u64)> = function(&stage, "bench-caller", name);
        move |times| run.call(times).expect("the plugin is loaded")
    });
    calls(effort, imported, local)
}

/// Measures a call by name.
pub fn two_ints(effort: Effort) -> Comparison {
    let add = |i: i64| [Value::from(i), Value::from(2_i64)];
    dynamic(effort, "add", add, |sum| match sum {
        Ok(Value::Int(sum)) => sum,
        other => panic!("the plugin returned {other:?}"),
    })
}

/// Measures a call by name with a text of 32 bytes as argument and result.
pub fn string(effort: Effort) -> Comparison {
    let text = |_| [Value::from("thirty-two bytes of a plain text")];
    dynamic(effort, "echo", text, |text| match text {
        Ok(Value::Str(text)) => text,
        other => panic!("the plugin returned {other:?}"),
    })
}

/// Measures a call by name. `result` takes the number or the text that the caller wants out of the value.
fn dynamic<const N: usize, R>(
    effort: Effort,
    name: &str,
    args: impl Fn(i64) -> [Value; N],
    result: impl Fn(Result<Value, hotswap_host::InvokeError>) -> R,
) -> Comparison {
    let stage = adder();
    let call = stage
        .swapper
        .dynamic(ADDER, name)
        .expect("the plugin has this function");
    calls(
        effort,
        repeat!(Loop, |i| result(black_box(&call).call(&args(i)))),
        boxed(),
    )
}
