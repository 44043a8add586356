//! The sources that an artifact carries.

use crate::fixture::Fixture;

/// Builds the plugin `moon` with these options, and returns the path of its artifact.
fn built(fixture: &Fixture, options: &[&str]) -> String {
    let args = [&["build", "-q", "app/moon"], options].concat();
    let path = fixture.ok(&args).stdout;
    path.trim_end().replace("<root>/", "")
}

#[test]
fn it_can_be_read_when_the_files_are_gone() {
    let fixture = Fixture::new();
    fixture.write("app/moon/src/tide.rs", "pub fn high() -> u32 {\n    2\n}\n");
    let text = fixture.read("app/moon/src/lib.rs");
    fixture.write("app/moon/src/lib.rs", &format!("mod tide;\n{text}"));
    let path = built(&fixture, &[]);
    std::fs::remove_dir_all(fixture.root.join("app/moon/src")).expect("the files can be removed");

    let function = fixture.ok(&["inspect", &path, "--function", "high"]);
    assert_eq!(
        function.stdout,
        "// tide::high, src/tide.rs:1\npub fn high() -> u32 {\n    2\n}\n"
    );
    let all = fixture.ok(&["inspect", &path, "--source"]).stdout;
    assert!(all.starts_with("// src/lib.rs\nmod tide;\n"), "{all}");
    assert!(all.contains("// src/tide.rs\npub fn high()"), "{all}");
    assert!(
        !all.contains("pub fn number() -> u32 { 1 }"),
        "that is another package: {all}"
    );

    let tree = fixture.ok(&["inspect", &path, "--function", "high", "--ast"]);
    let tree: serde_json::Value = serde_json::from_str(&tree.stdout).expect("it is JSON");
    assert_eq!(tree["fn"]["ident"], "high");
    let tree = fixture.ok(&["inspect", &path, "--ast"]);
    let tree: serde_json::Value = serde_json::from_str(&tree.stdout).expect("it is JSON");
    assert_eq!(tree["package"], "moon");
    assert!(tree["files"]["src/tide.rs"]["items"].is_array(), "{tree}");
}

#[test]
fn a_function_that_is_not_there_or_not_alone() {
    let fixture = Fixture::new();
    let path = built(&fixture, &[]);
    let refused = |name: &str| {
        let ran = fixture.run(&["inspect", &path, "--function", name]);
        assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
        ran.stderr
    };
    insta::assert_snapshot!(refused("numbr"), @"
    error: cannot show the sources in <root>/target/hotswap/debug/libmoon.so
      caused by: moon has no function `numbr` in its sources: did you mean `number`?
    ");
    insta::assert_snapshot!(refused("number"), @"
    error: cannot show the sources in <root>/target/hotswap/debug/libmoon.so
      caused by: several functions are called `number`; name one of crate::Plugin::number, crate::number
    ");
    for name in ["Plugin::number", "crate::Plugin::number", "crate::number"] {
        fixture.ok(&["inspect", &path, "--function", name]);
    }
}

#[test]
fn the_options_the_manifest_and_the_profile_decide() {
    let fixture = Fixture::new();
    let has = |options: &[&str]| {
        let path = built(&fixture, options);
        let ran = fixture.run(&["inspect", &path, "--source"]);
        if ran.code != Some(0) {
            insta::allow_duplicates! {
                insta::assert_snapshot!(ran.stderr, @"
                error: cannot show the sources in <root>/target/hotswap/debug/libmoon.so
                  caused by: the file carries no sources; build it with `cargo hotswap build --source`
                ");
            }
        }
        ran.code == Some(0)
    };
    assert!(has(&[]));
    assert!(!has(&["--strip-source"]));
    fixture.edit(
        "app/moon/Cargo.toml",
        "[dependencies]",
        "[package.metadata.hotswap]\nsource = false\n\n[dependencies]",
    );
    assert!(!has(&[]));
    assert!(has(&["--source"]));
}

/// The sources are no part of what identifies a build, so a host takes a build with and without them for the same.
#[test]
fn the_build_is_the_same_without_them() {
    let fixture = Fixture::new();
    let id = |options: &[&str]| {
        let path = built(&fixture, options);
        let ran = fixture.ok(&["inspect", "--json", &path]);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
        json["build_id"].clone()
    };
    assert_eq!(id(&["--source"]), id(&["--strip-source"]));
}

#[test]
fn a_name_of_no_plugin_of_a_running_host() {
    let fixture = Fixture::new();
    let ran = fixture
        .command("", &["inspect", "moon"])
        .env("HOTSWAP_RUNTIME_DIR", fixture.root.join("hosts"))
        .output()
        .expect("the command runs");
    assert_eq!(ran.status.code(), Some(3));
    insta::assert_snapshot!(String::from_utf8_lossy(&ran.stderr), @"error: there is no file `moon`, and no host is running that could have a plugin of this name");
}
