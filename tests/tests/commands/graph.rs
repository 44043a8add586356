//! Tests `cargo hotswap graph` on plugins that were built.
use crate::project::Project;
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;
use insta::assert_snapshot;
use std::fs;

const PLUGINS: [&str; 5] = ["probe", "guest", "gamma", "beta", "alpha"];

#[test]
fn who_needs_whom() {
    let project = Project::new();
    let set = project.root.join("set");
    fs::create_dir(&set).unwrap();
    for name in PLUGINS {
        fs::copy(
            Build::First.library(name),
            set.join(format!("lib{name}.so")),
        )
        .unwrap();
    }
    let graph = |format: &str| project.ok("", &["graph", "set", "--format", format]).stdout;
    assert_snapshot!(graph("text"), @r#"
    alpha 0.1.0
      used by  beta, gamma
    beta 0.1.0
      needs    alpha (Alpha)
    gamma 0.1.0
      needs    alpha (Alpha, optional)
    guest 0.1.0
    probe 0.1.0
      needs    the host (Desk)
    "#);
    assert_snapshot!(graph("dot"), @r#"
    digraph plugins {
        node [shape=box];
        n0 [label="alpha 0.1.0"];
        n1 [label="beta 0.1.0"];
        n2 [label="gamma 0.1.0"];
        n3 [label="guest 0.1.0"];
        n4 [label="probe 0.1.0"];
        n5 [label="the host", shape=ellipse];
        n1 -> n0 [label="Alpha"];
        n2 -> n0 [label="Alpha, optional", style=dashed];
        n4 -> n5 [label="Desk"];
    }
    "#);
    assert_snapshot!(graph("mermaid"), @r#"
    graph TD
        n0["alpha 0.1.0"]
        n1["beta 0.1.0"]
        n2["gamma 0.1.0"]
        n3["guest 0.1.0"]
        n4["probe 0.1.0"]
        n5(["the host"])
        n1 -->|"Alpha"| n0
        n2 -.->|"Alpha, optional"| n0
        n4 -->|"Desk"| n5
    "#);

    // The order is the one in which a host loads them.
    let libraries = PLUGINS.map(|name| (name, Build::First.bytes(name)));
    let plugins = libraries.each_ref().map(|(name, bytes)| (*name, &**bytes));
    let loaded = Stage::open(&plugins).swapper.listing().plugins;
    let loaded: Vec<_> = loaded.iter().map(|plugin| plugin.name.as_str()).collect();
    let text = graph("text");
    let shown = text.lines().filter_map(|line| line.strip_suffix(" 0.1.0"));
    assert_eq!(shown.collect::<Vec<_>>(), loaded);

    // A host would refuse the rest, and the picture is drawn all the same.
    fs::remove_file(set.join("libalpha.so")).unwrap();
    let ran = project.ran("", &["graph", "set"]);
    assert_eq!(ran.code, Some(1));
    assert_snapshot!(ran.stdout, @r#"
    beta 0.1.0
      needs    alpha (Alpha, missing)
    gamma 0.1.0
      needs    alpha (Alpha, optional, not there)
    guest 0.1.0
    probe 0.1.0
      needs    the host (Desk)
    "#);
    assert_snapshot!(ran.stderr, @r#"
    error: beta (<root>/set/libbeta.so) imports alpha: there is no such plugin; build it, or make the import optional
    error: a host would refuse these plugins
    "#);
    fs::write(set.join("libalpha.so"), Build::Later.bytes("alpha")).unwrap();
    let ran = project.ran("", &["graph", "set"]);
    assert_eq!(ran.code, Some(1));
    assert_snapshot!(ran.stdout, @r#"
    alpha 0.1.0
      used by  beta, gamma
    beta 0.1.0
      needs    alpha (Alpha, another version)
    gamma 0.1.0
      needs    alpha (Alpha, optional, another version)
    guest 0.1.0
    probe 0.1.0
      needs    the host (Desk)
    "#);
    assert_snapshot!(ran.stderr, @r#"
    error: beta cannot use Alpha of alpha: they were built with different versions of it; build both again: cargo hotswap build -p beta -p alpha
    error: gamma cannot use Alpha of alpha: they were built with different versions of it; build both again: cargo hotswap build -p gamma -p alpha
    error: a host would refuse these plugins
    "#);
}
