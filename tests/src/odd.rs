//! Libraries that no host loads, and sources of such libraries.
use crate::fixture::{c_compiler, run, workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a shared library that is not a plugin.
///
/// # Panics
/// Panics if the C compiler is missing.
pub fn plain_library(file: &Path) {
    let source = file.with_extension("c");
    fs::write(&source, "int answer(void) { return 42; }").expect("the source can be written");
    let mut compiler = c_compiler();
    compiler.args(["-shared", "-fPIC", "-o"]);
    run(compiler.args([file, &source]));
}

/// Makes a shared library for an IBM machine, with the linker that comes with rustc.
///
/// # Panics
/// Panics if that is missing.
pub fn foreign_library(file: &Path) {
    let rustc = |args: &[&str]| {
        let output = Command::new("rustc").args(args).output();
        let text = output.expect("rustc can be started").stdout;
        String::from_utf8(text).expect("rustc prints UTF-8")
    };
    let version = rustc(&["-vV"]);
    let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
    let linker = Path::new(rustc(&["--print", "sysroot"]).trim())
        .join("lib/rustlib")
        .join(triple.expect("rustc names its machine"))
        .join("bin/rust-lld");
    let data = file.with_extension("data");
    fs::write(&data, "data").expect("the source can be written");
    let mut link = Command::new(linker);
    link.args(["-flavor", "gnu", "-shared", "-m", "elf64_s390"]);
    link.args(["--format=binary", "-o"]);
    run(link.args([file, &data]));
}

/// Copies the probe and the crates of this project that it needs, with another version of the contract. Returns the
/// path of the `Cargo.toml`.
///
/// # Panics
/// Panics if they cannot be copied.
pub fn old_contract(out: &Path) -> PathBuf {
    let sources = workspace();
    let checkout = sources
        .ancestors()
        .nth(2)
        .expect("the fixtures are in the checkout");
    let copy = out.join("sources");
    for part in [
        "Cargo.toml",
        "hotswap-macros",
        "hotswap-plugin",
        "tests/fixtures/Cargo.toml",
        "tests/fixtures/Cargo.lock",
        "tests/fixtures/probe",
        "tests/fixtures/shapes",
    ] {
        copy_tree(&checkout.join(part), &copy.join(part));
    }
    let contract = copy.join("hotswap-plugin/src/contract/mod.rs");
    let source = fs::read_to_string(&contract).expect("the contract can be read");
    let version = format!("VERSION: u32 = {};", hotswap_plugin::contract::VERSION);
    assert!(source.contains(&version), "the contract has a version");
    let source = source.replace(&version, "VERSION: u32 = 0;");
    fs::write(contract, source).expect("the contract can be written");
    copy.join("tests/fixtures/probe/Cargo.toml")
}

/// Copies a file, or a directory with everything in it.
///
/// # Panics
/// Panics if it cannot be copied.
pub fn copy_tree(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("sources can be listed") {
            let name = entry.expect("sources can be listed").file_name();
            copy_tree(&from.join(&name), &to.join(&name));
        }
    } else {
        let directory = to.parent().expect("the target has a parent directory");
        fs::create_dir_all(directory).expect("the directory can be made");
        fs::copy(from, to).expect("sources can be copied");
    }
}
