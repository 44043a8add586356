//! Types as random as they come, and a later version of each: compiled, and values of the one restored as the other.
//!
//! What has to come out is said in `expect.rs`, for each value: the value itself, with what the two versions have in common,
//! or the path to what does not fit. `HOTSWAP_TEST_CASES` says how many pairs of types there are, and `HOTSWAP_TEST_SEED`
//! which.
mod expect;
mod later;
mod source;
mod types;

use source::Program;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use types::Maker;

#[test]
fn values_come_back_or_are_refused_with_the_path() {
    let setting =
        |name, default| env::var(name).map_or(default, |value| value.parse().expect(name));
    let (seed, pairs) = (
        setting("HOTSWAP_TEST_SEED", 1),
        setting("HOTSWAP_TEST_CASES", 120),
    );
    println!("HOTSWAP_TEST_SEED={seed} HOTSWAP_TEST_CASES={pairs}");
    let mut maker = Maker::new(seed);
    let mut program = Program::default();
    for _ in 0..pairs {
        program.add(&mut maker);
    }
    println!(
        "{} values are restored, {} refused",
        program.restored, program.refused
    );
    let output = Command::new(compiled(&program.text()))
        .output()
        .expect("the program can run");
    let found = String::from_utf8_lossy(&output.stdout);
    let panics = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && found.is_empty(),
        "{found}{panics}"
    );
    if pairs >= 100 {
        assert!(
            program.restored > 50 && program.refused > 50,
            "one of both is hardly tested"
        );
    }
}

/// The program, compiled beside the tests.
fn compiled(text: &str) -> PathBuf {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live_data_pairs");
    let manifest = format!(
        "[package]\nname = \"pairs\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nhotswap-plugin.path = {plugin:?}\n\n[profile.dev]\ndebug = false\n"
    );
    fs::create_dir_all(folder.join("src")).expect("a directory can be made");
    for (file, text) in [("Cargo.toml", manifest.as_str()), ("src/main.rs", text)] {
        fs::write(folder.join(file), text).expect("a file can be written");
    }
    // The versions that the workspace is tested with.
    let lock = plugin.with_file_name("Cargo.lock");
    if lock.exists() {
        fs::copy(lock, folder.join("Cargo.lock")).expect("a file can be copied");
    }
    // The plugins of the other tests are built there, with the same settings, so the crate is compiled once for all.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(&folder)
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTFLAGS")
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{}",
        folder.join("src/main.rs").display()
    );
    target
        .join("debug")
        .join(format!("pairs{}", env::consts::EXE_SUFFIX))
}
