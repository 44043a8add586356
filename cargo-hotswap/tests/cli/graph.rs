//! `graph`, on sets of plugins that fit and on sets that do not.

use crate::fixture::{Fixture, Ran};
use insta::assert_snapshot;

/// A set with everything that is no mistake: two ways to one plugin, something optional that is not there, an order,
/// the host, names that are written in two ways.
fn diamond() -> Fixture {
    let fixture = Fixture::new();
    fixture.library(
        "set/libdelta.so",
        "delta",
        &[],
        &[
            ("gamma Gamma", 3),
            ("beta-plugin Beta", 2),
            ("moon Moon?", 9),
            ("end", 0),
        ],
    );
    fixture.library(
        "set/libend.so",
        "end",
        &[],
        &[("host Queue", 7), ("host Log?", 8)],
    );
    fixture.library(
        "set/libgamma.so",
        "gamma",
        &[("Gamma", 3)],
        &[("Alpha Alpha?", 1)],
    );
    fixture.library(
        "set/libbeta.so",
        "Beta_Plugin",
        &[("Beta", 2)],
        &[("alpha Alpha", 1)],
    );
    fixture.library("set/libalpha.so", "alpha", &[("Alpha", 1)], &[]);
    fixture.write("set/README.md", "no plugin");
    fixture
}

fn format(fixture: &Fixture, directory: &str, format: &str) -> Ran {
    fixture.run(&["graph", directory, "--format", format])
}

#[test]
fn a_set_that_fits() {
    let fixture = diamond();
    let ran = fixture.ok(&["graph", "set"]);
    assert_eq!(ran.stderr, "");
    assert_snapshot!("fits-text", ran.stdout);
    assert_snapshot!("fits-dot", format(&fixture, "set", "dot").stdout);
    assert_snapshot!("fits-mermaid", format(&fixture, "set", "mermaid").stdout);
    let again = fixture.ok(&["graph", "set/", "--format", "text"]);
    assert_eq!(again.stdout, ran.stdout);
}

/// What does not fit is shown with what does, and said on stderr.
#[test]
fn a_set_that_a_host_would_refuse() {
    let fixture = Fixture::new();
    let library = |name: &str, exports: &[(&str, u8)], imports: &[(&str, u8)]| {
        fixture.library(&format!("set/lib{name}.so"), name, exports, imports);
    };
    library("alpha", &[("Alpha", 1)], &[]);
    library("old", &[], &[("alpha Alpha", 2)]);
    library("wrong", &[], &[("alpha Beta", 1), ("old Old", 1)]);
    library("lost", &[], &[("alhpa Alpha", 1), ("moon Moon", 1)]);
    library("calm", &[], &[("moon Moon?", 1)]);
    library(
        "one",
        &[("One", 1)],
        &[("three Three", 3), ("alpha Alpha", 1)],
    );
    library("two", &[("Two", 2)], &[("one One", 1)]);
    library("three", &[("Three", 3)], &[("two Two?", 2)]);
    library("self", &[("Self", 1)], &[("self Self", 1)]);
    let ran = fixture.run(&["graph", "set"]);
    assert_eq!(ran.code, Some(1));
    assert_snapshot!("refused-text", ran.stdout);
    assert_snapshot!("refused-errors", ran.stderr);
    for language in ["dot", "mermaid"] {
        let ran = format(&fixture, "set", language);
        assert_eq!(ran.code, Some(1));
        assert_snapshot!(format!("refused-{language}"), ran.stdout);
    }
}

#[test]
fn a_host_by_its_directory_its_name_and_its_plugins() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "-q", "app"]);
    let text = fixture.ok(&["graph", "app"]).stdout;
    assert_snapshot!(text, @r"
    moon 0.1.0
    world 0.1.0
    ");
    for (directory, args) in [
        ("", &["graph"][..]),
        ("", &["graph", "APP"]),
        ("util", &["graph", "app"]),
        ("app/src", &["graph"]),
        ("app", &["graph", "moon"]),
        ("util", &["graph", "--manifest-path", "../app/Cargo.toml"]),
        ("", &["graph", "target/hotswap/debug/app"]),
    ] {
        let ran = fixture.run_at(directory, args);
        assert_eq!(
            (ran.stdout, ran.stderr),
            (text.clone(), String::new()),
            "{args:?}"
        );
    }
    // What was built in another way is somewhere else.
    let ran = fixture.run(&["graph", "app", "--release"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert_snapshot!(ran.stderr, @"error: no plugin of `app` is built in `<root>/target/hotswap/release/app`; run `cargo hotswap build app`, or repeat the options with which it was built");
    fixture.ok(&["build", "-q", "app", "--release"]);
    fixture.ok(&["graph", "app", "--release"]);
}

#[test]
fn what_is_no_set_of_plugins() {
    let fixture = Fixture::new();
    let refused = |args: &[&str]| {
        let ran = fixture.run(&[&["graph"], args].concat());
        assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{args:?}");
        ran.stderr
    };
    assert_snapshot!(refused(&["ap"]), @"error: `ap` is neither a directory nor a package of the workspace `<root>` (there are: app, world, util, moon)");
    assert_snapshot!(refused(&["no/such"]), @"error: the plugin directory <root>/no/such does not exist; create it, or build plugins into it with `cargo hotswap build --out-dir`");
    assert_snapshot!(refused(&["app"]), @"error: no plugin of `app` is built in `<root>/target/hotswap/debug/app`; run `cargo hotswap build app`, or repeat the options with which it was built");
    let here = fixture.run_at("app", &["graph"]).stderr;
    assert!(here.contains("run `cargo hotswap build`, or"), "{here}");
    assert_snapshot!(refused(&["util"]), @"error: no plugins found for `util`: <root>/util/Cargo.toml lists none under [package.metadata.hotswap], and no workspace member below its directory has #[plugin] in its library root");
    fixture.write("set/README.md", "no plugin");
    assert_snapshot!(refused(&["set"]), @"error: the directory `<root>/set` has no plugins; name a host, or a directory that `cargo hotswap build` writes to");
    fixture.write("set/half.so", "no library at all");
    assert_snapshot!(refused(&["set"]), @r#"
error: <root>/set/half.so is not a library in any known format; build it with `cargo hotswap build`
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused
"#);
    assert_snapshot!(refused(&["set/half.so"]), @"error: the plugin directory <root>/set/half.so is not a directory; name the directory that the plugins are in");
    fixture.library("twice/libone.so", "Hello-World", &[], &[]);
    fixture.library("twice/libtwo.so", "hello_world", &[], &[]);
    assert_snapshot!(refused(&["twice"]), @"error: two artifacts contain the plugin hello_world: <root>/twice/libone.so and <root>/twice/libtwo.so; remove one of them");
}
