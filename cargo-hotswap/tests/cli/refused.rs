//! What is refused, and the words for it.

use crate::fixture::{Fixture, Ran};

fn refused(fixture: &Fixture, args: &[&str]) -> String {
    let ran = fixture.run(&[&["build"], args].concat());
    assert_eq!(ran.code, Some(1), "{args:?}: {}", ran.stderr);
    assert_eq!(fixture.installed(), [""; 0]);
    ran.stderr
}

#[test]
fn a_host_that_depends_on_a_plugin() {
    let fixture = Fixture::new();
    fixture.package("app", "world = { path = \"world\" }");
    insta::assert_snapshot!(refused(&fixture, &["app"]));
}

#[test]
fn a_plugin_that_depends_on_another_through_a_library() {
    let fixture = Fixture::new();
    fixture.package("util", "moon = { path = \"../app/moon\" }");
    fixture.plugin("app/moon", "");
    insta::assert_snapshot!(refused(&fixture, &["app/world"]));
}

#[test]
fn dependencies_for_tests_and_for_static_linking_are_allowed() {
    let fixture = Fixture::new();
    fixture.package("app", "world = { path = \"world\", optional = true }\n[dev-dependencies]\nmoon = { path = \"moon\" }");
    fixture.ok(&["build", "app"]);
}

#[test]
fn panics_that_abort_by_the_profile() {
    let fixture = Fixture::new();
    let manifest = fixture.read("Cargo.toml");
    fixture.write("Cargo.toml", &format!("{manifest}\n[profile.release]\npanic = \"abort\"\n[profile.fast]\ninherits = \"release\"\n"));
    insta::assert_snapshot!(refused(&fixture, &["-q", "app", "--release"]));
    insta::assert_snapshot!(refused(&fixture, &["-q", "app", "--profile", "fast"]));
    fixture.ok(&["build", "app"]);
}

#[test]
fn panics_that_abort_by_flag_configuration_and_environment() {
    let fixture = Fixture::new();
    insta::assert_snapshot!(refused(&fixture, &["-q", "app", "--", "-Cpanic=abort"]));
    let with = |name: &str, value: &str| {
        let ran = fixture.run_with("", &["build", "-q", "app"], name, value);
        assert_eq!(ran.code, Some(1));
        ran.stderr
    };
    insta::assert_snapshot!(with("RUSTFLAGS", "-C panic=abort"));
    insta::assert_snapshot!(with("CARGO_PROFILE_DEV_PANIC", "abort"));
    fixture.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"-C\", \"panic=abort\"]\n",
    );
    insta::assert_snapshot!(refused(&fixture, &["-q", "app"]));
}

#[test]
fn a_shared_standard_library() {
    let fixture = Fixture::new();
    insta::assert_snapshot!(refused(
        &fixture,
        &["-q", "app", "--", "-C", "prefer-dynamic"]
    ));
}

#[test]
fn a_library_that_is_no_plugin() {
    let fixture = Fixture::new();
    fixture.write(
        "app/moon/src/lib.rs",
        "pub struct Plugin;\n#[rustfmt::plugin]\nimpl Plugin {}\n",
    );
    let ran = fixture.run(&["build", "app/moon", "-q"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr);
}

#[test]
fn names_and_places_that_do_not_exist() {
    let fixture = Fixture::new();
    insta::assert_snapshot!(refused(&fixture, &["-p", "sun"]));
    insta::assert_snapshot!(refused(&fixture, &["sun"]));
    insta::assert_snapshot!(refused(&fixture, &["app/src"]));
    insta::assert_snapshot!(refused(&fixture, &["util"]));
    insta::assert_snapshot!(refused(
        &fixture,
        &["app", "--exclude", "world", "--exclude", "moon"]
    ));
    let manifest = fixture.read("app/Cargo.toml");
    fixture.write(
        "app/Cargo.toml",
        &format!("{manifest}\n[package.metadata.hotswap]\nplugins = [\"sun\"]\n"),
    );
    insta::assert_snapshot!(refused(&fixture, &["app"]));
    fixture.write(
        "app/Cargo.toml",
        &format!("{manifest}\n[package.metadata.hotswap]\nplugins = \"sun\"\n"),
    );
    insta::assert_snapshot!(refused(&fixture, &["app"]));
}

#[test]
fn a_reload_without_a_running_host() {
    let fixture = Fixture::new();
    let mut command = fixture.command("", &["reload", "-q", "app"]);
    command.env("HOTSWAP_RUNTIME_DIR", fixture.root.join("run"));
    let ran = Ran::new(
        &fixture,
        command.output().expect("the command can be started"),
    );
    assert_eq!(ran.code, Some(5));
    insta::assert_snapshot!(ran.stderr);
}

#[test]
fn a_package_without_plugins_beside_one_that_is_a_plugin() {
    let fixture = Fixture::new();
    let text = refused(&fixture, &["-p", "util", "-p", "world"]);
    assert!(text.contains("no plugins found for `util`"), "{text}");
}
