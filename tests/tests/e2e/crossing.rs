//! Tests that host and plugin need neither the same compiler nor the same allocator.
use hotswap_tests::fixture::{self, Build, ordered};
use hotswap_tests::records;

/// A plugin directory with the probe in it, and another build of the probe beside it.
fn plugins(build: Build) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let probe = build.bytes("probe");
    fixture::install(&probe, "probe", dir.path());
    let next = dir.path().join("next");
    std::fs::write(&next, ordered(&probe, "another build")).unwrap();
    (dir, next)
}

#[test]
fn one_compiler() {
    records::keep();
    let (dir, next) = plugins(Build::First);
    script::run(dir.path(), &next);
}

#[test]
fn a_plugin_of_the_nightly_compiler_in_a_host_of_the_stable_one() {
    records::keep();
    let (dir, next) = plugins(Build::Nightly);
    script::run(dir.path(), &next);
}

/// Without a shutdown, the destructors of the main thread still run, and the next host removes the files that the first
/// one has left behind.
#[test]
fn a_host_that_ends_with_a_plugin_loaded() {
    let host = fixture::executable("script", true);
    let (dir, _) = plugins(Build::Nightly);
    let runtime = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = fixture::program(&host);
        command
            .arg(dir.path())
            .env("HOTSWAP_RUNTIME_DIR", runtime.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        let told: Vec<_> = told.lines().collect();
        assert_eq!(
            told,
            ["new", "on_load", "on_init", "on_start", "the last dropped"]
        );
        assert_eq!(std::fs::read_dir(runtime.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_plugin_of_the_stable_compiler_in_a_host_of_the_nightly_one() {
    let host = fixture::executable("script", true);
    for build in [Build::First, Build::Nightly] {
        let (dir, next) = plugins(build);
        let runtime = tempfile::tempdir().unwrap();
        let mut command = fixture::program(&host);
        command
            .arg(dir.path())
            .arg(&next)
            .env("HOTSWAP_RUNTIME_DIR", runtime.path());
        let output = command.output().unwrap();
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
        assert!(
            out.starts_with("done by rustc ") && out.contains("nightly"),
            "{out}"
        );
        assert_eq!(std::fs::read_dir(runtime.path()).unwrap().count(), 0);
    }
}
