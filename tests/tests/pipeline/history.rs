//! The journal in a directory: starts on what has proven itself, rollbacks, and the history.
use crate::support::{add, checked, host, orders, panic_once, stateful, window};
use hotswap_host::{Builder, ReloadError, ReloadOptions, WindowOutcome};
use hotswap_operate::{EntryResult, History, HistoryError};
use hotswap_tests::{LIMIT, Stage};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Opens a host with a journal in this directory.
fn remembering(dir: &Path, build: &[u8], options: ReloadOptions) -> (Stage, Arc<History>) {
    let history = History::open(dir).unwrap();
    let journal = history.clone();
    let settings = |builder: Builder| builder.journal(journal).reload_options(options);
    (host(build, settings), history)
}

fn results(history: &History) -> Vec<EntryResult> {
    let entries = history.entries(100).unwrap();
    entries
        .into_iter()
        .rev()
        .map(|entry| entry.result)
        .collect()
}

fn at_once() -> ReloadOptions {
    ReloadOptions::development()
}

#[test]
fn the_next_start_is_on_what_was_permanent() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), at_once());
    stage.swap("checked", &checked("second"));
    stage.close();
    drop(history);
    // The plugin directory has the first build again, and the host starts with the second, and then tries the first.
    let (stage, history) = remembering(dir.path(), &checked("first"), window());
    assert_eq!(orders(&stage), "first");
    assert!(stage.swapper.window().unwrap().is_some());
    stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "second");
    stage.close();
    drop(history);
    // What was reverted is held.
    let (stage, history) = remembering(dir.path(), &checked("first"), window());
    assert_eq!(orders(&stage), "second");
    assert_eq!(history.held().unwrap()[0].reason, "it was asked for");
    // A build of a store has the path of the file that it was read from first.
    let listing = stage.swapper.listing();
    assert!(listing.plugins[0].file.ends_with("libchecked.so"));
    stage.close();
}

#[test]
fn a_rollback_goes_back_by_steps_and_a_redo_forward() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), at_once());
    for build in ["second", "third", "fourth"] {
        stage.swap("checked", &checked(build));
    }
    history.rollback(&stage.swapper, 2).unwrap();
    assert_eq!(orders(&stage), "second");
    history.redo(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "third");
    history.rollback(&stage.swapper, 1).unwrap();
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    let error = history.rollback(&stage.swapper, 1).unwrap_err();
    assert!(
        matches!(
            error,
            HistoryError::NoSuchStep {
                steps: 1,
                known: 0,
                ..
            }
        ),
        "{error}"
    );
    history.redo(&stage.swapper, 3).unwrap();
    assert_eq!(orders(&stage), "fourth");
    assert!(history.redo(&stage.swapper, 1).is_err());
    assert!(history.rollback(&stage.swapper, 0).is_err());
    stage.settle();
    // A reload after a rollback takes the way forward.
    history.rollback(&stage.swapper, 3).unwrap();
    stage.swap("checked", &checked("fifth"));
    assert!(history.redo(&stage.swapper, 1).is_err());
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn the_destination_of_a_rollback_is_what_the_next_start_is_on() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), at_once());
    stage.swap("checked", &checked("second"));
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    let plugins = stage.dir().to_owned();
    stage.swapper.shutdown(LIMIT).unwrap();
    drop((stage, history));
    assert!(!plugins.exists());
    let (stage, _history) = remembering(dir.path(), &checked("first"), at_once());
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn a_rollback_keeps_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &stateful("first"), at_once());
    assert_eq!(add(&stage, 7), 7);
    stage.swap("checked", &stateful("second"));
    assert_eq!(add(&stage, 1), 8);
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 9);
    stage.close();
}

#[test]
fn one_plugin_goes_back_by_its_build() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), at_once());
    let first = stage.live_build().to_string();
    stage.swap("checked", &checked("second"));
    stage.swap("checked", &checked("third"));
    history
        .rollback_plugin(&stage.swapper, "checked", None)
        .unwrap();
    assert_eq!(orders(&stage), "second");
    history
        .rollback_plugin(&stage.swapper, "checked", Some(&first[..8]))
        .unwrap();
    assert_eq!(orders(&stage), "first");
    let error = history
        .rollback_plugin(&stage.swapper, "checked", Some("zz"))
        .unwrap_err();
    assert!(matches!(error, HistoryError::Gone { .. }), "{error}");
    let error = history
        .rollback_plugin(&stage.swapper, "chequed", None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no plugin chequed is part of the permanent set"
    );
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn builds_that_have_left_the_store_cannot_be_gone_back_to() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open_keeping(dir.path(), 2).unwrap();
    let journal = history.clone();
    let stage = host(&checked("first"), |builder| builder.journal(journal));
    stage.swap("checked", &checked("second"));
    stage.swap("checked", &checked("third"));
    assert_eq!(history.builds().unwrap().len(), 2);
    let error = history.rollback(&stage.swapper, 2).unwrap_err();
    assert!(matches!(error, HistoryError::Gone { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("has left the store; these builds are there: "),
        "{error}"
    );
    assert_eq!(orders(&stage), "third");
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "second");
    stage.close();
}

#[test]
fn damaged_bytes_are_refused_and_an_older_set_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), at_once());
    stage.swap("checked", &checked("second"));
    let first = hotswap_tests::fixture::build_id(&checked("first"));
    let file = dir.path().join("builds").join(first.to_string());
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&file, &damaged).unwrap();
    assert_eq!(history.verify().unwrap(), [first]);
    let error = history.rollback(&stage.swapper, 1).unwrap_err();
    assert!(
        matches!(&error, HistoryError::Damaged { whole, .. } if whole.len() == 1),
        "{error}"
    );
    assert_eq!(orders(&stage), "second");
    stage.close();
    drop(history);
    // Now the newer one is damaged.
    fs::write(&file, &whole).unwrap();
    let second = hotswap_tests::fixture::build_id(&checked("second"));
    fs::write(
        dir.path().join("builds").join(second.to_string()),
        b"nothing",
    )
    .unwrap();
    let (stage, _history) = remembering(dir.path(), &checked("first"), at_once());
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn the_history_has_causes_builds_steps_and_results() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), window());
    stage.install("checked", &checked("fail smoke"));
    stage.swapper.reload().unwrap_err();
    let report = stage.swap("checked", &checked("third"));
    panic_once(&stage);
    let window = report.window.unwrap();
    assert!(matches!(
        window.wait(LIMIT),
        Some(WindowOutcome::Reverted { .. })
    ));
    stage.swapper.reload().unwrap_err();
    let entries = history.entries(100).unwrap();
    let results: Vec<_> = entries.iter().rev().map(|entry| entry.result).collect();
    use EntryResult::*;
    // The revert itself is an attempt, too.
    assert_eq!(results, [Permanent, Refused, Reverted, Permanent, Refused]);
    let reverted = &entries[2];
    assert_eq!(reverted.cause, "the host's own code");
    assert_eq!(
        reverted.detail,
        "it has failed once, and the failure limit is 0"
    );
    let first = hotswap_tests::fixture::build_id(&checked("first"));
    let third = hotswap_tests::fixture::build_id(&checked("third"));
    assert_eq!(reverted.from["checked"], first);
    assert_eq!(reverted.to["checked"], third);
    assert!(
        reverted
            .options
            .as_ref()
            .unwrap()
            .contains("\"failure_limit\":0")
    );
    let steps: Vec<_> = reverted
        .steps
        .iter()
        .map(|(step, ..)| step.as_str())
        .collect();
    assert_eq!(steps, ["validate", "smoke", "stage", "switch", "start"]);
    let text = reverted.to_string();
    let end = format!(
        "the host's own code: reverted (checked: {} -> {}): it has failed once, and the failure limit is 0",
        first.short(),
        third.short()
    );
    assert!(text.ends_with(&end), "{text}");
    let summary = history.summary(Duration::from_secs(3600)).unwrap();
    assert_eq!(
        (summary.attempts, summary.refused, summary.reverted),
        (5, 2, 1)
    );
    assert_eq!(history.entries(1).unwrap().len(), 1);
    stage.close();
}

#[test]
fn an_orderly_end_within_the_window_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, history) = remembering(dir.path(), &checked("first"), window());
    stage.swap("checked", &checked("second"));
    stage.close();
    assert_eq!(
        results(&history),
        [EntryResult::Permanent, EntryResult::Interrupted]
    );
    assert!(history.held().unwrap().is_empty());
    drop(history);
    // It is tried again.
    let (stage, _history) = remembering(dir.path(), &checked("second"), window());
    assert_eq!(orders(&stage), "second");
    assert!(stage.swapper.window().unwrap().is_some());
    stage.close();
}

#[test]
fn a_second_host_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _history = History::open(dir.path()).unwrap();
    let error = History::open(dir.path()).unwrap_err();
    let HistoryError::Locked { pid, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*pid, std::process::id().to_string());
}

#[test]
fn a_newer_or_damaged_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(History::open(dir.path()).unwrap());
    let file = dir.path().join("history.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = History::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            HistoryError::Newer {
                found: 99,
                known: 2,
                ..
            }
        ),
        "{error}"
    );
    fs::write(
        &file,
        "this is no database, whatever its name says".repeat(200),
    )
    .unwrap();
    let error = History::open(dir.path()).unwrap_err();
    assert!(matches!(error, HistoryError::Database { .. }), "{error}");
}

#[test]
fn a_journal_that_cannot_be_written_refuses_reloads_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (stage, _history) = remembering(dir.path(), &checked("first"), at_once());
    // A full disk looks like this to a writer: the file cannot be made.
    fs::remove_dir_all(dir.path().join("builds")).unwrap();
    stage.install("checked", &checked("second"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Journal(_)), "{error}");
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert_eq!(orders(&stage), "first");
    fs::create_dir(dir.path().join("builds")).unwrap();
    stage.swapper.reload().unwrap();
    assert_eq!(orders(&stage), "second");
    stage.close();
}

#[test]
fn a_directory_that_is_free_in_a_moment_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        let next = scope.spawn(|| History::open(dir.path()));
        // Without the wait, the other thread has mostly failed by now.
        std::thread::yield_now();
        drop(history);
        next.join().unwrap().unwrap();
    });
}
