//! What is in a library that does not fit a plugin: the flag that keeps it in memory.

use std::fs;

use hotswap_host::artifact::{UnloadBlocker, unload_blockers};

use crate::fixture::Fixture;

fn found(fixture: &Fixture) -> Vec<UnloadBlocker> {
    unload_blockers(&fs::read(fixture.artifact_path("moon")).expect("it was built"))
}

/// As a compiler would that sets it on every library.
/// A build by which the linker sets the flag.
const BUILD: [&str; 7] = [
    "build",
    "-v",
    "app",
    "-p",
    "moon",
    "--",
    "-Clink-arg=-Wl,-z,nodelete",
];

#[test]
fn one_that_the_linker_sets_is_cleared() {
    let fixture = Fixture::new();
    let ran = fixture.ok(&BUILD);
    assert!(
        ran.stderr.contains("Cleared moon: `-z nodelete`"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("leaves memory"), "{}", ran.stderr);
    assert_eq!(found(&fixture), []);
    assert!(fixture.artifact("moon").note.is_some(), "its note fits");
    let again = fixture.ok(&BUILD);
    assert!(again.stderr.contains("Unchanged moon"), "{}", again.stderr);
}

#[test]
fn one_that_the_author_asks_for_stays() {
    let fixture = Fixture::new();
    fixture.edit(
        "app/moon/Cargo.toml",
        "[dependencies]",
        "[package.metadata.hotswap]\nnodelete = true\n\n[dependencies]",
    );
    let ran = fixture.ok(&BUILD);
    assert!(
        ran.stderr
            .contains("moon is linked with `-z nodelete`: no version of it ever leaves memory"),
        "{}",
        ran.stderr
    );
    assert_eq!(found(&fixture), [UnloadBlocker::NoDelete]);
}
