//! Panics of the host's own code on each of its threads. The attempt at hand fails, a closed gate is opened, the log has
//! the panic, and the thread is there again for the next reload. Each test has a process of its own, because the panics
//! that it asks for are those of any host in its process.
use crate::support::{add, checked, host, orders, stateful, window};
use hotswap_host::fail_point::{left, panic_at};
use hotswap_host::prelude::*;
use hotswap_host::{ReloadOptions, RetirementState, RollbackWindow, WindowOutcome, signal};
use hotswap_tests::fixture::{Build, ordered};
use hotswap_tests::{LIMIT, Stage, alone, records, until};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Opens a host with the first build, and makes a thread panic from now on.
fn panicking(place: &'static str, times: usize) -> Stage {
    let stage = host(&checked("first"), |builder| builder);
    arm(place, times);
    stage
}

fn arm(place: &'static str, times: usize) {
    records::keep();
    panic_at(place, times);
}

/// Checks that the panics have happened, and that they are in the log.
fn has_panicked(place: &'static str) {
    records::wait_for(&[&format!("a test wanted this panic at {place}")]);
    assert_eq!(left(place), 0);
}

/// The host goes on: it reloads, and old builds leave memory.
fn goes_on(stage: Stage) {
    stage.swap("checked", &checked("last"));
    assert_eq!(orders(&stage), "last");
    stage.settle();
    stage.close();
}

/// Reloads the second build, which is refused because of a panic.
fn refused(stage: &Stage, place: &'static str) {
    stage.install("checked", &checked("second"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Panicked { .. }), "{error}");
    assert_eq!(left(place), 0);
    assert_eq!(orders(stage), "first");
}

#[test]
fn of_a_thread_that_runs_hooks() {
    checked("first");
    alone("panics::hooks");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn hooks() {
    let stage = panicking("hotswap-hooks", 1);
    refused(&stage, "hotswap-hooks");
    has_panicked("hotswap-hooks");
    // After the switch, a panic can refuse nothing. The other hooks run.
    stage.desk.told();
    arm("hooks after the switch", 1);
    stage.swap("checked", &checked("second"));
    has_panicked("hooks after the switch");
    assert_eq!(orders(&stage), "second");
    assert_eq!(stage.desk.told(), ["smoke", "on_start"]);
    goes_on(stage);
}

#[test]
fn of_a_thread_that_hands_state_over_opens_the_gate() {
    stateful("first");
    alone("panics::gate");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn gate() {
    let long = Duration::from_secs(600);
    let stage = host(&stateful("first"), |builder| builder.gate_limit(long));
    assert_eq!(add(&stage, 7), 7);
    arm("hand-over", 1);
    stage.install("checked", &stateful("second"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Panicked { .. }), "{error}");
    assert_eq!(left("hand-over"), 0);
    // A call would wait at a gate that is still closed.
    let (answer, answered) = channel();
    let call: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    std::thread::spawn(move || answer.send(call.call(1)));
    assert_eq!(answered.recv_timeout(LIMIT).unwrap().unwrap(), 8);
    assert_eq!(orders(&stage), "first");
    stage.swapper.reload().unwrap();
    assert_eq!(orders(&stage), "second");
    assert_eq!(add(&stage, 1), 9);
    stage.settle();
    stage.close();
}

/// Reloads the second build with a rollback window.
fn on_trial(stage: &Stage, healthy: Duration) -> RollbackWindow {
    let mut options = window();
    options.min_healthy_time = healthy;
    stage.install("checked", &checked("second"));
    let reload = stage.swapper.prepare_reload().options(options).force();
    reload.run().unwrap().window.unwrap()
}

fn is_reverted(stage: &Stage, window: &RollbackWindow) {
    match window.wait(LIMIT) {
        Some(WindowOutcome::Reverted { reason }) => {
            let text = "the thread that watched it has panicked: a test wanted this panic at ";
            assert!(reason.starts_with(text), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(orders(stage), "first");
}

#[test]
fn of_the_thread_that_watches_a_window() {
    checked("first");
    alone("panics::watch");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn watch() {
    let soon = Duration::from_millis(1);
    let stage = panicking("hotswap-watch", 1);
    is_reverted(&stage, &on_trial(&stage, Duration::from_secs(600)));
    has_panicked("hotswap-watch");
    // It panics while it closes the window.
    arm("hotswap-watch: act", 1);
    is_reverted(&stage, &on_trial(&stage, soon));
    has_panicked("hotswap-watch: act");
    // It panics again, and leaves the window to the operator.
    arm("hotswap-watch: act", 2);
    let window = on_trial(&stage, soon);
    records::wait_for(&["so only `rollback` and `confirm` end its window"]);
    assert_eq!(window.outcome(), None);
    stage.swapper.confirm().unwrap();
    assert_eq!(window.wait(LIMIT), Some(WindowOutcome::Permanent));
    stage.swap("checked", &checked("first"));
    let window = on_trial(&stage, soon);
    assert_eq!(window.wait(LIMIT), Some(WindowOutcome::Permanent));
    goes_on(stage);
}

#[test]
fn of_the_retire_thread_and_of_a_thread_that_frees() {
    checked("first");
    alone("panics::retire");
}

/// The build that is replaced stays in memory, and the next one leaves.
fn is_kept(place: &'static str) {
    // Smoke tests would free a copy of the next build.
    let mut options = ReloadOptions::development();
    options.smoke = false;
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    // When this build has left, the thread has nothing else to do.
    stage.swap("checked", &checked("another first"));
    stage.settle();
    arm(place, 1);
    stage.swap("checked", &checked("second"));
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    has_panicked(place);
    let kept = stage.swapper.retirements().pop().unwrap();
    assert_eq!(kept.state, RetirementState::Kept, "{kept}");
    assert!(kept.to_string().contains("a panic of the host"), "{kept}");
    stage.swap("checked", &checked("third"));
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    let gone = stage.swapper.retirements().pop().unwrap();
    assert_eq!(gone.state, RetirementState::Gone, "{gone}");
    assert!(stage.swapper.shutdown(LIMIT).unwrap().is_empty());
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn retire() {
    is_kept("hotswap-retire");
    is_kept("hotswap-free");
}

#[test]
fn of_a_thread_with_a_check_or_a_smoke_test() {
    checked("first");
    alone("panics::tests");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn tests() {
    let stage = host(&checked("first"), |builder| {
        let builder = builder.smoke("nothing", |_| Ok::<_, String>(()));
        builder.check(|_| Ok::<_, String>(()))
    });
    arm("hotswap-check", 1);
    refused(&stage, "hotswap-check");
    arm("hotswap-smoke", 1);
    let error = stage.swapper.reload().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("its thread has ended"), "{text}");
    has_panicked("hotswap-smoke");
    goes_on(stage);
}

#[test]
fn of_a_thread_that_reloads_on_a_signal_or_for_a_plugin() {
    checked("first");
    Build::First.bytes("probe");
    alone("panics::reloads");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn reloads() {
    let stage = panicking("hotswap-reload", 1);
    let listener = signal::reload_on(signal::USUAL, &stage.swapper).unwrap();
    stage.install("checked", &checked("second"));
    // SAFETY: `raise` has no preconditions, and the signal is handled.
    let ask = || assert_eq!(unsafe { libc::raise(signal::USUAL) }, 0);
    ask();
    has_panicked("hotswap-reload");
    assert_eq!(orders(&stage), "first");
    ask();
    records::wait_for(&["checked: reloaded"]);
    assert_eq!(orders(&stage), "second");
    drop(listener);
    goes_on(stage);

    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let request: Function<fn()> = stage.probe("request_reload");
    arm("hotswap-reload", 1);
    stage.install("probe", &ordered(&probe, "asked for by itself"));
    request.call().unwrap();
    until("the thread to panic", || left("hotswap-reload") == 0);
    request.call().unwrap();
    records::wait_for(&["a plugin asked for a reload: probe: reloaded"]);
    drop(request);
    // The reload may not have ended when it has written its record.
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.settle();
    stage.close();
}

#[test]
fn of_the_thread_that_follows_the_levels() {
    checked("first");
    alone("panics::levels");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn levels() {
    let stage = panicking("hotswap-levels", 2);
    until("two panics", || left("hotswap-levels") == 0);
    has_panicked("hotswap-levels");
    goes_on(stage);
}

/// A journal or an observer is code of others, which may panic at any step.
#[test]
fn of_a_journal_changes_nothing() {
    checked("first");
    alone("panics::journal");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn journal() {
    struct Panics;
    impl hotswap_host::Journal for Panics {
        fn start(&self) -> Result<Option<hotswap_host::Start>, hotswap_host::JournalError> {
            Ok(None)
        }
        fn misfit(&self, _: &str) -> Result<(), hotswap_host::JournalError> {
            Ok(())
        }
        fn trying(&self, _: &hotswap_host::Trial<'_>) -> Result<(), hotswap_host::JournalError> {
            Ok(())
        }
        fn event(&self, _: &hotswap_host::ReloadEvent<'_>) {
            panic!("no ink");
        }
        fn shut_down(&self) {
            panic!("no ink");
        }
    }
    records::keep();
    let stage = host(&checked("first"), |builder| {
        let builder = builder.journal(std::sync::Arc::new(Panics));
        builder.reload_options(ReloadOptions::development())
    });
    stage.swap("checked", &checked("second"));
    assert_eq!(orders(&stage), "second");
    records::wait_for(&["the journal of this host panicked: no ink"]);
    goes_on(stage);
}
