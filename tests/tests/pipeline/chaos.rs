//! Many reloads: at once, in a row, and of builds that fail in every way, under load.
use crate::support::{checked, host, orders, window};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, ReloadOptions, Report, WindowOutcome};
use hotswap_tests::{LIMIT, Stage};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

fn quick() -> ReloadOptions {
    let mut options = window();
    options.healthy_deadline = Duration::from_secs(60);
    options.min_healthy_time = Duration::from_millis(2);
    options.smoke_limit = LIMIT;
    options
}

fn outcome(report: &Report) -> WindowOutcome {
    let window = report.window.as_ref().expect("a window was opened");
    window.wait(LIMIT).expect("the window closes")
}

/// Calls the plugin on several threads until it is dropped.
struct Load<'s> {
    done: &'s AtomicBool,
    calls: &'s AtomicU64,
    failed: &'s AtomicU64,
    /// The builds that have answered.
    answered: &'s Mutex<BTreeSet<String>>,
}

impl Load<'_> {
    fn run(&self, stage: &Stage) {
        let add: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
        let orders: Function<fn() -> String> = stage.swapper.function("checked", "orders").unwrap();
        while !self.done.load(SeqCst) {
            match add.call(1) {
                Ok(_) => {}
                Err(CallError::Panicked { message, .. }) => {
                    assert_eq!(message, "it does not add");
                    self.failed.fetch_add(1, SeqCst);
                }
                Err(error) => panic!("{error}"),
            }
            let by = orders.call().expect("no call is lost");
            self.answered.lock().unwrap().insert(by);
            self.calls.fetch_add(1, SeqCst);
        }
    }
}

/// Runs under load. Returns the builds that have answered, and the number of calls that have failed.
fn under_load(stage: &Stage, run: impl FnOnce(&AtomicU64)) -> (BTreeSet<String>, u64) {
    let (done, calls, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let answered = Mutex::default();
    let load = Load {
        done: &done,
        calls: &calls,
        failed: &failed,
        answered: &answered,
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| load.run(stage));
        }
        let run = std::panic::AssertUnwindSafe(|| run(&calls));
        let ran = std::panic::catch_unwind(run);
        done.store(true, SeqCst);
        ran.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    (answered.into_inner().unwrap(), failed.into_inner())
}

#[test]
fn two_hundred_healthy_reloads_under_load_are_all_promoted() {
    let stage = host(&checked("healthy #0"), |builder| {
        builder.reload_options(quick())
    });
    let (answered, failed) = under_load(&stage, |_| {
        for n in 1..=200 {
            let report = stage.swap("checked", &checked(&format!("healthy #{n}")));
            assert_eq!(outcome(&report), WindowOutcome::Permanent);
            assert_eq!(orders(&stage), format!("healthy #{n}"));
        }
    });
    assert_eq!(failed, 0);
    assert!(
        answered.iter().all(|by| by.starts_with("healthy")),
        "{answered:?}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn the_calls_that_fail_before_the_revert_are_few() {
    let mut options = quick();
    options.min_healthy_time = LIMIT;
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    let (answered, failed) = under_load(&stage, |_| {
        for n in 0..20 {
            let report = stage.swap("checked", &checked(&format!("panic add #{n}")));
            match outcome(&report) {
                WindowOutcome::Reverted { reason } => {
                    assert!(reason.starts_with("it has failed"), "{reason}")
                }
                other => panic!("{other}"),
            }
            assert_eq!(orders(&stage), "first");
        }
    });
    assert!(answered.contains("first"), "{answered:?}");
    // The failure beyond the limit reverts, and until then each of the threads has failed a few times.
    assert!((20..20 * 3000).contains(&failed), "{failed} calls failed");
    stage.settle();
    stage.close();
}

#[test]
fn a_storm_of_reloads_from_eight_threads_ends_on_the_last_build() {
    let stage = host(&checked("storm #0"), |builder| builder);
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let n = next.fetch_add(1, SeqCst);
                    let build = checked(&format!("storm #{n}"));
                    let file = stage.dir().join(format!("{n}.tmp"));
                    std::fs::write(&file, build).unwrap();
                    std::fs::rename(&file, stage.file("checked")).unwrap();
                    stage.swapper.reload().unwrap();
                }
            });
        }
    });
    stage.swapper.reload().unwrap();
    let live = stage.live_build();
    let on_disk = std::fs::read(stage.file("checked")).unwrap();
    assert_eq!(live, hotswap_tests::fixture::build_id(&on_disk));
    stage.settle();
    stage.close();
}

#[test]
fn a_thousand_reloads_leave_nothing_behind() {
    let stage = host(&checked("one of two"), |builder| builder);
    let builds = [checked("one of two"), checked("two of two")];
    for n in 1..=1000 {
        assert!(stage.swap("checked", &builds[n % 2]).changed());
    }
    stage.settle();
    assert_eq!(stage.swapper.reloads(), 1000);
    stage.close();
}

/// `HOTSWAP_TEST_CHAOS=3600` runs for an hour.
#[test]
fn whatever_the_builds_do_no_answer_is_wrong_and_no_call_is_lost() {
    let seconds = std::env::var("HOTSWAP_TEST_CHAOS").map_or(30, |text| text.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let stage = host(&checked("good #0"), |builder| {
        builder.reload_options(quick())
    });
    let mut good = "good #0".to_owned();
    let (mut hanging, mut reloads) = (0, 0);
    let (answered, _) = under_load(&stage, |calls| {
        for n in 1_u64.. {
            if Instant::now() >= end {
                break;
            }
            reloads = n;
            // A number that repeats only after a long time.
            let kinds = [
                "good",
                "fail smoke",
                "panic smoke",
                "panic on_start",
                "panic add",
                "fail on_start",
                "good",
                "hang smoke",
            ];
            let kind = kinds[(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61) as usize];
            let name = format!("{kind} #{n}");
            stage.install("checked", &checked(&name));
            match kind {
                "hang smoke" if hanging == 5 => continue,
                "hang smoke" => hanging += 1,
                _ => {}
            }
            let before = calls.load(SeqCst);
            let mut options = quick();
            match kind {
                "hang smoke" => options.smoke_limit = Duration::from_millis(100),
                "good" => {}
                // On a machine with much else to do, it may be a while until the first call.
                _ => options.min_healthy_time = LIMIT,
            }
            let reload = stage.swapper.prepare_reload().options(options).run();
            match kind {
                "good" => {
                    assert_eq!(outcome(&reload.unwrap()), WindowOutcome::Permanent);
                    good = name;
                }
                "fail smoke" | "panic smoke" | "hang smoke" => drop(reload.unwrap_err()),
                _ => {
                    let outcome = outcome(&reload.unwrap());
                    assert!(
                        matches!(outcome, WindowOutcome::Reverted { .. }),
                        "{name}: {outcome}"
                    );
                }
            }
            assert_eq!(orders(&stage), good);
            hotswap_tests::until("calls", || calls.load(SeqCst) > before);
        }
    });
    assert!(reloads > 10, "{reloads} reloads");
    let smoky = |by: &String| by.contains("smoke");
    assert!(
        !answered.iter().any(smoky),
        "a build that was refused has answered: {answered:?}"
    );
    // Only the builds whose tests hang are left.
    hotswap_tests::until("builds to leave", || stage.copies().len() <= 1 + hanging);
}
