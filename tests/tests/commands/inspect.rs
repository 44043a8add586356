//! Tests `inspect` and `build` on files that no host would load.
use crate::project::Project;
use hotswap_tests::fixture::Build;
use hotswap_tests::odd;
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::symlink;

/// Returns the error that the command prints for a file of the project.
fn inspected(project: &Project, file: &str) -> String {
    let ran = project.ran("", &["inspect", file]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    ran.stderr
}

#[test]
fn libraries_that_are_no_plugins() {
    let project = Project::new();
    let file = project.root.join("plain.so");
    odd::plain_library(&file);
    assert_snapshot!(inspected(&project, "plain.so"), @r#"
error: <root>/plain.so is a plain library without plugin metadata; put `#[plugin]` on the plugin's impl block and build it with `cargo hotswap build`, and keep its section `.hotswap`
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    odd::foreign_library(&file);
    let text = inspected(&project, "plain.so").replace(std::env::consts::ARCH, "<arch>");
    assert_snapshot!(text, @r#"
error: <root>/plain.so is built for s390x (Elf, 64-bit, big-endian), but this host is built for <arch> (Elf, 64-bit, little-endian); build it with this host's `--target`
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    symlink("nowhere.so", project.root.join("link.so")).unwrap();
    assert_snapshot!(inspected(&project, "link.so"), @"error: <root>/link.so is a link to nowhere.so, which does not exist; build that, or remove the link");
    let whole = Build::First.bytes("probe");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    insta::with_settings!({filters => vec![(r"\d{6,}", "<n>")]}, {
        assert_snapshot!(inspected(&project, "plain.so"), @r#"
error: <root>/plain.so is truncated: it has <n> bytes, but should have at least <n>; build it again
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    });
}

#[test]
fn plugins_that_no_host_of_today_loads() {
    let project = Project::new();
    let inspected = |build: Build| {
        fs::write(project.root.join("probe.so"), build.bytes("probe")).unwrap();
        inspected(&project, "probe.so")
    };
    assert_snapshot!(inspected(Build::OldContract), @r#"
error: probe: <root>/probe.so uses version 0 of the plugin contract, but this host requires version 6; update `hotswap-plugin` in the plugin's Cargo.toml to the version of the host's `hotswap-host` and build it again
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    assert_snapshot!(inspected(Build::Aborting), @r#"
error: probe: <root>/probe.so is built with panic = "abort" (profile debug), so a panic in it would end the host; write `panic = "unwind"` under `[profile.dev]` in the workspace's Cargo.toml
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
}

#[test]
fn a_plugin_that_has_an_old_contract_is_not_built() {
    let project = Project::new();
    let probe = odd::old_contract(&Build::OldContract.out());
    let build = ["build", "-q", "--out-dir", "out", "--manifest-path"];
    let output = project.hotswap("", &build).arg(probe).output().unwrap();
    let ran = project.redacted(&output);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert_snapshot!(ran.stderr, @r#"
error: the library of `probe` cannot be used as a plugin
  caused by: probe: <target>/debug/libprobe.so uses version 0 of the plugin contract, but this host requires version 6; update `hotswap-plugin` in the plugin's Cargo.toml to the version of the host's `hotswap-host` and build it again
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    assert!(!project.root.join("out/libprobe.so").exists());
}
