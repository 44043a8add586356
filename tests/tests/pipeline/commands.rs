//! The commands for the state directory of a host that is not running.
use crate::support::{checked, host, orders, window};
use hotswap_host::ReloadOptions;
use hotswap_operate::History;
use hotswap_tests::{Stage, fixture};
use std::path::Path;

/// Runs the command, and returns its exit code and its output without times.
fn hotswap(args: &[&str], state: &Path) -> (i32, String) {
    let mut command = fixture::hotswap();
    command.args(args).arg("--state-dir").arg(state);
    let output = command.env("CARGO_TERM_COLOR", "never").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    let lines = text.lines().map(|line| {
        let words = line.split("  ").map(str::trim);
        let words = words.filter(|words| !words.is_empty() && !words.ends_with(" ago"));
        words.collect::<Vec<_>>().join(" ").trim().to_owned()
    });
    (
        output.status.code().unwrap(),
        lines.collect::<Vec<_>>().join("\n"),
    )
}

fn open(state: &Path, build: &[u8], options: ReloadOptions) -> Stage {
    let history = History::open(state).unwrap();
    host(build, |builder| {
        builder.journal(history).reload_options(options)
    })
}

fn short(orders: &str) -> String {
    fixture::build_id(&checked(orders)).short()
}

#[test]
fn an_operator_goes_back_while_the_host_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    let stage = open(state, &checked("first"), ReloadOptions::development());
    stage.swap("checked", &checked("second"));
    stage.close();
    let [first, second] = ["first", "second"].map(short);
    let listed = format!("now checked {second}\n-1 checked {first}");
    let (code, text) = hotswap(&["store", "list"], state);
    assert_eq!((code, text), (0, listed));
    let (code, text) = hotswap(&["rollback"], state);
    assert_eq!(
        (code, text),
        (0, format!("the next start is on checked {first}"))
    );
    // The plugin directory has the second build, which was tried before.
    let stage = open(state, &checked("second"), ReloadOptions::development());
    assert_eq!(orders(&stage), "first");
    stage.close();
    let (code, text) = hotswap(&["rollback"], state);
    assert_eq!(code, 1);
    assert!(
        text.contains("there is no set of builds 1 steps back: 0 are known in that direction"),
        "{text}"
    );
    let (code, text) = hotswap(
        &["rollback", "--plugin", "checked", "--build", &second],
        state,
    );
    assert_eq!(
        (code, text),
        (0, format!("the next start is on checked {second}"))
    );
    let (code, text) = hotswap(&["history", "--summary", "24"], state);
    assert_eq!(code, 0);
    assert!(
        text.starts_with("3 attempts in 24 h: 3 permanent, 0 refused, 0 reverted; mean "),
        "{text}"
    );
    let (code, text) = hotswap(&["history", "--steps"], state);
    assert_eq!(code, 0);
    let steps: Vec<_> = text
        .lines()
        .filter(|line| line.contains("in all"))
        .collect();
    assert!(steps.len() >= 3, "{text}");
    for step in ["validate ", ", smoke ", ", stage ", ", switch ", ", start "] {
        assert!(
            steps.iter().any(|line| line.contains(step)),
            "{step}: {text}"
        );
    }
    let (code, text) = hotswap(&["history", "-n", "1", "--json"], state);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json[0]["result"], "set_back");
}

#[test]
fn held_builds_are_shown_and_released() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    let stage = open(state, &checked("first"), window());
    stage.swap("checked", &checked("second"));
    stage.swapper.rollback().unwrap();
    stage.close();
    let (_, text) = hotswap(&["store", "list"], state);
    let held = format!("held checked {}: it was asked for", short("second"));
    assert!(text.lines().any(|line| line == held), "{text}");
    let (_, text) = hotswap(&["history"], state);
    assert!(text.contains(": it was asked for"), "{text}");
    assert_eq!(
        hotswap(&["unhold", "ffffffffff"], state).1,
        "0 sets of builds allowed again"
    );
    assert_eq!(
        hotswap(&["unhold", &short("second")], state).1,
        "1 set of builds allowed again"
    );
    let (code, text) = hotswap(&["confirm"], state);
    assert_eq!(code, 1);
    assert!(text.contains("there is nothing to confirm"), "{text}");
}

#[test]
fn builds_are_checked_and_copied_out() {
    let dir = tempfile::tempdir().unwrap();
    let state = &dir.path().join("state");
    open(state, &checked("first"), ReloadOptions::development()).close();
    let (code, text) = hotswap(&["store", "verify"], state);
    assert_eq!((code, &*text), (0, "1 build is whole"));
    let copy = dir.path().join("copy.so");
    let (code, _) = hotswap(
        &["store", "export", &short("first"), copy.to_str().unwrap()],
        state,
    );
    assert_eq!(code, 0);
    assert_eq!(std::fs::read(&copy).unwrap(), checked("first"));
    let (code, text) = hotswap(
        &["store", "export", &short("first"), copy.to_str().unwrap()],
        state,
    );
    assert_eq!(code, 1, "an existing file is not overwritten");
    assert!(text.contains("cannot write"), "{text}");
    let build = fixture::build_id(&checked("first")).to_string();
    std::fs::write(state.join("builds").join(&build), "nothing").unwrap();
    let (code, text) = hotswap(&["store", "verify"], state);
    assert_eq!(code, 1);
    assert!(text.contains(&format!("{build} damaged")), "{text}");
}

#[test]
fn a_directory_without_a_history_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (code, text) = hotswap(&["history"], dir.path());
    assert_eq!(code, 1);
    assert!(text.contains("there is no history in"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_host_that_runs_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let stage = open(dir.path(), &checked("first"), ReloadOptions::development());
    let (code, text) = hotswap(&["rollback"], dir.path());
    assert_eq!(code, 1);
    assert!(
        text.contains(&format!("is used by the process {}", std::process::id())),
        "{text}"
    );
    stage.close();
}
