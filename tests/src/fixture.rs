//! The plugins in `tests/fixtures`, built as `cargo hotswap build` builds them.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the fixture `name` and returns its library.
///
/// # Panics
/// When it does not build.
pub fn library(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let target = fixtures.join("target");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib"])
        .args(["--package", name, "--target-dir"])
        .arg(&target)
        .args(["--", "--cfg", "hotswap_dylib"])
        .current_dir(&fixtures)
        .status();
    assert!(
        status.expect("cargo runs").success(),
        "the fixture {name} does not build"
    );
    let file = format!("lib{}.so", name.replace('-', "_"));
    target.join("debug").join(file)
}

/// Puts a library into a plugin directory in one step, as the host expects it.
///
/// # Panics
/// When the directory cannot be written.
pub fn install(library: &[u8], name: &str, dir: &Path) {
    let file = dir.join(format!("lib{}.so", name.replace('-', "_")));
    let temporary = file.with_extension("tmp");
    fs::write(&temporary, library).expect("the plugin directory can be written");
    fs::rename(&temporary, &file).expect("the library can be put in place");
}

/// Another build of the same code: the library with one text replaced by one of the same length.
///
/// # Panics
/// When the text is not there exactly once.
pub fn variant(library: &[u8], text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len());
    let found: Vec<usize> = library
        .windows(text.len())
        .enumerate()
        .filter_map(|(at, bytes)| (bytes == text.as_bytes()).then_some(at))
        .collect();
    let [at] = found[..] else {
        panic!("{text:?} is in the library {} times", found.len())
    };
    let mut variant = library.to_vec();
    variant[at..at + by.len()].copy_from_slice(by.as_bytes());
    variant
}
