//! Tests futures of objects whose two plugins leave memory together.
use hotswap_host::prelude::*;
use hotswap_host::{Held, Holder, Retirement, RetirementState};
use hotswap_tests::fixture::{Build, renamed, variant};
use hotswap_tests::{LIMIT, Stage, until};
use shapes::twins::Star;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

/// Returns a build of the fixture under one of its two names.
fn twin(build: Build, name: &str, number: u8) -> Vec<u8> {
    let first = renamed(&build.bytes("castor"), "castor", name);
    variant(
        &first,
        &format!("{name} 00"),
        &format!("{name} {number:02}"),
    )
}

/// A host with both plugins. It soon names what holds up a retirement.
struct Twins {
    stage: Stage,
    /// The next builds of castor and pollux.
    next: [Vec<u8>; 2],
}

impl std::ops::Deref for Twins {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl Twins {
    /// Starts a host whose two plugins do not import each other.
    fn strangers(build: Build) -> Self {
        Twins::with([1, 2].map(|n| ["castor", "pollux"].map(|name| twin(build, name, n))))
    }

    /// Starts a host where pollux imports castor.
    fn relatives(build: Build) -> Self {
        Twins::with([1, 2].map(|n| {
            let pollux = renamed(&twin(build, "pollux", n), "mother", "castor");
            [twin(build, "castor", n), pollux]
        }))
    }

    fn with([[castor, pollux], next]: [[Vec<u8>; 2]; 2]) -> Self {
        let plugins = [("castor", &*castor), ("pollux", &*pollux)];
        let stage = Stage::with(&plugins, |builder| {
            builder.retire_limit(Duration::from_millis(20))
        });
        Twins { stage, next }
    }

    /// Returns a star that one of the plugins has made.
    fn star(&self, of: &str, name: &str) -> Held<dyn Star> {
        let star: Function<fn(&str) -> Held<dyn Star>> = self.swapper.function(of, "star").unwrap();
        star.call(name).unwrap()
    }

    fn hold(&self, who: &str, star: Held<dyn Star>) {
        let hold: Function<fn(Held<dyn Star>)> = self.swapper.function(who, "hold").unwrap();
        hold.call(star).unwrap();
    }

    /// Makes one of the plugins keep a future of the star.
    fn watch(&self, who: &str, star: Held<dyn Star>, polled: bool, place: &str) {
        let watch: Function<fn(Held<dyn Star>, bool, &str)> =
            self.swapper.function(who, "watch").unwrap();
        watch.call(star, polled, place).unwrap();
    }

    /// Makes one of the plugins start something on its runtime. If that does not end by itself, it ends when a file of
    /// this name appears.
    fn work(&self, who: &str, what: &str) -> std::path::PathBuf {
        let work: Function<fn(&str, &std::path::PathBuf)> =
            self.swapper.function(who, "work").unwrap();
        let end = self.dir().join("end");
        work.call(what, &end).unwrap();
        end
    }

    /// Replaces both plugins.
    fn swap(&self) {
        let [castor, pollux] = &self.next;
        self.install("castor", castor);
        self.install("pollux", pollux);
        self.swapper.reload().expect("both plugins can be replaced");
    }

    /// Returns the retirement of the first build once these hold it.
    fn until_held_by(&self, plugin: &str, holders: &[Holder]) -> Retirement {
        let find = || {
            let mut all = self.swapper.retirements().into_iter();
            all.find(|r| r.plugin == plugin && r.held_by == holders)
        };
        until(&format!("{plugin} to be held by {holders:?}"), || {
            find().is_some()
        });
        find().unwrap()
    }

    /// Waits until both plugins have left memory. Checks that they told these texts, in this order.
    fn end(self, told: &[&str]) {
        assert_eq!(self.settle().len(), 2);
        assert_eq!(self.desk.told(), told);
        self.stage.close();
    }
}

fn has(owner: &str, count: usize) -> Holder {
    Holder::Objects {
        interface: "Star".into(),
        owner: owner.into(),
        count,
    }
}

fn awaits(owner: &str, count: usize) -> Holder {
    Holder::Futures {
        interface: "Star".into(),
        owner: owner.into(),
        count,
    }
}

fn poll_once(future: std::pin::Pin<&mut impl Future<Output = ()>>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut cx).is_pending());
}

#[test]
fn a_future_ends_before_the_object_that_it_borrows() {
    let twins = Twins::strangers(Build::Twins);
    twins.hold("pollux", twins.star("castor", "alpha"));
    twins.watch("castor", twins.star("pollux", "beta"), true, "the sky");
    twins.swap();
    // Castor's instance is gone, but its star still has the sky, and the sky has the future.
    twins.end(&[
        "pollux 01: freed",
        "castor 01: freed",
        "castor 01: sees a star",
        "pollux 01: beta fades",
        "castor 01: alpha is gone",
        "pollux 01: beta is gone",
    ]);
}

#[test]
fn two_plugins_that_await_each_others_objects_leave() {
    let twins = Twins::strangers(Build::Twins);
    twins.watch("pollux", twins.star("castor", "alpha"), true, "the sky");
    twins.watch("castor", twins.star("pollux", "beta"), true, "the sky");
    twins.swap();
    assert_eq!(twins.settle().len(), 2);
    let told = twins.desk.told();
    let at = |text: &str| {
        let found = told.iter().position(|told| told.ends_with(text));
        found.unwrap_or_else(|| panic!("{text} is not in {told:?}"))
    };
    // Both tasks end before either object is dropped.
    let fade = at("alpha fades").max(at("beta fades"));
    assert!(
        fade < at("alpha is gone").min(at("beta is gone")),
        "{told:?}"
    );
    twins.stage.close();
}

/// The importer is freed first, and the other plugin keeps a future of the importer's object until it ends itself.
#[test]
fn who_is_freed_last_finds_that_a_future_has_ended() {
    let twins = Twins::relatives(Build::Twins);
    twins.watch("castor", twins.star("pollux", "beta"), true, "the sky");
    twins.swap();
    twins.end(&[
        "pollux 01: freed",
        "pollux 01: beta fades",
        "pollux 01: beta is gone",
        "castor 01: freed",
        "castor 01: sees nothing",
    ]);
}

/// A future that a plugin has made of its own object exists until the plugin has been freed.
#[test]
fn who_is_freed_last_has_futures_of_its_own_objects() {
    let twins = Twins::relatives(Build::Twins);
    twins.watch("castor", twins.star("castor", "alpha"), true, "the sky");
    twins.hold("castor", twins.star("pollux", "beta"));
    twins.swap();
    twins.end(&[
        "pollux 01: freed",
        "pollux 01: beta is gone",
        "castor 01: freed",
        "castor 01: sees a star",
        "castor 01: alpha fades",
        "castor 01: alpha is gone",
    ]);
}

#[test]
fn a_future_that_was_never_polled() {
    let twins = Twins::strangers(Build::Twins);
    twins.watch("pollux", twins.star("castor", "alpha"), false, "the sky");
    twins.watch("castor", twins.star("pollux", "beta"), false, "the sky");
    twins.swap();
    assert_eq!(twins.settle().len(), 2);
    let told = twins.desk.told();
    assert!(!told.iter().any(|told| told.ends_with("fades")), "{told:?}");
    twins.stage.close();
}

#[test]
fn a_future_in_a_static_is_dropped_after_its_owner() {
    for both in [false, true] {
        let twins = Twins::strangers(Build::Twins);
        if both {
            twins.watch("pollux", twins.star("castor", "alpha"), true, "a static");
        }
        twins.watch("castor", twins.star("pollux", "beta"), true, "a static");
        twins.swap();
        assert_eq!(twins.settle().len(), 2);
        let told = twins.desk.told();
        for (name, owner) in [("beta", "pollux"), ("alpha", "castor")] {
            let of = told.iter().filter(|told| told.contains(name));
            let expected = [
                format!("{owner} 01: {name} fades"),
                format!("{owner} 01: {name} is gone"),
            ];
            assert_eq!(of.collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
            if !both {
                break;
            }
        }
        twins.stage.close();
    }
}

#[test]
fn a_future_in_a_thread_local_is_dropped_on_its_thread() {
    let twins = Twins::strangers(Build::Twins);
    twins.hold("pollux", twins.star("castor", "alpha"));
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let thread = scope.spawn({
            let twins = &twins;
            move || {
                let star = twins.star("pollux", "beta");
                twins.watch("castor", star, true, "a thread-local");
                twins.swap();
                receiver.recv().unwrap_err();
            }
        });
        twins.desk.until_told("castor 01: freed");
        twins.until_held_by("pollux", &[has("castor", 1), awaits("castor", 1)]);
        drop(sender);
        // `join` waits for the destructors of the thread.
        thread.join().unwrap();
    });
    twins.end(&[
        "pollux 01: freed",
        "castor 01: freed",
        "pollux 01: beta fades",
        "pollux 01: beta is gone",
        "castor 01: alpha is gone",
    ]);
}

#[test]
fn a_future_that_the_host_has_keeps_the_build_and_is_named() {
    let twins = Twins::strangers(Build::Twins);
    let star = twins.star("castor", "alpha");
    let mut shining = Box::pin(star.shine());
    poll_once(shining.as_mut());
    let unpolled = star.shine();
    twins.swap();
    let castor = twins.until_held_by("castor", &[has("the host", 1), awaits("the host", 2)]);
    assert_eq!(castor.state, RetirementState::Freeing);
    let text = castor.to_string();
    let end = "held by 1 object (Star) that the host has, 2 futures of Star that the host has";
    assert!(text.ends_with(end), "{text}");
    poll_once(shining.as_mut());
    drop((shining, unpolled));
    assert!(twins.desk.has_told("castor 01: alpha fades"));
    assert!(!twins.desk.has_told("castor 01: alpha is gone"));
    twins.until_held_by("castor", &[has("the host", 1)]);
    drop(star);
    assert!(twins.desk.has_told("castor 01: alpha is gone"));
    assert_eq!(twins.settle().len(), 2);
    twins.stage.close();
}

/// An object stays as long as a future of it is never dropped.
#[test]
fn a_forgotten_future_keeps_its_object() {
    let twins = Twins::strangers(Build::Twins);
    let star = twins.star("castor", "alpha");
    {
        let mut shining = Box::pin(star.shine());
        poll_once(shining.as_mut());
        std::mem::forget(shining);
    }
    drop(star);
    assert_eq!(twins.desk.told(), [""; 0]);
    twins.swap();
    twins.until_held_by("castor", &[awaits("the host", 1)]);
    assert!(!twins.desk.has_told("castor 01: alpha is gone"));
}

#[test]
fn a_future_is_waited_for_while_another_thread_drops_it() {
    let twins = Twins::strangers(Build::Twins);
    let star = twins.star("castor", "alpha");
    twins.watch("castor", twins.star("pollux", "slow"), true, "the sky");
    std::thread::scope(|scope| {
        scope.spawn({
            let twins = &twins;
            move || {
                twins.swap();
                // This is the last future that has castor's sky.
                twins.desk.until_told("castor 01: freed");
                drop(star);
            }
        });
        twins.desk.until_waiting("the end of a slow star");
        twins.until_held_by("pollux", &[has("castor", 1)]);
        assert!(!twins.desk.has_told("pollux 01: slow is gone"));
        twins.desk.open("the end of a slow star");
    });
    assert!(twins.swapper.wait_retired(LIMIT).is_empty());
    let told = twins.desk.told();
    let slow: Vec<_> = told.iter().filter(|told| told.contains("slow")).collect();
    assert_eq!(slow, ["pollux 01: slow fades", "pollux 01: slow is gone"]);
    assert_eq!(twins.settle().len(), 2);
    twins.stage.close();
}

#[test]
fn with_tokio_plugins_that_wait_for_each_other_leave() {
    let twins = Twins::strangers(Build::TwinsTokio);
    twins.watch("pollux", twins.star("castor", "alpha"), true, "the sky");
    twins.watch("castor", twins.star("pollux", "beta"), true, "the sky");
    twins.swap();
    assert_eq!(twins.settle().len(), 2);
    let told = twins.desk.told();
    let at = |text: &str| {
        let found = told.iter().position(|told| told.ends_with(text));
        found.unwrap_or_else(|| panic!("{text} is not in {told:?}"))
    };
    let fade = at("alpha fades").max(at("beta fades"));
    assert!(
        fade < at("alpha is gone").min(at("beta is gone")),
        "{told:?}"
    );
    twins.stage.close();
}

/// Both runtimes were stopped before. They run again for the drop of an object, and for `on_free`.
#[test]
fn with_tokio_what_runs_last_finds_a_runtime() {
    let twins = Twins::relatives(Build::TwinsTokio);
    twins.hold("castor", twins.star("pollux", "a sleeper"));
    twins.work("castor", "a loop");
    twins.swap();
    twins.end(&[
        "pollux 01: freed",
        "pollux 01: slept: true",
        "castor 01: a loop ends",
        "pollux 01: slept: true",
        "pollux 01: a sleeper is gone",
        "castor 01: freed",
        "castor 01: slept: true",
    ]);
}

#[test]
fn a_task_that_loops_does_not_keep_its_build() {
    let twins = Twins::strangers(Build::TwinsTokio);
    twins.hold("pollux", twins.star("castor", "alpha"));
    twins.hold("castor", twins.star("pollux", "beta"));
    twins.work("castor", "a loop");
    twins.work("pollux", "a loop");
    twins.swap();
    assert_eq!(twins.settle().len(), 2);
    for name in ["castor", "pollux"] {
        assert!(twins.desk.has_told(&format!("{name} 01: a loop ends")));
    }
    twins.stage.close();
}

#[test]
fn a_task_that_may_finish_is_cancelled_at_its_limit_there_too() {
    let twins = Twins::relatives(Build::TwinsTokio);
    twins.hold("castor", twins.star("pollux", "beta"));
    twins.work("castor", "a named task");
    twins.swap();
    twins.end(&[
        "pollux 01: freed",
        "pollux 01: slept: true",
        "castor 01: a named task ends",
        "pollux 01: beta is gone",
        "castor 01: freed",
        "castor 01: slept: true",
    ]);
}

#[test]
fn a_blocking_task_keeps_its_build_and_its_thread_is_named() {
    for related in [false, true] {
        let twins = match related {
            false => Twins::strangers(Build::TwinsTokio),
            true => Twins::relatives(Build::TwinsTokio),
        };
        twins.hold("pollux", twins.star("castor", "alpha"));
        twins.hold("castor", twins.star("pollux", "beta"));
        let end = twins.work("castor", "a blocking task");
        twins.swap();
        let thread = || {
            let all = twins.swapper.retirements().into_iter();
            let mut held_by = all.filter(|r| r.plugin == "castor").flat_map(|r| r.held_by);
            held_by.find_map(|holder| match holder {
                Holder::Threads { names } => Some(names),
                _ => None,
            })
        };
        until("the thread to be named", || {
            thread().is_some_and(
                |names| matches!(&names[..], [name] if name.ends_with("\"plugin-tokio\"")),
            )
        });
        assert!(!twins.desk.has_told("pollux 01: beta is gone"));
        std::fs::write(end, "").unwrap();
        assert_eq!(twins.settle().len(), 2);
        assert!(twins.desk.has_told("castor 01: a blocking task ends"));
        twins.stage.close();
    }
}

/// All objects that are dropped together are out of reach before the first one is dropped, since its drop may start a
/// thread.
#[test]
fn no_thread_calls_an_object_while_it_is_dropped() {
    let twins = Twins::strangers(Build::Twins);
    for _ in 0..8 {
        twins.hold("pollux", twins.star("pollux", "slow"));
    }
    twins.hold("castor", twins.star("pollux", "a caller"));
    twins.hold("pollux", twins.star("castor", "alpha"));
    twins.swap();
    twins.desk.until_told("pollux 01: nobody answers");
    twins.desk.open("the end of a caller");
    assert_eq!(twins.settle().len(), 2);
    assert!(!twins.desk.has_told("pollux 01: slow answers"));
    twins.stage.close();
}

/// Different threads poll, drop, and swap at the same time.
#[test]
fn futures_come_and_go_while_builds_are_swapped() {
    let twins = Twins::strangers(Build::Twins);
    for round in 0..20 {
        let number = (round % 2) as usize;
        for (who, of) in [("castor", "pollux"), ("pollux", "castor")] {
            twins.watch(who, twins.star(of, "one"), round % 3 != 0, "the sky");
            twins.hold(who, twins.star(of, "two"));
        }
        let star = twins.star("castor", "three");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..50 {
                    poll_once(pin!(star.shine()));
                }
            });
            let builds =
                [1, 2].map(|n| ["castor", "pollux"].map(|name| twin(Build::Twins, name, n)));
            let [castor, pollux] = &builds[1 - number];
            twins.install("castor", castor);
            twins.install("pollux", pollux);
            twins.swapper.reload().unwrap();
        });
    }
    assert_eq!(twins.settle().len(), 40);
    twins.stage.close();
}
