//! Tests the data that a registry shows about the published crates.
use crate::checkout;
use serde_json::Value;
use std::process::Command;

/// Returns the packages of `cargo metadata` that may be published.
fn packages() -> Vec<Value> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output).expect("Cargo prints JSON");
    let packages = metadata["packages"]
        .as_array()
        .expect("the metadata lists packages");
    let published = packages
        .iter()
        .filter(|package| package["publish"].is_null());
    published.cloned().collect()
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new("cargo")
        .args(args)
        .current_dir(checkout())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    String::from_utf8(output.stdout).expect("Cargo prints UTF-8")
}

#[test]
fn each_manifest_says_what_a_registry_shows() {
    let packages = packages();
    let names: Vec<_> = packages.iter().map(|package| &package["name"]).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    for package in packages {
        for key in [
            "description",
            "license",
            "readme",
            "repository",
            "rust_version",
        ] {
            assert!(package[key].is_string(), "{}: {key}", package["name"]);
        }
        for key in ["keywords", "categories"] {
            let words = package[key].as_array().map_or(0, Vec::len);
            assert!((1..=5).contains(&words), "{}: {key}", package["name"]);
        }
    }
}

#[test]
fn each_package_has_its_readme_and_its_licences() {
    for package in packages() {
        let name = package["name"].as_str().expect("a package has a name");
        let files = cargo(&[
            "package",
            "--list",
            "--allow-dirty",
            "--offline",
            "-p",
            name,
        ]);
        for file in ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
            assert!(files.lines().any(|line| line == file), "{name}: {file}");
        }
    }
}

/// What an operator needs is in crates of its own. A host that does not ask for it compiles these crates and no others,
/// itself included. Cargo lists some that only other systems need.
#[test]
fn a_host_compiles_no_more_crates_than_it_did() {
    let tree = cargo(&[
        "tree",
        "--package=hotswap-host",
        "--edges=normal",
        "--prefix=none",
        "--format={p}",
    ]);
    let crates = tree.lines().filter_map(|line| line.split(' ').next());
    let crates: std::collections::BTreeSet<_> = crates.filter(|name| !name.is_empty()).collect();
    for heavy in [
        "libsqlite3-sys",
        "metrics",
        "rusqlite",
        "tempfile",
        "tokio",
        "toml",
        "tracing-appender",
        "tracing-subscriber",
    ] {
        assert!(!crates.contains(heavy), "{heavy}");
    }
    assert!(crates.len() <= 70, "{} crates: {crates:?}", crates.len());
}
