//! Tests plugin crates on their own, and the contents of the libraries that are built from them.
use hotswap_tests::fixture::{self, SHIM};
use std::path::Path;
use std::process::Command;

/// Returns the symbols that the file defines: type and name.
fn defined(file: &Path, dynamic: bool) -> Vec<(char, String)> {
    let mut command = Command::new("nm");
    command
        .arg("--defined-only")
        .args(dynamic.then_some("--dynamic"))
        .arg(file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let kind = words.next()?.chars().next()?;
        Some((kind, words.next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[test]
fn a_plugin_has_the_shim_for_itself() {
    for name in ["probe", "alpha"] {
        let file = fixture::library(name);
        let (all, exported) = (defined(&file, false), defined(&file, true));
        for symbol in SHIM {
            let found: Vec<_> = all.iter().filter(|(_, name)| name == symbol).collect();
            assert!(
                matches!(found[..], [('t', _)]),
                "{symbol} in {name}: {found:?}"
            );
        }
        let names: Vec<_> = exported.iter().map(|(_, name)| name.as_str()).collect();
        let entries = ["HOTSWAP_METADATA", "hotswap_root_module"];
        assert!(
            entries.iter().all(|entry| names.contains(entry)),
            "{names:?}"
        );
        assert!(
            !names
                .iter()
                .any(|name| SHIM.contains(name) || name.starts_with("_R")),
            "{names:?}"
        );
    }
}

#[test]
fn a_host_that_links_a_plugin_crate_has_no_shim() {
    let file = fixture::executable("static-host", false);
    let defined = defined(&file, false);
    for (kind, name) in &defined {
        assert!(
            !SHIM.contains(&name.as_str()) && !name.starts_with("hotswap_"),
            "{kind} {name}"
        );
    }
    let output = fixture::program(&file).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "3 days 00\n");
    assert!(output.status.success());
}

/// A crate whose lints deny warnings, and whose types are private, builds without one.
#[test]
fn plugin_crates_are_checked_and_tested_with_nothing_loaded() {
    fixture::run(fixture::cargo(&[]).args(["test", "--quiet", "--package", "guest"]));
    let plugins = ["probe", "alpha", "beta", "guest"].map(|name| ["--package", name]);
    let mut clippy = fixture::cargo(&[]);
    clippy.args(["clippy", "--quiet", "--all-targets"]);
    fixture::run(clippy.args(plugins.as_flattened()));
}
