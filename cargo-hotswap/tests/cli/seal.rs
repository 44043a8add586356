//! Artifacts that other tools changed after they were built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hotswap_host::artifact::{Artifact, ArtifactProblem};

use crate::fixture::Fixture;

/// A workspace with a commit, in which the plugin `moon` was built.
fn built() -> (Fixture, PathBuf, String) {
    let fixture = Fixture::new();
    fixture.git(&["init", "-q"]);
    let commit = fixture.commit();
    fixture.ok(&["build", "-q", "app", "-p", "moon"]);
    let file = fixture.artifact_path("moon");
    fs::copy(&file, fixture.root.join("original.so")).expect("it can be copied");
    (fixture, file, commit)
}

fn run(tool: &str, args: &[&str], file: &Path) {
    let status = Command::new(tool).args(args).arg(file).status();
    let status = status.unwrap_or_else(|error| panic!("{tool} cannot be started: {error}"));
    assert!(status.success(), "{tool} {args:?}");
}

fn inspect(fixture: &Fixture, file: &Path) -> String {
    let ran = fixture.run(&["inspect", file.to_str().expect("the path is text")]);
    ran.stdout + &ran.stderr
}

fn seal(fixture: &Fixture, args: &[&str], file: &Path) -> String {
    let file = file.to_str().expect("the path is text");
    fixture.ok(&[&["seal"], args, &[file]].concat()).stderr
}

/// Another path of the same length in the bytes, as tools write it that make builds reproducible.
fn edit(file: &Path) {
    let mut bytes = fs::read(file).expect("it can be read");
    let from = b"rustc 1.0.0";
    let at = bytes.windows(from.len()).position(|found| found == from);
    let at = at.expect("the metadata has it");
    bytes[at..at + from.len()].copy_from_slice(b"rustc 9.9.9");
    fs::write(file, bytes).expect("it can be written");
}

#[test]
fn an_edit_of_the_bytes_is_named_and_can_be_sealed() {
    let (fixture, file, commit) = built();
    let before = fixture.artifact("moon").build_id;
    edit(&file);
    let problem = Artifact::read(&file).unwrap_err().problem;
    assert!(matches!(problem, ArtifactProblem::AnotherBuild { noted, .. } if noted == before));
    let text = inspect(&fixture, &file);
    assert!(
        text.contains("was changed after it was built, or is incomplete")
            && text.contains("`cargo hotswap seal`"),
        "{text}"
    );

    let mode = fs::metadata(&file).expect("it is there").permissions();
    let said = seal(&fixture, &[], &file);
    assert!(said.contains("Sealed moon (build "), "{said}");
    let artifact = fixture.artifact("moon");
    assert_ne!(artifact.build_id, before);
    let note = artifact.note.expect("it was sealed");
    assert_eq!(
        (note.commit, note.dirty),
        (commit, false),
        "the commit is still known"
    );
    assert_eq!(
        fs::metadata(&file).expect("it is there").permissions(),
        mode
    );
    let said = seal(&fixture, &[], &file);
    assert!(said.contains("Unchanged"), "{said}");
    let files = fixture.installed();
    assert_eq!(files, ["libmoon.so"], "nothing is left beside it");
}

#[test]
fn strip_takes_the_note_and_it_can_be_given_back() {
    let (fixture, file, commit) = built();
    run("strip", &[], &file);
    assert_eq!(fixture.artifact("moon").note, None);
    let text = inspect(&fixture, &file);
    assert!(
        text.contains("changed since (`strip`?): see `cargo hotswap seal`"),
        "{text}"
    );

    seal(&fixture, &["--from", "original.so"], &file);
    let note = fixture.artifact("moon").note.expect("it was sealed");
    assert_eq!((note.commit, note.dirty), (commit, false));

    run("strip", &["--strip-all"], &file);
    seal(&fixture, &[], &file);
    let note = fixture.artifact("moon").note.expect("it was sealed");
    assert_eq!((&*note.commit, note.dirty), ("unknown", false));
}

#[test]
fn patchelf_takes_the_note_and_it_can_be_given_back() {
    let (fixture, file, commit) = built();
    run("patchelf", &["--set-rpath", "$ORIGIN/lib"], &file);
    assert_eq!(fixture.artifact("moon").note, None);
    seal(&fixture, &["--from", "original.so"], &file);
    assert_eq!(
        fixture.artifact("moon").note.expect("it was sealed").commit,
        commit
    );
}

#[test]
fn what_is_no_plugin_is_not_sealed() {
    let (fixture, file, _) = built();
    fixture.write("no.so", "no library at all");
    fixture.write("no.c", "int f(void) { return 1; }\n");
    let plain = fixture.root.join("plain.so");
    run(
        "cc",
        &["-shared", "-o", plain.to_str().expect("text")],
        &fixture.root.join("no.c"),
    );
    let half = fs::read(&file).expect("it can be read");
    fs::write(fixture.root.join("half.so"), &half[..half.len() / 2]).expect("it can be written");
    fs::copy(&file, fixture.root.join("bare.so")).expect("it can be copied");
    run(
        "objcopy",
        &["--remove-section=.hotswap"],
        &fixture.root.join("bare.so"),
    );
    for (name, why) in [
        ("no.so", "is not a library in any known format"),
        ("plain.so", "is a plain library without plugin metadata"),
        ("half.so", "is truncated"),
        ("bare.so", "keep its section `.hotswap`"),
        ("missing.so", "does not exist"),
    ] {
        let before = fs::read(fixture.root.join(name)).ok();
        let ran = fixture.run(&["seal", name]);
        assert_eq!(ran.code, Some(1), "{name}");
        assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
        assert!(
            before == fs::read(fixture.root.join(name)).ok(),
            "{name} is as it was"
        );
    }
}

/// `sstrip` removes this table, in which the metadata is looked up.
#[test]
fn a_library_without_sections_is_named() {
    let (fixture, file, _) = built();
    let mut bytes = fs::read(&file).expect("it can be read");
    // `e_shoff`, `e_shnum` and `e_shstrndx` of a 64-bit ELF file.
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    fs::write(&file, bytes).expect("it can be written");
    let ran = fixture.run(&["seal", file.to_str().expect("the path is text")]);
    assert!(
        ran.stderr.contains("has no section table"),
        "{}",
        ran.stderr
    );
}

/// What debuggers look for beside a library is not beside the host's copy of it.
#[test]
fn packed_debug_information_is_warned_of() {
    let fixture = Fixture::new();
    let manifest = fixture.read("Cargo.toml");
    let with = |how: &str| {
        let profile = format!("{manifest}\n[profile.dev]\nsplit-debuginfo = \"{how}\"\n");
        fixture.write("Cargo.toml", &profile);
        fixture.ok(&["build", "app", "-p", "moon"]).stderr
    };
    let said = with("packed");
    assert!(
        said.contains("warning: the debug information of moon is in target/debug/libmoon.so.dwp"),
        "{said}"
    );
    for how in ["unpacked", "off"] {
        let said = with(how);
        assert!(!said.contains("debug information"), "{how}: {said}");
    }
}
