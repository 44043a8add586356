//! What `new` writes, and that it builds and passes its own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::fixture::{Fixture, Ran};

fn checkout() -> &'static str {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .and_then(Path::to_str)
        .expect("the path is text")
}

/// A directory outside of any workspace, with a space in its path.
fn outside() -> Fixture {
    let fixture = Fixture::new();
    fs::remove_dir_all(&fixture.root).expect("it is there");
    fs::create_dir(&fixture.root).expect("it can be made again");
    fixture
}

#[test]
fn a_new_workspace_builds_and_passes_its_tests() {
    let fixture = outside();
    fixture.ok(&[
        "new",
        "--workspace",
        "chat room",
        "--name",
        "chat",
        "--path",
        checkout(),
    ]);
    // The directory in which other tests build their plugins, and which has the dependencies in these versions.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures");
    let lock = Path::new(checkout()).join("Cargo.lock");
    let copied = fs::copy(lock, fixture.root.join("chat room/Cargo.lock"));
    copied.expect("the lock file can be copied");
    let at = |program: &mut Command| {
        let output = program
            .current_dir(fixture.root.join("chat room"))
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_INCREMENTAL", "0")
            .output();
        let ran = Ran::new(&fixture, output.expect("it can be started"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran
    };
    let built = at(&mut fixture.command("", &["build"]));
    assert_eq!(
        built.stdout.trim_end(),
        format!("{}/hotswap/debug/chat/libgreeter.so", target.display())
    );
    let cargo = || Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let tested = at(cargo().args(["test", "--quiet"]));
    assert!(!tested.stderr.contains("warning"), "{}", tested.stderr);
    assert_eq!(
        tested.stdout.matches("1 passed").count(),
        2,
        "the host's and the plugin's: {}",
        tested.stdout
    );
}

#[test]
fn a_plugin_becomes_a_member_of_the_workspace_around_it() {
    let fixture = Fixture::new();
    fixture.ok(&["new", "--plugin", "app/new-one", "--path", checkout()]);
    assert!(fixture.read("Cargo.toml").contains("\"app/new-one\""));
    assert!(
        fixture
            .read("app/new-one/src/lib.rs")
            .contains("impl NewOne")
    );
    let ran = fixture.ok(&["build", "--dry-run", "--offline", "app"]);
    assert_eq!(ran.lines().len(), 3);
}

#[test]
fn beside_a_workspace_is_not_in_it() {
    let fixture = Fixture::new();
    let before = fixture.read("Cargo.toml");
    fs::create_dir(fixture.root.join("sub")).expect("it can be made");
    fixture.ok(&[
        "new",
        "--workspace",
        "sub/../../beside",
        "--path",
        checkout(),
    ]);
    let beside = fixture.root.with_file_name("beside");
    let manifest = fs::read_to_string(beside.join("Cargo.toml"));
    assert!(manifest.expect("it was made").contains("[workspace]"));
    assert_eq!(fixture.read("Cargo.toml"), before);
}

#[test]
fn a_plugin_gets_hotswap_from_where_its_host_has_it() {
    let fixture = outside();
    fixture.ok(&["new", "--host", "chat", "--path", checkout()]);
    fixture.ok(&["new", "--plugin", "chat/plugins/first"]);
    let path = format!(
        "hotswap-plugin = {{ path = \"{}/hotswap-plugin\" }}",
        checkout()
    );
    assert!(
        fixture
            .read("chat/plugins/first/Cargo.toml")
            .contains(&path)
    );
}

#[test]
fn away_from_any_checkout_one_has_to_be_named() {
    let fixture = outside();
    let installed = fixture.root.join("cargo-hotswap");
    fs::copy(env!("CARGO_BIN_EXE_cargo-hotswap"), &installed).expect("the program can be copied");
    for kind in ["--workspace", "--host", "--plugin"] {
        let output = Command::new(&installed)
            .args(["hotswap", "new", kind, "first"])
            .current_dir(&fixture.root)
            .env_remove("CARGO_MANIFEST_DIR")
            .output();
        let ran = Ran::new(&fixture, output.expect("the command can be started"));
        assert_eq!(ran.code, Some(1));
        let said = "error: cannot find hotswap's crates, which are not published yet; give `--path CHECKOUT`";
        assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
        assert!(!fixture.root.join("first").exists());
    }
}

#[test]
fn any_member_of_the_workspace_says_where_hotswap_is() {
    let fixture = Fixture::new();
    let path = format!(
        "hotswap-plugin = {{ path = \"{}/hotswap-plugin\" }}",
        checkout()
    );
    fixture.package("util", &path);
    fixture.git(&["init", "-q"]);
    let installed = fixture.root.join("cargo-hotswap");
    fs::copy(env!("CARGO_BIN_EXE_cargo-hotswap"), &installed).expect("the program can be copied");
    let output = Command::new(&installed)
        .args(["hotswap", "new", "--plugin", "app/first"])
        .current_dir(&fixture.root)
        .env_remove("CARGO_MANIFEST_DIR")
        .output();
    let ran = Ran::new(&fixture, output.expect("the command can be started"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(fixture.read("app/first/Cargo.toml").contains(&path));
}

/// rustc would warn of them at each build.
#[test]
fn names_of_crates_have_no_capitals() {
    let fixture = outside();
    fixture.ok(&["new", "--host", "ChatRoom", "--path", checkout()]);
    fixture.ok(&["new", "--plugin", "ChatRoom/plugins/TextFilter"]);
    fixture.ok(&[
        "new",
        "--plugin",
        "ChatRoom/plugins/other",
        "--name",
        "OtherOne",
    ]);
    let has = |directory: &str, text: &str| {
        let manifest = fixture.read(&format!("ChatRoom/{directory}Cargo.toml"));
        assert!(manifest.contains(text), "{manifest}");
    };
    has("", "name = \"chat-room\"");
    has("plugins/TextFilter/", "name = \"text-filter\"");
    has("plugins/other/", "name = \"OtherOne\"");
    has("plugins/other/", "[lib]\nname = \"other_one\"");
    assert!(
        fixture
            .read("ChatRoom/plugins/TextFilter/src/lib.rs")
            .contains("impl TextFilter")
    );
}

#[test]
fn nothing_is_overwritten() {
    let fixture = outside();
    fixture.write("here/notes.txt", "mine");
    for kind in ["--plugin", "--host", "--workspace"] {
        let ran = fixture.run(&["new", kind, "here"]);
        assert_eq!(ran.code, Some(1));
        insta::assert_snapshot!("new-exists", ran.stderr);
    }
    assert_eq!(
        fs::read_dir(fixture.root.join("here"))
            .expect("it is there")
            .count(),
        1
    );
}

#[test]
fn a_place_that_is_no_checkout_is_refused() {
    let fixture = outside();
    let ran = fixture.run(&["new", "--plugin", "first", "--path", "."]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr);
    assert!(!fixture.root.join("first").exists());
}
