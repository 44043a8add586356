//! `build --static` and `run --static`.

use std::process::Command;

use crate::fixture::{Fixture, Ran};

const LIST: &str = "target/hotswap/static/debug/app/plugins.rs";
const PROGRAM: &str = "target/hotswap/static/debug/app/app";

/// What `hotswap_host` has for a host, as far as the list names it, and a program that says what it was given.
const HOST: &str = r#"
#[cfg(hotswap_static)]
fn plugins() -> Vec<String> {
    mod linked {
        pub struct LinkedPlugin {
            pub package: &'static str,
            pub build: &'static str,
            pub commit: &'static str,
            pub dirty: bool,
            pub crates: &'static [&'static str],
        }
        pub struct LinkedPlugins;
        impl LinkedPlugins {
            pub fn new(plugins: &[LinkedPlugin]) -> Vec<String> {
                let told = |p: &LinkedPlugin| {
                    assert!(p.build.len() == 32 && p.commit == "unknown" && !p.dirty);
                    format!("{} {:?}", p.package, p.crates)
                };
                plugins.iter().map(told).collect()
            }
        }
    }
    use linked as __hotswap;
    include!(env!("HOTSWAP_LINKED"))
}

#[cfg(not(hotswap_static))]
fn plugins() -> Vec<String> { Vec::new() }

#[cfg(hotswap_static)]
unsafe extern "C" { safe fn number_of_world() -> u32; }
#[cfg(not(hotswap_static))]
fn number_of_world() -> u32 { 0 }

fn main() {
    println!("{:?} {}", plugins(), number_of_world());
    println!("{} {}", env!("CARGO_MANIFEST_DIR"), cfg!(feature = "loud"));
    println!("{:?}", std::env::args().skip(1).collect::<Vec<_>>());
    std::process::exit(3);
}
"#;

const MANIFEST: &str = r#"[features]
loud = []

[lints.rust]
unexpected_cfgs = { level = "warn", check-cfg = ["cfg(hotswap_static)"] }

[dependencies]"#;

fn linked() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("app/src/main.rs", HOST);
    fixture.edit("app/Cargo.toml", "[dependencies]", MANIFEST);
    for plugin in ["world", "moon"] {
        // As `#[plugin]` does it: what is linked together has no symbols of one name.
        let (path, symbol) = (
            format!("app/{plugin}/src/lib.rs"),
            format!("\"C\" fn number_of_{plugin}"),
        );
        fixture.edit(&path, "\"C\" fn number", &symbol);
    }
    fixture
}

/// What the program says.
fn said(fixture: &Fixture, program: &str) -> Vec<String> {
    let mut program = Command::new(fixture.root.join(program));
    let output = program
        .args(["one", "--two"])
        .output()
        .expect("it can be started");
    let ran = Ran::new(fixture, output);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    ran.lines().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_program_has_its_plugins_and_is_what_it_is_without_them() {
    let fixture = linked();
    let ran = fixture.ok(&["build", "--static", "--features", "loud", "app"]);
    assert_eq!(ran.stdout, format!("<root>/{PROGRAM}\n"));
    assert!(
        ran.stderr
            .ends_with(&format!("      Linked moon, world -> {PROGRAM}\n")),
        "{}",
        ran.stderr
    );
    let expected = [
        "[\"moon [\\\"moon\\\"]\", \"world [\\\"world\\\"]\"] 41",
        "<root>/app true",
        "[\"one\", \"--two\"]",
    ];
    assert_eq!(said(&fixture, PROGRAM), expected);
    // Cargo's own build of the host goes on as ever.
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet", "-p", "app"])
        .env_remove("CARGO_TARGET_DIR");
    assert!(
        cargo
            .current_dir(&fixture.root)
            .status()
            .expect("there is cargo")
            .success()
    );
    assert_eq!(said(&fixture, "target/debug/app")[0], "[] 0");
    assert_eq!(said(&fixture, PROGRAM), expected);
}

#[test]
fn the_list_depends_on_nothing_but_what_is_linked() {
    let fixture = linked();
    let list = || fixture.read(LIST);
    let text = "[package.metadata.hotswap]\nplugins = [\"world\", \"moon\"]\n\n[dependencies]";
    fixture.edit("app/Cargo.toml", "[dependencies]", text);
    fixture.ok(&["build", "--static", "app"]);
    let first = list();
    let modified = || {
        fixture
            .root
            .join(LIST)
            .metadata()
            .expect("it is there")
            .modified()
            .unwrap()
    };
    let before = modified();
    // Again, in another order, and after another subset.
    let ran = fixture.ok(&["build", "--static", "app"]);
    assert!(
        ran.stderr
            .ends_with(&format!("   Unchanged moon, world -> {PROGRAM}\n")),
        "{}",
        ran.stderr
    );
    assert_eq!((list(), modified()), (first.clone(), before));
    fixture.edit(
        "app/Cargo.toml",
        "\"world\", \"moon\"",
        "\"moon\", \"world\"",
    );
    fixture.ok(&["build", "--static", "app"]);
    assert_eq!((list(), modified()), (first.clone(), before));
    fixture.ok(&["build", "--static", "app", "--exclude", "moon"]);
    assert_eq!(said(&fixture, PROGRAM)[0], "[\"world [\\\"world\\\"]\"] 41");
    assert!(
        !fixture
            .root
            .join("target/hotswap/static/debug/app/libmoon.rlib")
            .exists()
    );
    fixture.ok(&["build", "--static", "-p", "world", "-p", "moon"]);
    assert_eq!(list(), first);
    // From nothing, too.
    std::fs::remove_dir_all(fixture.root.join("target")).expect("it is there");
    fixture.ok(&["build", "--static", "app"]);
    assert_eq!(list(), first);

    let filters = vec![("build: \"[0-9a-f]{32}\"", "build: \"<hash>\"")];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(first) });
}

#[test]
fn an_edit_of_a_plugin_is_in_the_next_program() {
    let fixture = linked();
    fixture.ok(&["build", "--static", "--release", "app"]);
    let program = "target/hotswap/static/release/app/app";
    assert!(said(&fixture, program)[0].ends_with(" 41"));
    fixture.edit("app/world/src/lib.rs", "40 +", "50 +");
    fixture.ok(&["build", "--static", "--release", "app"]);
    assert!(said(&fixture, program)[0].ends_with(" 51"));
    fixture.edit("util/src/lib.rs", "1", "2");
    fixture.ok(&["build", "--static", "--release", "app"]);
    assert!(said(&fixture, program)[0].ends_with(" 52"));
}

#[test]
fn who_depends_on_a_plugin_does_not_matter() {
    let fixture = linked();
    fixture.edit(
        "app/Cargo.toml",
        "[dependencies]",
        "[dependencies]\nmoon = { path = \"moon\" }",
    );
    fixture.edit(
        "app/world/Cargo.toml",
        "[dependencies]",
        "[dependencies]\nmoon = { path = \"../moon\" }",
    );
    fixture.edit(
        "app/world/src/lib.rs",
        "40 + util",
        "moon::Plugin::number() + util",
    );
    // What is the same symbol in both copies of a crate would be one too many.
    fixture.edit(
        "app/moon/src/lib.rs",
        "#[unsafe(no_mangle)]",
        "#[cfg_attr(not(hotswap_static), doc(hidden))]",
    );
    assert_eq!(fixture.run(&["build", "app"]).code, Some(1));
    fixture.ok(&["build", "--static", "app"]);
    assert!(said(&fixture, PROGRAM)[0].ends_with(" 42"));
}

#[test]
fn a_host_that_does_not_ask_for_its_plugins() {
    let fixture = linked();
    fixture.write("app/src/main.rs", "fn main() {}\n");
    let ran = fixture.run(&["build", "--static", "--quiet", "app"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    insta::assert_snapshot!(ran.stderr);
}

#[test]
fn clean_removes_what_was_generated_and_nothing_else() {
    let fixture = linked();
    let nothing = "       Clean nothing was generated for `app`\n";
    assert_eq!(
        fixture.ok(&["build", "--static", "--clean", "app"]).stderr,
        nothing
    );
    fixture.ok(&["build", "app"]);
    fixture.ok(&["build", "--static", "app"]);
    let ran = fixture.ok(&["build", "--static", "--clean", "app"]);
    insta::assert_snapshot!(ran.stderr);
    assert!(!fixture.root.join("target/hotswap/static").exists());
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
    assert_eq!(
        fixture.ok(&["build", "--static", "--clean", "app"]).stderr,
        nothing
    );

    fixture.ok(&["build", "--static", "app"]);
    let own = "target/hotswap/static/debug/app/notes.txt";
    fixture.write(own, "not generated");
    fixture.ok(&["build", "--static", "--clean", "app"]);
    assert_eq!(fixture.read(own), "not generated");
    assert!(!fixture.root.join(LIST).exists());
}

#[test]
fn running_it_gives_arguments_and_the_exit_code() {
    let fixture = linked();
    let ran = fixture.run(&["run", "--static", "--quiet", "app", "--", "one", "--two"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(ran.lines()[2], "[\"one\", \"--two\"]");
}

#[test]
fn what_is_asked_for_wrongly() {
    let fixture = linked();
    let refused = |args: &[&str]| {
        let ran = fixture.run(args);
        (
            ran.code,
            ran.stderr.lines().next().unwrap_or_default().to_owned(),
        )
    };
    let (code, text) = refused(&["build", "--static", "app/world"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(text, @"error: --static links plugins into a host, but world was named without one; name the directory of the host");
    assert_eq!(refused(&["build", "--clean", "app"]).0, Some(2));
    assert_eq!(
        refused(&["build", "--static", "--out-dir", "here", "app"]).0,
        Some(2)
    );
}

#[test]
fn the_commands_can_be_seen() {
    let fixture = linked();
    let ran = fixture.ok(&[
        "build",
        "--static",
        "--dry-run",
        "--live-prefix",
        "job_",
        "app",
    ]);
    let filters = vec![("&& (.*=.* )?\\S*cargo rustc", "&& ${1}cargo rustc")];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(ran.stdout) });
    assert!(!fixture.root.join("target").exists());
}
