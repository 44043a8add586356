//! A wall clock that is set back while a host runs. The host measures with another clock, and its history goes by the
//! order of what has happened.
use crate::support::{checked, host, orders, window};
use hotswap_host::{ReloadOptions, RollbackWindow, WindowOutcome};
use hotswap_operate::{EntryResult, History};
use hotswap_tests::{LIMIT, Stage, run};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// The time for which a build has to be healthy.
const HEALTHY: Duration = Duration::from_millis(300);

#[test]
fn a_host_whose_clock_is_set_back_keeps_its_windows_and_its_history() {
    checked("first");
    let dir = tempfile::tempdir().unwrap();
    let clock = dir.path().join("clock");
    fs::write(&clock, "+0").unwrap();
    // The command knows where its library is.
    let library = run(Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]));
    let library = String::from_utf8(library.stdout).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "clock::set_back", "--ignored", "--nocapture"]);
    command.env("LD_PRELOAD", library.trim());
    command.env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1");
    // Setting the clock of a machine changes neither of these.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.env("NO_FAKE_STAT", "1");
    run(&mut command);
}

/// Sets the clock to this difference from the true time.
fn set(difference: &str) {
    fs::write(
        std::env::var("FAKETIME_TIMESTAMP_FILE").unwrap(),
        difference,
    )
    .unwrap();
}

/// Reloads this build with a rollback window.
fn on_trial(stage: &Stage, build: &str, deadline: Duration, healthy: Duration) -> RollbackWindow {
    let mut options = window();
    options.healthy_deadline = deadline;
    options.min_healthy_time = healthy;
    stage.install("checked", &checked(build));
    let reload = stage.swapper.prepare_reload().options(options);
    reload.run().unwrap().window.unwrap()
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts with a clock that it can set"]
fn set_back() {
    if std::env::var_os("FAKETIME_TIMESTAMP_FILE").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let (journal, options) = (history.clone(), ReloadOptions::development());
    let stage = host(&checked("first"), |builder| {
        builder.journal(journal).reload_options(options)
    });
    let hour = Duration::from_secs(3600);
    for (difference, healthy, late) in [("-2h", "second", "third"), ("-10y", "fourth", "fifth")] {
        let before = SystemTime::now();
        let began = Instant::now();
        let window = on_trial(&stage, healthy, LIMIT, HEALTHY);
        set(difference);
        assert!(SystemTime::now() < before - hour, "the clock was set back");
        assert_eq!(window.wait(LIMIT), Some(WindowOutcome::Permanent));
        assert!(began.elapsed() >= HEALTHY);
        // A window that was opened before the clock was set forward again, and closes at its deadline.
        let began = Instant::now();
        let window = on_trial(&stage, late, HEALTHY, LIMIT);
        set("+0");
        assert!(SystemTime::now() >= before);
        let outcome = window.wait(LIMIT).unwrap();
        assert!(
            matches!(outcome, WindowOutcome::Reverted { .. }),
            "{outcome}"
        );
        assert!(began.elapsed() >= HEALTHY);
        assert_eq!(orders(&stage), healthy);
        set(difference);
        stage.swap("checked", &checked(&format!("after {healthy}")));
    }
    // The newest comes first, whatever the times say: a revert is an attempt of its own.
    let entries = history.entries(100).unwrap();
    assert!(entries.is_sorted_by(|newer, older| newer.id > older.id));
    let results: Vec<_> = entries.iter().rev().map(|entry| entry.result).collect();
    let permanent = EntryResult::Permanent;
    let round = [permanent, EntryResult::Reverted, permanent, permanent];
    assert_eq!(results, [&[permanent][..], &round, &round].concat());
    assert!(entries[0].began + hour < entries.last().unwrap().began);
    assert!(entries.iter().all(|entry| entry.took >= 0.0));
    // All of it was in the last minutes.
    let summary = history.summary(hour).unwrap();
    assert_eq!(
        (summary.attempts, summary.permanent, summary.reverted),
        (9, 7, 2)
    );
    assert!(summary.mean() <= LIMIT && summary.longest >= summary.mean);
    // What is held, and what was permanent, is in its order, too.
    let held = history.held().unwrap();
    assert_eq!(held.len(), 2);
    assert!(held[0].since <= held[1].since);
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "fourth");
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "after second");
    stage.settle();
    stage.close();
    drop(history);
    let history = History::open(dir.path()).unwrap();
    let journal = history.clone();
    let stage = host(&checked("after second"), |builder| builder.journal(journal));
    assert_eq!(orders(&stage), "after second");
    stage.close();
}
