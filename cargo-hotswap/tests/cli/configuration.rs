//! Cargo's configuration, wherever it stands and from wherever the command is started.

use std::fs;

use crate::fixture::Fixture;

/// Builds the plugin `moon` from each of these directories, with the path of the host as it is seen from there.
fn from_everywhere(fixture: &Fixture, variable: Option<(&str, &str)>) -> Vec<String> {
    let starts = [
        ("", "app"),
        ("app", "."),
        ("app/src", ".."),
        ("util", "../app"),
    ];
    let built = starts.map(|(directory, host)| {
        let mut command = fixture.command(directory, &["build", "-q", host, "-p", "moon"]);
        command.envs(variable);
        let output = command.output().expect("the command can be started");
        let ran = crate::fixture::Ran::new(fixture, output);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout.trim_end().to_owned()
    });
    built.to_vec()
}

#[test]
fn the_configuration_of_the_host_counts_wherever_the_command_is_started() {
    let fixture = Fixture::new();
    fixture.write(
        "app/.cargo/config.toml",
        "[build]\ntarget-dir = \"own\"\nrustflags = [\"--cfg\", \"of_app\"]\n",
    );
    fixture.edit(
        "app/moon/src/lib.rs",
        "pub struct",
        "#[cfg(not(of_app))]\ncompile_error!(\"another configuration\");\npub struct",
    );
    let expected = "<root>/app/own/hotswap/debug/app/libmoon.so";
    assert_eq!(from_everywhere(&fixture, None), [expected; 4]);
    assert!(!fixture.root.join("target").exists());
    // From the root, where the host is found by itself.
    let ran = fixture.ok(&["build", "-q", "-p", "app"]);
    assert_eq!(ran.lines()[1], expected);
}

#[test]
fn a_relative_target_directory_is_one_directory() {
    let fixture = Fixture::new();
    for variable in ["CARGO_BUILD_TARGET_DIR", "CARGO_TARGET_DIR"] {
        let built = from_everywhere(&fixture, Some((variable, "out")));
        assert_eq!(built, ["<root>/out/hotswap/debug/app/libmoon.so"; 4]);
        assert!(!fixture.root.join("app/out").exists() && !fixture.root.join("target").exists());
        fs::remove_dir_all(fixture.root.join("out")).expect("it is there");
    }
}

#[test]
fn the_configuration_of_a_plugin_alone_is_warned_of() {
    let fixture = Fixture::new();
    fixture.write(
        "app/moon/.cargo/config.toml",
        "[build]\ntarget-dir = \"own\"\n",
    );
    let ran = fixture.ok(&["build", "-q", "app"]);
    insta::assert_snapshot!(ran.stderr, @"warning: `<root>/app/moon/.cargo/config.toml` does not apply to `moon`, since all plugins of a host are built with one configuration, that of `<root>`; move the settings there");
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}

/// What would abort in another source, for another target or another profile, aborts nothing.
#[test]
fn flags_that_rustc_does_not_get_refuse_nothing() {
    let fixture = Fixture::new();
    let aborts = "rustflags = [\"-C\", \"panic=abort\"]\n";
    fixture.write(
        ".cargo/config.toml",
        &format!("[target.'cfg(windows)']\n{aborts}[host]\n{aborts}"),
    );
    fixture.ok(&["build", "-q", "app"]);
    // Of four sources Cargo takes one: the target's rather than the build's, the variable's rather than both.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    fixture.write(
        ".cargo/config.toml",
        &format!("[build]\n{aborts}[target.{triple}]\nrustflags = []\n"),
    );
    let ran = fixture.run_with("", &["build", "-q", "app"], "RUSTFLAGS", "--cfg x");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = fixture.run_with(
        "",
        &["build", "-q", "app"],
        "CARGO_PROFILE_DEV_PANIC",
        "unwind",
    );
    let aborts = ran.stderr.contains("`-C panic=abort` in build.rustflags");
    assert!(ran.code == Some(0) || aborts, "{}", ran.stderr);
    // A profile of the configuration is stronger than that of the manifest.
    let manifest = fixture.read("Cargo.toml");
    fixture.write(
        "Cargo.toml",
        &format!("{manifest}\n[profile.dev]\npanic = \"abort\"\n"),
    );
    fixture.write(".cargo/config.toml", "[profile.dev]\npanic = \"unwind\"\n");
    fixture.ok(&["build", "-q", "app"]);
    // And the variable is stronger than the configuration.
    fixture.write(".cargo/config.toml", "[profile.dev]\npanic = \"abort\"\n");
    let ran = fixture.run_with(
        "",
        &["build", "-q", "app"],
        "CARGO_PROFILE_DEV_PANIC",
        "unwind",
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

/// The conditional table applies, and so does the file that is included by another name.
#[test]
fn flags_that_rustc_gets_are_refused_wherever_they_stand() {
    let fixture = Fixture::new();
    fixture.write(
        ".cargo/config.toml",
        "[target.'cfg(unix)']\nrustflags = [\"-C\", \"panic=abort\"]\n",
    );
    let ran = fixture.run(&["build", "-q", "app"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: `-C panic=abort` in target.cfg(unix).rustflags in `<root>/.cargo/config.toml` makes a panic in a plugin end the whole program; remove it");
    fixture.write(".cargo/config.toml", "");
    for (name, said) in [
        (
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS of the environment",
        ),
        (
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS of the environment",
        ),
    ] {
        let ran = fixture.run_with("", &["build", "-q", "app"], name, "-Cpanic=abort");
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(fixture.installed(), [""; 0]);
}

/// The target of a configuration is as good as one that is given.
#[test]
fn a_target_of_the_configuration_is_built_for() {
    let fixture = Fixture::new();
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    fixture.write(
        ".cargo/config.toml",
        &format!("[build]\ntarget = \"{triple}\"\n"),
    );
    fixture.ok(&["build", "-q", "app"]);
    assert!(fixture.root.join("target").join(triple).is_dir());
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}

/// Intermediate files elsewhere, and dep-info with relative names.
#[test]
fn where_cargo_keeps_its_files_changes_nothing() {
    let fixture = Fixture::new();
    fixture.write(".cargo/config.toml", "[build]\ndep-info-basedir = \".\"\n");
    let build = |args: &[&str]| {
        let args = [&["build", "app"], args].concat();
        let ran = fixture.run_with("", &args, "CARGO_BUILD_BUILD_DIR", "apart");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stderr
    };
    build(&[]);
    assert_eq!(build(&[]), "   Unchanged world\n   Unchanged moon\n");
    let before = fixture.artifact("world").build_id;
    fixture.edit("app/world/src/lib.rs", "40 +", "41 +");
    build(&[]);
    assert_ne!(fixture.artifact("world").build_id, before);
    let ran = fixture.run_with(
        "util",
        &["run", "-q", "--no-watch", "../app"],
        "CARGO_BUILD_BUILD_DIR",
        "apart",
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!fixture.root.join("util/apart").exists());
}
