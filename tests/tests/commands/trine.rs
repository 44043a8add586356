//! Tests the demo `trine` in a copy of the checkout: one, two, and all three of its plugins are edited while they are
//! called.
use crate::project::Project;
use crate::running::Running;
use insta::assert_snapshot;

const ALPHA: &str = "demos/trine/alpha/src/lib.rs";
const BETA: &str = "demos/trine/beta/src/lib.rs";
const GAMMA: &str = "demos/trine/gamma/src/lib.rs";
const INTERFACES: &str = "demos/trine/interfaces/src/lib.rs";

#[test]
fn each_of_three_is_edited_while_they_run() {
    let project = Project::of_the_checkout();
    project.plugin_dir("trine");
    before_it_is_built(&project);
    let often = ["run", "demos/trine", "--", "--interval", "20"];
    let trine = project.start("", &often);
    trine.until("--- generation 1 ---");
    for line in [
        "alpha adds up vectors",
        "beta goes for walks",
        "gamma keeps the beat",
        "=== pulse ===",
        "walk 1: 1 east, and home is 1.0 steps away",
        "the end is (1, 0)",
        "by gamma ",
        "walk 8: 7 legs are enough for beta",
    ] {
        trine.until(line);
    }
    who_needs_whom(&project);
    one_at_a_time(&project, &trine);
    what_they_agree_on(&project, &trine);
    what_does_not_start(&project, &trine);
    trine.signal(libc::SIGINT);
    trine.until("stopped");
    assert_eq!(trine.end(), Some(0));

    several_at_once(&project);
}

fn before_it_is_built(project: &Project) {
    let ran = project.ran("", &["graph", "demos/trine"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert_snapshot!(ran.stderr, @"error: no plugin of `trine` is built in `<target>/hotswap/debug/trine`; run `cargo hotswap build demos/trine`, or repeat the options with which it was built");
}

fn who_needs_whom(project: &Project) {
    let graph = |args: &[&str]| project.ok("", &[&["graph"], args].concat()).stdout;
    assert_snapshot!(graph(&["demos/trine"]), @r#"
    alpha 0.1.0
      used by  beta, gamma
    beta 0.1.0
      needs    alpha (Alpha)
      used by  gamma
    gamma 0.1.0
      needs    alpha (Alpha)
               beta (Beta)
    "#);
    assert_eq!(graph(&["trine"]), graph(&["demos/trine"]));
    assert_snapshot!(graph(&["trine", "--format", "dot"]), @r#"
    digraph plugins {
        node [shape=box];
        n0 [label="alpha 0.1.0"];
        n1 [label="beta 0.1.0"];
        n2 [label="gamma 0.1.0"];
        n1 -> n0 [label="Alpha"];
        n2 -> n0 [label="Alpha"];
        n2 -> n1 [label="Beta"];
    }
    "#);
    assert_snapshot!(graph(&["trine", "--format", "mermaid"]), @r#"
    graph TD
        n0["alpha 0.1.0"]
        n1["beta 0.1.0"]
        n2["gamma 0.1.0"]
        n1 -->|"Alpha"| n0
        n2 -->|"Alpha"| n0
        n2 -->|"Beta"| n1
    "#);
}

fn one_at_a_time(project: &Project, trine: &Running) {
    project.edit(ALPHA, "\"steps\"", "\"miles\"");
    trine.until("Reloaded alpha: reloaded; beta: followed alpha; gamma: followed alpha");
    trine.until("--- generation 2 ---");
    trine.until("1 east, and home is 1.0 miles away");
    project.edit(BETA, "\"east\"", "\"right\"");
    trine.until("Reloaded alpha: unchanged; beta: reloaded; gamma: followed beta");
    trine.until("--- generation 3 ---");
    trine.until("walk 1: 1 right, and home is 1.0 miles away");
    project.edit(GAMMA, "\"walk\"", "\"round\"");
    trine.until("Reloaded alpha: unchanged; beta: unchanged; gamma: reloaded");
    trine.until("--- generation 4 ---");
    trine.until("round 1: 1 right, and home is 1.0 miles away");
}

/// The host has no handle of this interface.
fn what_they_agree_on(project: &Project, trine: &Running) {
    let old = "fn build(&self) -> String;";
    let new =
        "fn build(&self) -> String;\n    /// More.\n    fn more(&self) -> u8 {\n        1\n    }";
    project.edit(INTERFACES, old, new);
    trine.until("Reloaded alpha: reloaded; beta: reloaded; gamma: reloaded");
    trine.until("--- generation 5 ---");
    trine.until("=== pulse ===");
}

/// One refused plugin keeps the sound ones from being swapped, too.
fn what_does_not_start(project: &Project, trine: &Running) {
    let (fine, broken) = (
        "        Beta {\n",
        "        assert!(cx.generation() == 0, \"not today\");\n        Beta {\n",
    );
    project.edit(BETA, fine, broken);
    trine.until("reload failed: beta: new panicked: not today");
    trine.until("the host refused the new plugins, and keeps those that it has");
    trine.forget();
    trine.until("round 1: 1 right, and home is 1.0 miles away");
    project.edit(BETA, broken, fine);
    trine.until("Reloaded alpha: unchanged; beta: unchanged; gamma: unchanged");
}

/// Nothing watches the sources, so that nothing is built before all of them are edited.
fn several_at_once(project: &Project) {
    let args = ["run", "--no-watch", "demos/trine", "--", "--interval", "20"];
    let trine = project.start("", &args);
    trine.until("round 1: 1 right, and home is 1.0 miles away");
    let reload = || project.ok("", &["reload", "-q", "demos/trine"]).stdout;
    project.edit(ALPHA, "\"miles\"", "\"steps\"");
    project.edit(GAMMA, "\"round\"", "\"walk\"");
    assert_eq!(
        reload(),
        "alpha: reloaded; beta: followed alpha; gamma: reloaded\n"
    );
    trine.until("--- generation 2 ---");
    trine.until("walk 1: 1 right, and home is 1.0 steps away");
    project.edit(ALPHA, "\"steps\"", "\"feet\"");
    project.edit(BETA, "\"right\"", "\"left\"");
    project.edit(GAMMA, "\"walk\"", "\"way\"");
    assert_eq!(
        reload(),
        "alpha: reloaded; beta: reloaded; gamma: reloaded\n"
    );
    trine.until("--- generation 3 ---");
    trine.until("way 1: 1 left, and home is 1.0 feet away");
    assert_eq!(
        reload(),
        "alpha: unchanged; beta: unchanged; gamma: unchanged\n"
    );
    trine.signal(libc::SIGTERM);
    assert_eq!(trine.end(), Some(0));
}
