//! A state directory that an earlier version of the host has written.
use crate::support::{checked, host, orders, window};
use hotswap_host::{Builder, ReloadOptions};
use hotswap_operate::{AuditEntry, AuditResult, EntryResult, History};
use rusqlite::Connection;
use std::path::Path;

/// The first layout of the database, with three attempts.
const FIRST: &str = "
    CREATE TABLE sets (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, builds TEXT NOT NULL);
    CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE permanent (place INTEGER PRIMARY KEY AUTOINCREMENT, set_id INTEGER NOT NULL REFERENCES sets, at INTEGER NOT NULL);
    CREATE TABLE held (set_id INTEGER PRIMARY KEY REFERENCES sets, reason TEXT NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        number INTEGER NOT NULL, began INTEGER NOT NULL, took REAL NOT NULL,
        cause TEXT NOT NULL, pid INTEGER NOT NULL, user TEXT NOT NULL,
        from_set TEXT NOT NULL, to_set TEXT NOT NULL, options TEXT, steps TEXT NOT NULL,
        result TEXT NOT NULL, detail TEXT NOT NULL
    );
    CREATE INDEX attempts_by_time ON attempts (began);
    PRAGMA user_version = 1;
";

const CAUSES: [(&str, Option<&str>); 6] = [
    ("signal 10", None),
    (
        "a request by process 7 of user 0 (deployment ci/12:a@b): it is slow (deployment x)",
        Some("ci/12:a@b"),
    ),
    (
        "a request by process 7 of user 0: as in (deployment 9)",
        None,
    ),
    (
        "revert, because of a request by process 7 of user 0 (deployment r7)",
        Some("r7"),
    ),
    ("revert, because it failed (deployment 1)", None),
    ("a request by process 7 of user 0", None),
];

#[test]
fn the_first_layout_is_read_and_its_deployments_get_their_field() {
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join("history.sqlite")).unwrap();
    connection.execute_batch(FIRST).unwrap();
    for (number, (cause, _)) in CAUSES.iter().enumerate() {
        let values = rusqlite::params![number as i64, cause];
        connection
            .execute(
                "INSERT INTO attempts (number, began, took, cause, pid, user, from_set, to_set, steps, result, detail)
                 VALUES (?1, 1764000000000, 1.5, ?2, 7, 'root', '{}', '{}', '[]', 'unchanged', '')",
                values,
            )
            .unwrap();
    }
    drop(connection);
    // It is read as often as one likes.
    for records in 0..2 {
        let history = History::open(dir.path()).unwrap();
        let entries = history.entries(10).unwrap();
        let told: Vec<_> = entries
            .iter()
            .rev()
            .map(|entry| (&*entry.cause, entry.deployment.as_deref()))
            .collect();
        assert_eq!(told, CAUSES);
        assert_eq!(history.verify_audit().unwrap().records, records);
        let entry = AuditEntry::new("process 7 of user 0", "reload", AuditResult::Done);
        assert_eq!(history.record(entry).unwrap(), records as i64 + 1);
    }
}

/// Takes away what the second layout has added.
fn to_first_layout(dir: &Path) {
    let connection = Connection::open(dir.join("history.sqlite")).unwrap();
    let first = "
        DROP TABLE audit;
        DELETE FROM state WHERE name = 'audit_last';
        ALTER TABLE attempts DROP COLUMN deployment;
        PRAGMA user_version = 1;
    ";
    connection.execute_batch(first).unwrap();
}

#[test]
fn a_host_starts_on_what_was_permanent_in_the_first_layout() {
    let dir = tempfile::tempdir().unwrap();
    let started = |build: &str, options: ReloadOptions| {
        let history = History::open(dir.path()).unwrap();
        let journal = history.clone();
        let settings = |builder: Builder| builder.journal(journal).reload_options(options);
        (host(&checked(build), settings), history)
    };
    let (stage, history) = started("first", ReloadOptions::development());
    stage.swap("checked", &checked("second"));
    stage.close();
    drop(history);
    to_first_layout(dir.path());
    // A later version may have results that this one does not know.
    let connection = Connection::open(dir.path().join("history.sqlite")).unwrap();
    let paused = "UPDATE attempts SET result = 'paused' WHERE id = 1";
    assert_eq!(connection.execute(paused, []).unwrap(), 1);
    drop(connection);

    // The host starts on the permanent set, and tries what the plugin directory has.
    let (stage, history) = started("third", window());
    assert_eq!(orders(&stage), "third");
    stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "second");
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    let entries = history.entries(100).unwrap();
    assert_eq!(entries.last().unwrap().result, EntryResult::Unknown);
    stage.close();
}
