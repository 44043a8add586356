//! The commands that change a running host, through its endpoint.
use crate::stream::until;
use crate::support::{Controlled, checked};
use hotswap_control::api::EventKind;
use hotswap_host::ReloadOptions;
use hotswap_operate::{EntryResult, History};
use hotswap_tests::fixture;
use serde_json::Value;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Options with a rollback window that is open until a request closes it.
fn window() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options
}

fn with_history() -> (Controlled, Arc<History>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host =
        Controlled::with_history(history.clone(), |builder| builder.reload_options(window()));
    (host, history, dir)
}

#[test]
fn a_reload_shows_its_steps_and_its_report() {
    let host = Controlled::new();
    host.stage.install("checked", &checked("second"));
    let ran = host.ok(&["reload", "checked", "--reason", "r7", "--smoke=false"]);
    assert_eq!(ran.stdout, "checked: reloaded\n");
    for step in ["Validate", "Stage", "Switch"] {
        assert!(ran.stderr.contains(&format!("{step} ")), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("Smoke"), "{}", ran.stderr);
    let last = host.client().status().unwrap().last_attempt.unwrap();
    assert!(last.cause.ends_with(": r7"), "{}", last.cause);

    let (code, told) = host.json(&["reload", "--json", "-q"]);
    assert_eq!(
        (code, told["result"].as_str()),
        (Some(0), Some("unchanged"))
    );
    assert_eq!(told["pid"], std::process::id());
    assert_eq!(told["through"], "endpoint");
    assert_eq!(told["report"]["text"], "checked: unchanged");
    host.close();
}

#[test]
fn a_refusal_names_the_reason_and_changes_nothing() {
    let host = Controlled::new();
    host.stage.install("checked", &checked("fail smoke"));
    let ran = host.ran(&["reload"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("smoke"), "{}", ran.stdout);
    assert!(ran.stderr.contains("failed"), "{}", ran.stderr);
    let (code, told) = host.json(&["reload", "--json", "-q"]);
    assert_eq!((code, told["result"].as_str()), (Some(1), Some("refused")));
    assert_eq!(host.client().status().unwrap().generation, 1);
    host.close();
}

#[test]
fn what_is_unknown_has_a_code_of_its_own() {
    let host = Controlled::new();
    let ran = host.ran(&["reload", "chekced"]);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.contains("did you mean checked?"),
        "{}",
        ran.stderr
    );
    let ran = host.ran(&["reload", "--porbe"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--probe"), "{}", ran.stderr);
    for args in [
        &["reload", "--drain-limit", "soon"][..],
        &["reload", "--deployment", "no spaces"],
        &["reload", "--release"],
        &["drain", "checked", "--deployment", ""],
    ] {
        assert_eq!(host.ran(args).code, Some(2), "{args:?}");
    }
    assert_eq!(host.ran(&["drain", "chekced"]).code, Some(3));
    assert_eq!(host.stage.swapper.reloads(), 0);
    let nobody = fixture::hotswap()
        .args(["reload", "--host", "/nowhere/control.sock"])
        .output();
    assert_eq!(nobody.unwrap().status.code(), Some(5));
    host.close();
}

#[test]
fn a_dry_run_has_a_verdict_and_changes_nothing() {
    let host = Controlled::new();
    host.stage.install("checked", &checked("second"));
    let ran = host.ok(&["reload", "--dry-run"]);
    assert!(ran.stdout.starts_with("compatible\n"), "{}", ran.stdout);
    let (code, told) = host.json(&["reload", "--dry-run", "--json"]);
    assert_eq!((code, told["result"].as_str()), (Some(0), Some("checked")));
    assert_eq!(told["verdict"]["compatibility"], "compatible");
    assert_eq!(host.client().status().unwrap().generation, 1);
    host.close();
}

#[test]
fn it_waits_for_the_verdict_of_the_rollback_window() {
    let (host, history, _dir) = with_history();
    host.stage.install("checked", &checked("second"));
    // A short window closes by itself.
    let short = [
        "reload",
        "--healthy-deadline",
        "60",
        "--min-healthy-time=0.01",
        "--interval=0.01",
    ];
    let ran = host.ok(&short);
    assert_eq!(ran.stdout, "checked: reloaded\npermanent\n");

    // An operator decides about one that is open.
    let decided = |build: &str, decision: &[&str]| {
        host.stage.install("checked", &checked(build));
        let mut events = host.client().events(None).unwrap();
        let mut waits = host.command(&["reload", "--json", "-q"]);
        let waits = waits.stdout(Stdio::piped()).stderr(Stdio::piped());
        let waits = waits.spawn().unwrap();
        until(&mut events, "completed");
        host.ok(decision);
        let output = waits.wait_with_output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        (
            output.status.code(),
            told["result"].as_str().unwrap().to_owned(),
        )
    };
    let why = ["--reason", "it is slow", "--deployment", "ci/7"];
    let rollback = [&["rollback"][..], &why].concat();
    let (code, result) = decided("third", &rollback);
    assert_eq!((code, &*result), (Some(4), "reverted"));
    let confirm = [&["confirm"][..], &why].concat();
    let (code, result) = decided("fourth", &confirm);
    assert_eq!((code, &*result), (Some(0), "permanent"));

    let told: Vec<_> = history.entries(20).unwrap();
    let confirmed = told.iter().find(|it| it.result == EntryResult::Confirmed);
    let by = confirmed.unwrap().cause.as_str();
    assert!(by.starts_with("a request by process "), "{by}");
    assert!(by.ends_with(" (deployment ci/7): it is slow"), "{by}");
    let reverts = told.iter().filter(|it| it.cause.starts_with("revert"));
    let reverts: Vec<_> = reverts.map(|it| it.cause.as_str()).collect();
    assert_eq!(reverts.len(), 1, "{reverts:?}");
    assert!(
        reverts[0].ends_with("(deployment ci/7): it is slow"),
        "{reverts:?}"
    );

    let (code, told) = host.json(&["reload", "--json", "-q"]);
    assert_eq!(
        (code, told["result"].as_str()),
        (Some(0), Some("unchanged"))
    );
    host.stage.install("checked", &checked("fifth"));
    let (code, told) = host.json(&["reload", "--json", "-q", "--no-wait"]);
    assert_eq!(
        (code, told["result"].as_str()),
        (Some(0), Some("provisional"))
    );
    host.close();
}

#[test]
fn who_takes_a_plugin_out_of_service_and_puts_it_back_is_recorded() {
    let (host, history, _dir) = with_history();
    let mut events = host.client().events(None).unwrap();
    host.ok(&[
        "drain",
        "checked",
        "--reason",
        "a look",
        "--deployment",
        "d1",
    ]);
    host.ok(&[
        "resume",
        "checked",
        "--reason",
        "seen",
        "--deployment",
        "d1",
    ]);
    // It is in service, so nothing changes.
    host.ok(&["resume", "checked"]);
    let mut next = || match events.next().unwrap().unwrap() {
        hotswap_control::Notice::Event(event) => *event,
        other => panic!("{other:?}"),
    };
    let (out, back) = (next(), next());
    assert!(
        matches!(&out.kind, EventKind::OutOfService { plugin, reason }
        if plugin == "checked" && reason.ends_with(": a look"))
    );
    assert!(matches!(&back.kind, EventKind::InService { plugin } if plugin == "checked"));

    let entries = history.entries(2).unwrap();
    let [back, out] = &*entries else {
        panic!("{entries:?}")
    };
    assert_eq!(
        (out.result, &*out.detail),
        (EntryResult::OutOfService, "checked")
    );
    assert_eq!(
        (back.result, &*back.detail),
        (EntryResult::InService, "checked")
    );
    assert!(
        out.cause.ends_with(" (deployment d1): a look"),
        "{}",
        out.cause
    );
    assert!(
        back.cause.ends_with(" (deployment d1): seen"),
        "{}",
        back.cause
    );
    let shown = host.ok(&["history", "-n", "1"]).stdout;
    assert!(
        shown
            .trim_end()
            .ends_with("(deployment d1): seen: in_service: checked"),
        "{shown}"
    );
    // These are no attempts.
    assert_eq!(
        history.summary(Duration::from_secs(3600)).unwrap().attempts,
        1
    );
    host.close();
}

#[test]
fn a_command_that_is_killed_does_not_end_its_reload() {
    let host = Controlled::new();
    let mut events = host.client().events(None).unwrap();
    host.stage.install("checked", &checked("hang smoke"));
    let mut command = host.command(&["reload", "--smoke-limit", "0.2"]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().unwrap();
    until(&mut events, "validate");
    command.kill().unwrap();
    command.wait().unwrap();
    until(&mut events, "refused");
    assert_eq!(host.client().status().unwrap().generation, 1);
    // The test hangs for ever, so its build does not leave.
}

#[test]
fn changes_of_a_host_that_is_down_are_recorded_too() {
    let (host, history, dir) = with_history();
    host.stage.install("checked", &checked("second"));
    host.ok(&["reload", "-q", "--no-wait"]);
    host.ok(&["confirm"]);
    host.close();
    drop(history);
    let state = dir.path().to_str().unwrap();
    let offline = |args: &[&str]| {
        let mut command = fixture::hotswap();
        let output = command.args(args).args(["--state-dir", state]).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    };
    let why = ["--reason", "the night shift", "--deployment", "n-1"];
    offline(&[&["rollback"][..], &why].concat());
    offline(&[&["unhold"][..], &why].concat());
    let json = offline(&["history", "--json", "-n", "2"]);
    let told: Value = serde_json::from_str(&json).unwrap();
    for (at, result) in ["allowed", "set_back"].into_iter().enumerate() {
        assert_eq!(told[at]["result"], result);
        let cause = told[at]["cause"].as_str().unwrap();
        assert!(
            cause.ends_with(" (deployment n-1): the night shift"),
            "{cause}"
        );
    }
}
