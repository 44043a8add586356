//! One target directory, several workspaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::fixture::{Fixture, Ran};

/// A number that the code of a plugin of `fixture` has in it, and no other.
fn mark(fixture: &Fixture, crate_file: &str, text: &str) {
    let source = fixture.read(crate_file);
    let mark = format!(
        "#[used]\nstatic MARK: [u8; {}] = *b\"{text}\";\n",
        text.len()
    );
    fixture.write(crate_file, &format!("{source}{mark}"));
}

fn has(file: &Path, text: &str) -> bool {
    let bytes = fs::read(file).expect("the artifact can be read");
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

fn build(fixture: &Fixture, shared: &Path, args: &[&str]) -> Vec<PathBuf> {
    let args = [&["build", "-q", "app"], args].concat();
    let shared = shared.to_str().expect("it is text");
    let ran = fixture.run_with("", &args, "CARGO_TARGET_DIR", shared);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.lines().into_iter().map(PathBuf::from).collect()
}

/// Makes every source as old as if it had been there before anything was built.
fn age(fixture: &Fixture) {
    let old = SystemTime::now() - Duration::from_secs(3600);
    for file in [
        "app/world/src/lib.rs",
        "app/moon/src/lib.rs",
        "util/src/lib.rs",
    ] {
        let file = fs::File::options()
            .write(true)
            .open(fixture.root.join(file));
        let file = file.expect("it can be opened");
        file.set_modified(old).expect("its time can be set");
    }
}

#[test]
fn each_checkout_has_output_of_its_own_sources() {
    let (one, two) = (Fixture::new(), Fixture::new());
    let temp = tempfile::tempdir().expect("a temporary directory");
    for (fixture, of) in [(&one, "one"), (&two, "two")] {
        mark(fixture, "app/world/src/lib.rs", &format!("world of {of}"));
        mark(fixture, "util/src/lib.rs", &format!("util of {of}"));
        fixture.edit(
            "util/src/lib.rs",
            "{ 1 }",
            &format!("{{ \"{of}\".len() as u32 + MARK[8] as u32 }}"),
        );
        age(fixture);
    }
    let first = build(&one, temp.path(), &[]);
    let second = build(&two, temp.path(), &[]);
    let again = build(&one, temp.path(), &[]);
    assert_eq!(again, first);
    assert!(
        first.iter().all(|file| !second.contains(file)),
        "{first:?}, {second:?}"
    );
    for (files, own, other) in [(&first, "one", "two"), (&second, "two", "one")] {
        let [world, moon] = &files[..] else {
            panic!("two plugins: {files:?}")
        };
        assert!(has(world, &format!("world of {own}")), "{own}");
        assert!(has(moon, &format!("util of {own}")), "{own}");
        assert!(!has(world, &format!("of {other}")) && !has(moon, &format!("of {other}")));
    }
    // What one no longer has is removed for that one.
    two.edit("Cargo.toml", "\"app/moon\", ", "");
    fs::remove_dir_all(two.root.join("app/moon")).expect("it is there");
    assert_eq!(build(&two, temp.path(), &[]), second[..1]);
    assert!(first.iter().all(|file| file.is_file()) && !second[1].exists());
}

#[test]
fn the_output_of_a_checkout_that_is_gone_is_taken_over() {
    let temp = tempfile::tempdir().expect("a temporary directory");
    let first = build(&Fixture::new(), temp.path(), &[]);
    assert_eq!(build(&Fixture::new(), temp.path(), &[]), first);
}

/// The time stamp of an older file says nothing to Cargo.
#[test]
fn a_source_that_is_older_than_the_build_is_built() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "-q", "app"]);
    let before = fixture.artifact("moon").build_id;
    fixture.edit("util/src/lib.rs", "{ 1 }", "{ 71 }");
    age(&fixture);
    fixture.ok(&["build", "-q", "app"]);
    let moon = fixture.artifact("moon").build_id;
    assert_ne!(moon, before);
    let said = fixture.ok(&["build", "app"]).stderr;
    assert_eq!(said, "   Unchanged world\n   Unchanged moon\n");
}

/// `run` starts the program of its own checkout.
#[test]
fn each_checkout_runs_its_own_host() {
    let (one, two) = (Fixture::new(), Fixture::new());
    let temp = tempfile::tempdir().expect("a temporary directory");
    let shared = temp.path().to_str().expect("it is text");
    for (fixture, code) in [(&one, 11), (&two, 12)] {
        fixture.write(
            "app/src/main.rs",
            &format!("fn main() {{ std::process::exit({code}) }}\n"),
        );
    }
    for (fixture, code) in [(&one, 11), (&two, 12), (&one, 11)] {
        let args = ["run", "-q", "--no-watch", "app"];
        let ran: Ran = fixture.run_with("", &args, "CARGO_TARGET_DIR", shared);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
}
