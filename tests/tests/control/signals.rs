//! Reloads by signal are requests, too.
use crate::support::{Controlled, checked};
use hotswap_host::signal;
use hotswap_operate::{AuditResult, EntryResult, History};
use hotswap_tests::until;
use std::process::Command;

/// Sends a signal from another process, whose id it returns.
fn send(signal: i32) -> String {
    let script = format!("echo $$; kill -{signal} {}", std::process::id());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn they_are_recorded_with_their_sender_and_obey_the_same_rules() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder);
    let signal = libc::SIGRTMIN() + 5;
    let listener = signal::reload_on(signal, &host.stage.swapper).unwrap();
    // SAFETY: this function has no preconditions.
    let user = unsafe { libc::getuid() };
    let what = format!("reload by signal {signal}");
    let mut records = 0;
    let mut check = |result, outcome: &str| {
        let sender = send(signal);
        records += 1;
        until("the record of the signal", || {
            let of_signals = history.audit(100).unwrap().into_iter();
            of_signals.filter(|it| it.what == what).count() == records
        });
        let record = &history.audit(1).unwrap()[0];
        let who = format!("process {sender} of user {user}");
        assert_eq!((&*record.who, record.result), (&*who, result), "{record}");
        assert!(record.outcome.contains(outcome), "{record}");
        let entry = &history.entries(1).unwrap()[0];
        assert_eq!(entry.cause, format!("signal {signal} of {who}"));
        entry.result
    };
    host.stage.install("checked", &checked("second"));
    let found = check(AuditResult::Done, "checked: reloaded");
    assert_eq!(found, EntryResult::Permanent);
    host.ok(&["freeze", "--reason", "the holidays"]);
    let found = check(AuditResult::Refused, "this host is frozen");
    assert_eq!(found, EntryResult::Refused);
    host.ok(&["unfreeze"]);
    host.stage.install("checked", &checked("fail smoke"));
    check(AuditResult::Refused, "smoke");
    // Whoever queues a signal writes into it who has sent it, so that counts for nothing.
    let value = libc::sigval {
        sival_ptr: std::ptr::null_mut(),
    };
    let this = i32::try_from(std::process::id()).unwrap();
    // SAFETY: this process has a handler for the signal, which does not use the value.
    assert_eq!(unsafe { libc::sigqueue(this, signal, value) }, 0);
    until("the record of the queued signal", || {
        history.audit(1).unwrap()[0].who == "an unknown process"
    });
    assert_eq!(history.verify_audit().unwrap().broken, None);
    drop(listener);
    host.close();
}

#[test]
fn where_signals_are_off_each_one_is_refused_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder.signals(false));
    let signal = libc::SIGRTMIN() + 6;
    let listener = signal::reload_on(signal, &host.stage.swapper).unwrap();
    host.stage.install("checked", &checked("second"));
    let sender = send(signal);
    until("the record of the signal", || {
        !history.audit(1).unwrap().is_empty()
    });
    let record = &history.audit(1).unwrap()[0];
    assert!(
        record.who.starts_with(&format!("process {sender} of ")),
        "{record}"
    );
    assert_eq!(record.result, AuditResult::Refused);
    assert_eq!(host.client().status().unwrap().generation, 1);
    assert_eq!(host.ok(&["reload", "-q"]).stdout, "checked: reloaded\n");
    drop(listener);
    host.close();
}
