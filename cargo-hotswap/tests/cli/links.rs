//! Members of a workspace that are links to directories elsewhere.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fixture::{Fixture, Ran};

/// A fixture whose host, with its plugins, lies in the workspace `far`, and is a member here by a link.
fn linked() -> Fixture {
    let fixture = Fixture::new();
    fs::create_dir(fixture.root.join("far")).expect("it can be made");
    let far = fixture.root.join("far/app");
    fs::rename(fixture.root.join("app"), &far).expect("it can be moved");
    symlink(&far, fixture.root.join("app")).expect("it can be made");
    fixture.write(
        "far/Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"app/world\", \"app/moon\"]\n",
    );
    fixture.edit("Cargo.toml", "resolver", "exclude = [\"far\"]\nresolver");
    fixture.write("far/util/src/lib.rs", "pub fn number() -> u32 { 2 }\n");
    fixture.package("far/util", "");
    fixture
}

#[test]
fn what_is_built_is_the_workspace_in_which_the_link_lies() {
    let fixture = linked();
    let expected = [
        "<root>/target/hotswap/debug/app/libworld.so",
        "<root>/target/hotswap/debug/app/libmoon.so",
    ];
    assert_eq!(fixture.ok(&["build", "-q"]).lines(), expected);
    assert_eq!(fixture.ok(&["build", "-q", "app"]).lines(), expected);
    assert_eq!(
        fixture.ok(&["build", "-q", "util/../app/."]).lines(),
        expected
    );
    // A shell that has gone through the link says so.
    let through = fixture.root.join("app");
    let output = fixture
        .command("app", &["build", "-q"])
        .env("PWD", through)
        .output();
    let ran = Ran::new(&fixture, output.expect("the command can be started"));
    assert_eq!(ran.lines(), expected, "{}", ran.stderr);
    assert!(!fixture.root.join("far/target").exists());
    assert!(!fixture.root.join("far/Cargo.lock").exists());
}

#[test]
fn a_link_from_outside_stands_for_the_member_it_leads_to() {
    let fixture = Fixture::new();
    let outside = fixture.root.with_file_name("shortcut");
    symlink(fixture.root.join("app"), &outside).expect("it can be made");
    let path = outside.to_str().expect("it is text");
    let ran = fixture.ok(&["build", "-q", path]);
    assert_eq!(
        ran.lines()[0],
        "<root>/target/hotswap/debug/app/libworld.so"
    );
}

#[test]
fn a_plugin_that_is_made_behind_a_link_becomes_a_member_where_the_link_lies() {
    let fixture = linked();
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    fixture.ok(&["new", "--plugin", "app/sun", "--path", checkout]);
    assert!(fixture.read("Cargo.toml").contains("\"app/sun\""));
    assert!(!fixture.read("far/Cargo.toml").contains("sun"));
}
