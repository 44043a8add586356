//! The audit: who has asked for what, and whether the records are as they were written.
use crate::stream::until;
use crate::support::{Controlled, Ran, checked};
use hotswap_control::api::ReloadRequest;
use hotswap_operate::{AuditBreak, AuditResult, History, Journald};
use hotswap_tests::{fixture, until as until_true};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::Arc;
use tempfile::TempDir;

const WHY: [&str; 4] = ["--reason", "the night shift", "--deployment", "n-1"];

fn with_history() -> (Controlled, Arc<History>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder);
    (host, history, dir)
}

/// Returns what the records say of requests and results, the oldest first.
fn told(history: &History) -> Vec<(String, AuditResult)> {
    let records = history.audit(100).unwrap().into_iter().rev();
    records.map(|it| (it.what, it.result)).collect()
}

fn command(args: &[&str]) -> Ran {
    let output = fixture::hotswap().args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[test]
fn each_change_is_recorded_before_and_after_it() {
    let (host, history, _dir) = with_history();
    host.stage.install("checked", &checked("second"));
    let args = ["reload", "checked", "--smoke=false", "-q"];
    host.ok(&[&args[..], &WHY].concat());
    host.ok(&[&["drain", "checked"][..], &WHY].concat());
    host.ok(&["resume", "checked"]);
    host.ok(&["status"]);
    host.ok(&["reload", "--dry-run"]);
    let records: Vec<_> = history.audit(100).unwrap().into_iter().rev().collect();
    let said: Vec<_> = records
        .iter()
        .map(|it| (&*it.what, it.result, it.begun))
        .collect();
    use AuditResult::{Begun, Done};
    assert_eq!(
        said,
        [
            ("reload", Begun, None),
            ("reload", Done, Some(1)),
            ("drain checked", Begun, None),
            ("drain checked", Done, Some(3)),
            ("resume checked", Begun, None),
            ("resume checked", Done, Some(5)),
        ]
    );
    for record in &records[..4] {
        assert!(record.who.starts_with("process "), "{}", record.who);
        assert_eq!(record.reason.as_deref(), Some("the night shift"));
        assert_eq!(record.deployment.as_deref(), Some("n-1"));
    }
    assert_eq!((&records[4].reason, &records[4].deployment), (&None, &None));
    let details = records[0].details.as_deref().unwrap();
    let details: Value = serde_json::from_str(details).unwrap();
    assert_eq!(details["options"]["smoke"], "false");
    assert_eq!(records[1].outcome, "checked: reloaded");

    // The deployment has a field of its own in the history, too.
    let entries = history.entries(3).unwrap();
    let deployments: Vec<_> = entries.iter().map(|it| it.deployment.as_deref()).collect();
    assert_eq!(deployments, [None, Some("n-1"), Some("n-1")]);
    let attempts = host.client().history(2).unwrap();
    assert_eq!(attempts[1].deployment.as_deref(), Some("n-1"));
    host.close();
}

#[test]
fn a_revert_has_the_deployment_of_its_request() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let mut options = hotswap_host::ReloadOptions::development();
    options.healthy_deadline = std::time::Duration::from_secs(600);
    options.min_healthy_time = std::time::Duration::from_secs(600);
    let host = Controlled::with_history(history.clone(), |builder| builder.reload_options(options));
    host.stage.install("checked", &checked("second"));
    host.ok(&["reload", "-q", "--no-wait", "--deployment", "n-0"]);
    host.ok(&[&["rollback"][..], &WHY].concat());
    let entries = history.entries(10).unwrap();
    let of = |beginning: &str| {
        let entry = entries.iter().find(|it| it.cause.starts_with(beginning));
        entry.unwrap().deployment.clone()
    };
    assert_eq!(of("revert, because of a request").as_deref(), Some("n-1"));
    assert_eq!(of("a request by process").as_deref(), Some("n-0"));
    host.close();
}

#[test]
fn what_was_refused_is_recorded_with_the_error() {
    let (host, history, _dir) = with_history();
    assert_eq!(host.ran(&["drain", "chekced"]).code, Some(3));
    host.stage.install("checked", &checked("fail smoke"));
    assert_eq!(host.ran(&["reload", "-q"]).code, Some(1));
    let json = "Content-Type: application/json";
    let (code, _) = host.curl(&["--header", json, "--data", "{", "/v1/reload"]);
    assert_eq!(code, "400");
    use AuditResult::{Begun, Invalid, Refused};
    let expected = [
        ("drain chekced", Begun),
        ("drain chekced", Invalid),
        ("reload", Begun),
        ("reload", Refused),
        ("reload", Invalid),
    ];
    let expected = expected.map(|(what, result)| (what.to_owned(), result));
    assert_eq!(told(&history), expected);
    let records = history.audit(4).unwrap();
    assert!(records[0].outcome.contains("the body"), "{:?}", records[0]);
    assert!(records[1].outcome.contains("smoke"), "{:?}", records[1]);
    assert!(records[3].outcome.contains("did you mean checked?"));
    host.close();
}

#[test]
fn the_result_is_recorded_although_the_client_has_gone() {
    let (host, history, _dir) = with_history();
    let mut events = host.client().events(None).unwrap();
    host.stage.install("checked", &checked("hang smoke"));
    let body = r#"{"options": {"smoke_limit": 0.2}, "deployment": "n-1"}"#;
    let mut gone = UnixStream::connect(host.socket()).unwrap();
    let head = format!(
        "POST /v1/reload HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    gone.write_all(head.as_bytes()).unwrap();
    gone.write_all(body.as_bytes()).unwrap();
    until(&mut events, "validate");
    drop(gone);
    until_true("the result", || {
        let last = history.audit(1).unwrap().into_iter().next();
        last.is_some_and(|it| it.result == AuditResult::Refused)
    });
    let last = &history.audit(1).unwrap()[0];
    assert_eq!(
        (last.begun, last.deployment.as_deref()),
        (Some(1), Some("n-1"))
    );
    // The test hangs for ever, so its build does not leave.
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let (host, _history, dir) = with_history();
    host.stage.install("checked", &checked("second"));
    let other = Connection::open(dir.path().join("history.sqlite")).unwrap();
    other
        .execute_batch("ALTER TABLE audit RENAME TO gone")
        .unwrap();
    let ran = host.ran(&["reload", "-q"]);
    assert_eq!(ran.code, Some(1));
    let text = "the request cannot be recorded, so nothing was done";
    assert!(ran.stdout.contains(text), "{ran:?}");
    assert_eq!(host.client().status().unwrap().generation, 1);
    other
        .execute_batch("ALTER TABLE gone RENAME TO audit")
        .unwrap();
    host.ok(&["reload", "-q"]);
    host.close();
}

/// Makes a state directory with six records, and changes its database.
fn changed(change: &str) -> (Arc<History>, TempDir) {
    let (host, history, dir) = with_history();
    host.ok(&[&["drain", "checked"][..], &WHY].concat());
    host.ok(&["resume", "checked"]);
    host.stage.install("checked", &checked("second"));
    host.ok(&["reload", "-q"]);
    host.close();
    drop(history);
    let file = dir.path().join("history.sqlite");
    Connection::open(&file)
        .unwrap()
        .execute_batch(change)
        .unwrap();
    (History::open(dir.path()).unwrap(), dir)
}

fn broken(history: &History) -> Option<AuditBreak> {
    history.verify_audit().unwrap().broken
}

#[test]
fn a_record_that_was_changed_removed_or_cut_off_is_found() {
    let (whole, _dir) = changed("");
    let check = whole.verify_audit().unwrap();
    assert_eq!((check.records, &check.broken), (6, &None));
    assert_eq!(check.hash, Some(whole.audit(1).unwrap()[0].hash.clone()));

    let replace = "UPDATE audit SET record = replace(record, 'drain', 'draim') WHERE id = 2";
    let changes = [
        (replace, AuditBreak::Changed { id: 2 }),
        (
            "UPDATE audit SET hash = upper(hash) WHERE id = 1",
            AuditBreak::Changed { id: 1 },
        ),
        (
            "UPDATE audit SET record = x'ff00' WHERE id = 3",
            AuditBreak::Changed { id: 3 },
        ),
        (
            "DELETE FROM audit WHERE id = 4",
            AuditBreak::Missing { id: 4 },
        ),
        (
            "DELETE FROM audit WHERE id < 3",
            AuditBreak::Missing { id: 1 },
        ),
        (
            "DELETE FROM audit WHERE id > 4",
            AuditBreak::Cut { id: 5, last: 6 },
        ),
        // Another number for a record does not make it the next one.
        (
            "DELETE FROM audit WHERE id = 5; UPDATE audit SET id = 5 WHERE id = 6",
            AuditBreak::Changed { id: 5 },
        ),
    ];
    for (change, expected) in changes {
        let (history, _dir) = changed(change);
        // A break stays where it is, whatever comes after it.
        assert_eq!(broken(&history).as_ref(), Some(&expected), "{change}");
        let entry = hotswap_operate::AuditEntry::new("test", "reload", AuditResult::Done);
        history.record(entry).unwrap();
        let broken = broken(&history).unwrap();
        assert_eq!(broken.id(), expected.id(), "{change}");
    }
}

#[test]
fn the_command_lists_and_verifies_with_and_without_a_host() {
    let (host, history, dir) = with_history();
    host.ok(&[&["drain", "checked"][..], &WHY].concat());
    let table = host.ok(&["audit"]).stdout;
    let mut lines = table.lines();
    let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        head,
        ["ID", "AGO", "WHO", "WHAT", "RESULT", "DEPLOYMENT", "WHY"]
    );
    let first = lines.next().unwrap();
    assert!(first.starts_with("2 ") && first.contains("  drain checked  done "));
    assert!(first.ends_with("n-1         the night shift"), "{first}");
    let (code, all) = host.json(&["audit", "--json", "-n", "1"]);
    assert_eq!((code, all.as_array().unwrap().len()), (Some(0), 1));
    let ran = host.ok(&["audit", "verify"]);
    let hash = all[0]["hash"].as_str().unwrap();
    let expected = format!("2 records as they were written; the last hash is {hash}\n");
    assert_eq!(ran.stdout, expected);
    host.close();
    drop(history);

    let state = dir.path().to_str().unwrap();
    let offline = |args: &[&str]| command(&[args, &["--state-dir", state]].concat());
    assert_eq!(offline(&["audit", "verify"]).stdout, expected);
    let unhold = offline(&[&["unhold"][..], &WHY].concat());
    assert_eq!(unhold.code, Some(0), "{unhold:?}");
    let all: Value = serde_json::from_str(&offline(&["audit", "--json"]).stdout).unwrap();
    assert_eq!(all[0]["what"], "unhold");
    assert_eq!(all[0]["deployment"], "n-1");
    assert!(
        all[0]["outcome"]
            .as_str()
            .unwrap()
            .starts_with("while the host was not running")
    );

    // Anybody can follow the chain with a hash of a text.
    assert_eq!(
        sha256(&[
            all[1]["hash"].as_str().unwrap(),
            all[0]["record"].as_str().unwrap()
        ]),
        all[0]["hash"]
    );

    let database = Connection::open(dir.path().join("history.sqlite")).unwrap();
    database
        .execute_batch("DELETE FROM audit WHERE id = 2")
        .unwrap();
    let broken = offline(&["audit", "verify"]);
    assert_eq!(broken.code, Some(1));
    assert!(broken.stderr.contains("record 2 is missing"), "{broken:?}");
    let broken = offline(&["audit", "verify", "--json"]);
    let told: Value = serde_json::from_str(&broken.stdout).unwrap();
    assert_eq!((broken.code, &told["broken"]["id"]), (Some(1), &2.into()));
    let nothing = command(&["audit", "verify", "--state-dir", "/nowhere"]);
    assert!(
        nothing.stderr.contains("there is no history"),
        "{nothing:?}"
    );
}

/// Returns the hash of some texts, one after the other, as `sha256sum` tells it.
fn sha256(texts: &[&str]) -> String {
    use std::process::{Command, Stdio};
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = sum.stdin.take().unwrap();
    input.write_all(texts.concat().as_bytes()).unwrap();
    drop(input);
    let output = sum.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

/// Reads an entry in the native protocol of the journal.
fn entry(socket: &UnixDatagram) -> BTreeMap<String, String> {
    let mut bytes = vec![0; 1 << 16];
    let length = socket.recv(&mut bytes).unwrap();
    let (mut rest, mut fields) = (&bytes[..length], BTreeMap::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        match line.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                fields.insert(text(&line[..at]), text(&line[at + 1..]));
                rest = after;
            }
            None => {
                let length = u64::from_le_bytes(after[..8].try_into().unwrap()) as usize;
                fields.insert(text(line), text(&after[8..8 + length]));
                rest = &after[8 + length + 1..];
            }
        }
    }
    fields
}

#[test]
fn each_record_is_copied_to_the_journal_of_the_system() {
    let (host, history, _dir) = with_history();
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("journald");
    let journald = UnixDatagram::bind(&path).unwrap();
    history.copy_audit(Journald::at(&path));
    let why = ["--reason", "two\nlines", "--deployment", "n-1"];
    host.ok(&[&["drain", "checked"][..], &why].concat());
    let (begun, done) = (entry(&journald), entry(&journald));
    for (fields, result) in [(&begun, "begun"), (&done, "done")] {
        assert_eq!(fields["SYSLOG_IDENTIFIER"], "hotswap");
        assert_eq!(fields["HOTSWAP_AUDIT_RESULT"], result);
        assert_eq!(fields["HOTSWAP_AUDIT_WHAT"], "drain checked");
        assert_eq!(fields["HOTSWAP_AUDIT_REASON"], "two\nlines");
        assert_eq!(fields["HOTSWAP_AUDIT_DEPLOYMENT"], "n-1");
        assert_eq!(fields["PRIORITY"], "5");
    }
    // The copy alone proves the order.
    let hash = sha256(&[&begun["HOTSWAP_AUDIT_HASH"], &done["HOTSWAP_AUDIT_RECORD"]]);
    assert_eq!(hash, done["HOTSWAP_AUDIT_HASH"]);
    assert_eq!(host.ran(&["drain", "nothing"]).code, Some(3));
    entry(&journald);
    assert_eq!(entry(&journald)["PRIORITY"], "4");

    // A journal that is gone holds up nobody.
    drop(journald);
    host.client().reload(&ReloadRequest::default()).unwrap();
    assert_eq!(told(&history).last().unwrap().1, AuditResult::Done);
    host.close();
}
