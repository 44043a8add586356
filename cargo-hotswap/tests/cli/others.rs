//! What belongs to other users of the machine, or to another workspace. Where the tests run as root, there is a second user.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use crate::fixture::{Fixture, Ran};

/// Some user who is not root.
const OTHER: u32 = 54321;

/// Gives `path` to another user, and says of the test of this name that it is left out where that cannot be done.
fn give_away(path: &Path, test: &str) -> bool {
    let given = chown(path, Some(OTHER), None);
    if given.is_err() {
        eprintln!("left out, for want of a second user: {test}");
    }
    given.is_ok()
}

fn checkout() -> &'static str {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .and_then(Path::to_str)
        .expect("the path is text")
}

fn new_plugin(fixture: &Fixture, directory: &str) -> Ran {
    fixture.run(&["new", "--plugin", directory, "--path", checkout()])
}

#[test]
fn a_workspace_of_another_user_gets_no_member() {
    let test = "a_workspace_of_another_user_gets_no_member";
    let fixture = Fixture::new();
    let manifest = fixture.root.join("Cargo.toml");
    let before = fixture.read("Cargo.toml");
    if !give_away(&manifest, test) {
        return;
    }
    let ran = new_plugin(&fixture, "app/star");
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: `<root>/Cargo.toml` belongs to user 54321, and Cargo would use it for everything below it; choose a directory elsewhere");
    assert_eq!(fixture.read("Cargo.toml"), before);
    assert!(!fixture.root.join("app/star").exists());
    // It may be renamed over where the directory is another user's.
    chown(&manifest, Some(0), None).expect("this is root");
    chown(&fixture.root, Some(OTHER), None).expect("this is root");
    let ran = fixture.run(&["new", "--host", "app/star"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("belongs to user 54321"),
        "{}",
        ran.stderr
    );
    assert!(!fixture.root.join("app/star").exists());
}

#[test]
fn a_checkout_of_another_user_is_not_used_unless_it_is_named() {
    let test = "a_checkout_of_another_user_is_not_used_unless_it_is_named";
    let fixture = Fixture::new();
    for name in ["hotswap-host", "hotswap-plugin", "cargo-hotswap"] {
        fixture.package(&format!("theirs/{name}"), "");
        fixture.write(&format!("theirs/{name}/src/lib.rs"), "");
    }
    let theirs = fixture.root.join("theirs");
    fixture.edit(
        "app/Cargo.toml",
        "[dependencies]\n",
        &format!(
            "[dependencies]\nhotswap-host = {{ path = {:?} }}\n",
            theirs.join("hotswap-host")
        ),
    );
    fixture.edit("Cargo.toml", "members", "exclude = [\"theirs\"]\nmembers");
    let used = |more: &[&str], name: &str| {
        let ran = fixture.run(&[&["new", "--plugin", &format!("app/{name}")], more].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let line = ran.stderr.lines().last().expect("it says so").to_owned();
        line.trim_start().to_owned()
    };
    assert_eq!(used(&[], "one"), "Using hotswap in <root>/theirs");
    if !give_away(&theirs, test) {
        return;
    }
    assert_eq!(used(&[], "two"), format!("Using hotswap in {}", checkout()));
    assert_eq!(
        used(&["--path", "theirs"], "three"),
        "Using hotswap in <root>/theirs"
    );
}

#[test]
fn a_workspace_outside_of_the_repository_gets_no_member() {
    let fixture = Fixture::new();
    let before = fixture.read("Cargo.toml");
    fs::create_dir_all(fixture.root.join("own/.git")).expect("it can be made");
    let ran = new_plugin(&fixture, "own/star");
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: the workspace `<root>/Cargo.toml` lies outside of the repository `<root>/own`, and Cargo would make the package a member of it; choose a directory outside of that workspace, or remove its Cargo.toml if it is a leftover");
    assert_eq!(fixture.read("Cargo.toml"), before);
    assert!(!fixture.root.join("own/star").exists());
    // A workspace of the repository's own is the nearest one.
    fixture.write("own/Cargo.toml", "[workspace]\nresolver = \"3\"\n");
    assert_eq!(new_plugin(&fixture, "own/star").code, Some(0));
    assert_eq!(fixture.read("Cargo.toml"), before);
    assert!(fixture.read("own/Cargo.toml").contains("star"));
}

#[test]
fn hosts_that_cannot_be_seen_are_said_to_be() {
    let fixture = Fixture::new();
    let directory = fixture.root.join("run");
    fs::create_dir(&directory).expect("it can be made");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("it is ours");
    // A process that runs: this one.
    let stat = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let started = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split(' ').nth(20));
    let name = format!("{}-{}-0", std::process::id(), started.expect("a time"));
    fs::create_dir(directory.join(name)).expect("it can be made");
    let runtime_dir = directory.to_str().expect("the path is text");
    let ran = fixture.run_with(
        "",
        &["reload", "-q", "app"],
        "HOTSWAP_RUNTIME_DIR",
        runtime_dir,
    );
    assert_eq!(ran.code, Some(5));
    let id = std::process::id().to_string();
    insta::assert_snapshot!(ran.stderr.replace(&id, "<id>"), @r"
    error: no running host has the plugin directory `<root>/target/hotswap/debug/app`; start one with `cargo hotswap run`, or repeat the options with which it was built
      not looked into: the runtime directory <root>/run may be written to by others (mode 777); run `chmod go-w <root>/run`; so the hosts in it are not seen (process id <id>)
      see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#no-host-is-found
    ");
}
