//! Tests packages that have tests of their own: a plugin's crate builds, lints, and passes its tests without a warning,
//! both as an ordinary library and as a plugin.
use hotswap_tests::fixture::{cargo, run, target};
use std::fs::{File, create_dir_all};

#[test]
fn no_warning_in_a_plugins_crate() {
    create_dir_all(target()).unwrap();
    let lock = File::create(target().join("lock")).unwrap();
    lock.lock().unwrap();
    for args in [
        ["clippy", "--all-targets"].as_slice(),
        &["clippy", "--lib", "--", "--cfg", "hotswap_dylib"],
        &[
            "rustc",
            "--lib",
            "--crate-type",
            "cdylib",
            "--",
            "--cfg",
            "hotswap_dylib",
        ],
        &["test"],
        &["doc", "--no-deps"],
    ] {
        let (command, options) = args.split_first().unwrap();
        run(cargo(&[])
            .arg(command)
            .args(["--quiet", "--package", "tidy"])
            .args(options)
            .env("RUSTDOCFLAGS", "-Dwarnings"));
    }
}

/// The package sets features of `serde_json` that would change every other package of a build.
#[test]
fn json_in_live_data_comes_back_or_is_refused() {
    create_dir_all(target()).unwrap();
    let lock = File::create(target().join("lock")).unwrap();
    lock.lock().unwrap();
    run(cargo(&[]).args(["test", "--quiet", "--package", "json"]));
}
