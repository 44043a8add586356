//! A host that refuses all changes.
use crate::support::{Controlled, Ran, checked};
use hotswap_host::{ReloadError, ReloadOptions};
use hotswap_operate::{EntryResult, History};
use hotswap_tests::{fixture, until};
use std::time::Duration;

fn refused(host: &Controlled, args: &[&str]) {
    let Ran {
        code,
        stdout,
        stderr,
    } = host.ran(args);
    assert_eq!(code, Some(1), "{args:?}: {stderr}");
    let told = stdout + &stderr;
    assert!(told.contains("this host is frozen"), "{args:?}: {told}");
    assert!(
        told.contains("(deployment f1): the holidays"),
        "{args:?}: {told}"
    );
}

#[test]
fn it_refuses_whoever_asks_until_it_is_lifted() {
    let host = Controlled::new();
    let why = ["--reason", "the holidays", "--deployment", "f1"];
    host.ok(&[&["freeze"][..], &why].concat());
    host.stage.install("checked", &checked("second"));
    for args in [
        &["reload"][..],
        &["reload", "--force"],
        &["drain", "checked"],
        &["drain", "checked", "--no-wait"],
        &["resume", "checked"],
    ] {
        refused(&host, args);
    }
    let swapper = &host.stage.swapper;
    let error = swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Frozen { .. }), "{error}");
    let error = swapper.unload("checked").unwrap_err();
    assert!(matches!(error, ReloadError::Frozen { .. }), "{error}");
    let error = swapper.prepare_reload().stage().unwrap_err();
    assert!(matches!(error, ReloadError::Frozen { .. }), "{error}");
    let status = host.ok(&["status"]).stdout;
    assert!(status.contains("\nfrozen since "), "{status}");
    assert_eq!(host.client().status().unwrap().generation, 1);
    // Looking is no change.
    host.ok(&["reload", "--dry-run"]);

    host.ok(&["unfreeze"]);
    host.ok(&["unfreeze"]);
    assert_eq!(host.ok(&["reload", "-q"]).stdout, "checked: reloaded\n");
    assert_eq!(host.client().status().unwrap().frozen, None);
    host.close();
}

#[test]
fn an_open_window_goes_on_by_its_own_rules() {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    let host = Controlled::with(|builder| builder.reload_options(options));
    host.stage.install("checked", &checked("second"));
    let report = host.stage.swapper.reload().unwrap();
    host.ok(&["freeze", "--reason", "the holidays", "--deployment", "f1"]);
    refused(&host, &["rollback"]);
    refused(&host, &["confirm"]);
    let window = report.window.unwrap();
    assert_eq!(window.outcome(), None);
    host.stage.swapper.unfreeze().unwrap();
    host.ok(&["confirm"]);
    until("the window to close", || window.outcome().is_some());
    host.close();
}

#[test]
fn a_host_with_a_history_stays_frozen_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let history = History::open(dir.path()).unwrap();
        let host = Controlled::with_history(history.clone(), |builder| builder);
        (host, history)
    };
    let (host, history) = start();
    host.ok(&["freeze", "--reason", "the holidays", "--deployment", "f1"]);
    let entries = history.entries(1).unwrap();
    assert_eq!(entries[0].result, EntryResult::Frozen);
    host.close();
    drop(history);

    // `Controlled` installs the first build anew, so a later one is put there while the host runs.
    let (host, history) = start();
    host.stage.install("checked", &checked("second"));
    refused(&host, &["reload"]);
    let live = host.client().plugin("checked").unwrap().build_id;
    assert_eq!(live, fixture::build_id(&checked("first")).to_string());
    host.ok(&["unfreeze", "--reason", "the holidays are over"]);
    let entries = history.entries(1).unwrap();
    assert_eq!(entries[0].result, EntryResult::Unfrozen);
    let cause = &entries[0].cause;
    assert!(cause.ends_with(": the holidays are over"), "{cause}");
    host.close();
    drop(history);

    let (host, _history) = start();
    assert_eq!(host.client().status().unwrap().frozen, None);
    host.close();
}
