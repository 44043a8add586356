//! The host gets from `cargo hotswap run` what it gets from `cargo run`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::fixture::{Fixture, Ran};

/// Says all that its environment has, and where it is.
const HOST: &str = r#"
fn main() {
    let mut all: Vec<_> = std::env::vars().collect();
    all.sort();
    for (name, value) in all {
        println!("{name}={value}");
    }
    let here = std::env::current_dir().unwrap();
    println!("in {} with {:?}", here.display(), std::env::args().skip(1).collect::<Vec<_>>());
}
"#;

/// With a build script that has the program look for libraries, a runner, and variables.
fn host() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("app/src/main.rs", HOST);
    fixture.edit(
        "app/Cargo.toml",
        "version = \"0.1.0\"",
        "version = \"1.2.3-pre\"\nauthors = [\"A\", \"B\"]\ndescription = \"A host\"\nrepository = \"https://example.org\"",
    );
    fixture.write(
        "app/build.rs",
        r#"fn main() {
            let out = std::env::var("OUT_DIR").unwrap();
            println!("cargo::rustc-link-search=native={out}");
            println!("cargo::rustc-env=OF_BUILD_SCRIPT=yes");
        }"#,
    );
    fixture.write("runner", "#!/bin/sh\nBY_RUNNER=$0 exec \"$@\"\n");
    let runner = fixture.root.join("runner");
    std::fs::set_permissions(&runner, Permissions::from_mode(0o755)).expect("it is ours");
    fixture.write(
        ".cargo/config.toml",
        "[target.'cfg(unix)']\nrunner = [\"./runner\"]\n[env]\nOF_CONFIG = \"yes\"\n\
         PLACE = { value = \"place\", relative = true }\nSET = \"no\"\nFORCED = { value = \"yes\", force = true }\n",
    );
    fixture
}

/// What the host says, without what only one of the two commands has a reason to set.
fn said(fixture: &Fixture, mut command: Command) -> Vec<String> {
    let output = command
        .env("SET", "yes")
        .env("FORCED", "no")
        .env_remove("HOTSWAP_PLUGIN_DIR")
        .output();
    let ran = Ran::new(fixture, output.expect("the command can be started"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = ran
        .stdout
        .lines()
        .filter(|line| !line.starts_with("HOTSWAP_") && !line.starts_with("CARGO_TERM_COLOR="));
    lines.map(str::to_owned).collect()
}

fn cargo(fixture: &Fixture, directory: &str, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(fixture.root.join(directory));
    // As Cargo would be started by the user.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_BIN_") {
            command.env_remove(&name);
        }
    }
    for name in [
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
    ] {
        command.env_remove(name);
    }
    command
}

#[test]
fn the_environment_the_runner_and_the_search_paths() {
    let fixture = host();
    for directory in ["", "app", "app/src"] {
        let by_cargo = said(
            &fixture,
            cargo(
                &fixture,
                directory,
                &["run", "-q", "-p", "app", "--", "one"],
            ),
        );
        let path = fixture.root.join("app");
        let path = path.to_str().expect("it is text");
        let args = ["run", "-q", "--no-watch", path, "--", "one"];
        let by_hotswap = said(&fixture, fixture.command(directory, &args));
        assert_eq!(by_hotswap, by_cargo, "in {directory:?}");
        for text in [
            "BY_RUNNER=",
            "OF_CONFIG=yes",
            "FORCED=yes",
            "SET=yes",
            "OF_BUILD_SCRIPT=yes",
        ] {
            assert!(
                by_cargo.iter().any(|line| line.starts_with(text)),
                "{text}: {by_cargo:#?}"
            );
        }
    }
}

/// Elsewhere `cargo run` knows nothing of the workspace's configuration; the host is built with it, and so run with it.
#[test]
fn the_configuration_of_the_host_counts_when_it_is_started_from_outside() {
    let fixture = host();
    let outside = fixture.root.with_file_name("outside");
    std::fs::create_dir(&outside).expect("it can be made");
    let path = fixture.root.join("app");
    let mut command = fixture.command("", &["run", "-q", "--no-watch"]);
    command.arg(path).current_dir(&outside);
    let lines = said(&fixture, command);
    for text in ["BY_RUNNER=", "OF_CONFIG=yes", "PLACE=<root>/place"] {
        assert!(
            lines.iter().any(|line| line.starts_with(text)),
            "{text}: {lines:#?}"
        );
    }
    let last = lines.last().expect("it says where it is");
    assert!(
        last.starts_with(&format!("in {}", outside.display())),
        "{last}"
    );
}

/// What a plugin's build script makes is found when the plugin is loaded.
#[test]
fn the_search_paths_of_plugins_are_the_hosts_too() {
    let fixture = host();
    fixture.write(
        "app/moon/build.rs",
        r#"fn main() {
            println!("cargo::rustc-link-search=native={}/of_moon", std::env::var("OUT_DIR").unwrap());
        }"#,
    );
    let args = ["run", "-q", "--no-watch", "app"];
    let lines = said(&fixture, fixture.command("", &args));
    let paths = lines
        .iter()
        .find(|line| line.starts_with("LD_LIBRARY_PATH="));
    assert!(
        paths.is_some_and(|paths| paths.contains("/of_moon")),
        "{paths:?}"
    );
}
