//! The help texts, as people see them.

use crate::fixture::Fixture;

#[test]
fn help() {
    let fixture = Fixture::new();
    for command in [
        "",
        "build",
        "run",
        "reload",
        "patch",
        "patches",
        "trace",
        "deploy",
        "top",
        "health",
        "status",
        "check",
        "drain",
        "resume",
        "freeze",
        "unfreeze",
        "log",
        "logs",
        "history",
        "audit",
        "token",
        "rollback",
        "confirm",
        "unhold",
        "store",
        "inspect",
        "seal",
        "keygen",
        "sign",
        "manifest",
        "verify",
        "graph",
        "new",
        "completions",
        "man",
    ] {
        let args: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|arg| !arg.is_empty())
            .collect();
        let ran = fixture.ok(&args);
        insta::assert_snapshot!(format!("help-{command}"), ran.stdout);
    }
}

#[test]
fn the_word_that_cargo_inserts_may_be_there_or_not() {
    let fixture = Fixture::new();
    let with = fixture.ok(&["hotswap", "build", "--help"]).stdout;
    assert_eq!(with, fixture.ok(&["build", "--help"]).stdout);
    assert!(
        fixture
            .ok(&["--version"])
            .stdout
            .starts_with("cargo-hotswap ")
    );
}

#[test]
fn a_command_line_without_sense_is_a_usage_error() {
    let fixture = Fixture::new();
    for args in [
        &["biuld"][..],
        &[],
        &["build", "--release", "--profile", "x"],
        &["new", "x"],
        &["build", "-q", "-v"],
    ] {
        assert_eq!(fixture.run(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn options_for_a_host_that_is_started_and_for_one_that_runs_exclude_each_other() {
    let fixture = Fixture::new();
    for args in [
        &["--bin", "app"][..],
        &["--no-watch"],
        &["--static"],
        &["--start-limit", "3"],
        &["--", "one"],
    ] {
        let ran = fixture.run(&[&["run", "app", "--attach"], args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}");
        let text = "'--attach' cannot be used with";
        assert!(ran.stderr.contains(text), "{args:?}: {}", ran.stderr);
    }
    for args in [
        &["--host", "app"][..],
        &["--cert", "own.pem", "--key", "own.key"],
        &["--reason", "why"],
        &["--deployment", "r7"],
    ] {
        let ran = fixture.run(&[&["run", "app"], args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}");
        let text = "required arguments were not provided:\n  --attach";
        assert!(ran.stderr.contains(text), "{args:?}: {}", ran.stderr);
    }
}
