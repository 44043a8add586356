//! Tests the order of the plugins, and which plugins follow others.
use crate::support::{Set, bottom, build, chain, head, link, link_after, middle, summit};
use hotswap_tests::LIMIT;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered};
use insta::assert_snapshot;

/// Opens the chain under names whose order is not the order of the imports.
fn stage() -> Stage {
    Stage::open(&[
        ("aaaaaa", &link("aaaaaa", "mmmmmm")),
        ("mmmmmm", &link("mmmmmm", "zzzzzz")),
        ("zzzzzz", &head("zzzzzz")),
        ("guest", &Build::First.bytes("guest")),
    ])
}

#[test]
fn each_plugin_comes_after_those_it_imports() {
    let stage = stage();
    assert_snapshot!(stage.desk.told().join("\n"), @r"
    1 zzzzzz new
    1 mmmmmm new
    1 aaaaaa new
    1 zzzzzz on_load
    1 mmmmmm on_load
    1 aaaaaa on_load
    1 zzzzzz on_init
    1 mmmmmm on_init
    1 aaaaaa on_init
    1 zzzzzz on_start
    1 mmmmmm on_start
    1 aaaaaa on_start
    ");
    let listing = stage.swapper.listing();
    let names: Vec<_> = listing
        .plugins
        .iter()
        .map(|plugin| plugin.name.as_str())
        .collect();
    assert_eq!(names, ["zzzzzz", "mmmmmm", "aaaaaa", "guest"]);
    // On the way out, each plugin comes before those that it imports.
    stage.swapper.shutdown(LIMIT).unwrap();
    assert_snapshot!(stage.desk.told().join("\n"), @r"
    1 aaaaaa on_stop
    1 mmmmmm on_stop
    1 zzzzzz on_stop
    1 aaaaaa on_free
    1 aaaaaa drop
    1 mmmmmm on_free
    1 mmmmmm drop
    1 zzzzzz on_free
    1 zzzzzz drop
    ");
}

/// One of the plugins only follows, and still the replaced set is made, loaded, and initialised as a whole.
#[test]
fn each_hook_runs_in_the_whole_set_before_the_next_one_does() {
    let stage = stage();
    stage.desk.told();
    stage.install("zzzzzz", &build(&head("zzzzzz"), 1));
    stage.install("mmmmmm", &build(&link("mmmmmm", "zzzzzz"), 1));
    let report = stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"zzzzzz: reloaded; mmmmmm: reloaded; aaaaaa: followed mmmmmm; guest: unchanged");
    let mut told = stage.desk.told();
    told.retain(|told| told.starts_with("2 "));
    assert_snapshot!(told.join("\n"), @r"
    2 zzzzzz new
    2 mmmmmm new
    2 aaaaaa new
    2 zzzzzz on_load
    2 mmmmmm on_load
    2 aaaaaa on_load
    2 zzzzzz on_init
    2 mmmmmm on_init
    2 aaaaaa on_init
    2 zzzzzz on_start
    2 mmmmmm on_start
    2 aaaaaa on_start
    ");
    stage.settle();
    stage.close();
}

#[test]
fn a_report_has_the_order_of_the_generation_and_then_those_that_left() {
    let stage = stage();
    stage.install("mmmmmm", &build(&link("mmmmmm", "zzzzzz"), 1));
    stage.install("bottom", &bottom());
    std::fs::remove_file(stage.file("guest")).unwrap();
    let report = stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"zzzzzz: unchanged; mmmmmm: reloaded; aaaaaa: followed mmmmmm; bottom: loaded; guest: removed");
    stage.settle();
    stage.close();
}

#[test]
fn all_who_import_a_rebuilt_plugin_follow_it() {
    let set = Set::chain();
    for (name, library, expected) in [
        (
            "summit",
            summit(),
            "bottom: unchanged; middle: unchanged; summit: reloaded",
        ),
        (
            "middle",
            middle(),
            "bottom: unchanged; middle: reloaded; summit: followed middle",
        ),
        (
            "bottom",
            bottom(),
            "bottom: reloaded; middle: followed bottom; summit: followed middle",
        ),
    ] {
        let generation = set.stage.swapper.generation();
        let report = set.stage.swap(name, &build(&library, 1));
        assert_eq!(report.to_string(), expected);
        assert_eq!(report.generation, generation + 1);
        // Every version that was replaced is gone.
        set.stage.settle();
    }
    assert_eq!(
        set.trace("summit"),
        "summit (build 01) <- middle (build 01) <- bottom (build 01)"
    );
    set.stage.close();
}

#[test]
fn two_and_three_at_once() {
    let set = Set::chain();
    set.install("bottom", &build(&bottom(), 1));
    set.install("summit", &build(&summit(), 1));
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(
        report,
        "bottom: reloaded; middle: followed bottom; summit: reloaded"
    );
    assert_eq!(
        set.trace("summit"),
        "summit (build 01) <- middle (build 00) <- bottom (build 01)"
    );
    for (name, library) in chain() {
        set.install(name, &build(&library, 2));
    }
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(
        report,
        "bottom: reloaded; middle: reloaded; summit: reloaded"
    );
    assert_eq!(
        set.trace("summit"),
        "summit (build 02) <- middle (build 02) <- bottom (build 02)"
    );
    set.stage.settle();
    set.stage.close();
}

/// Earlier builds may come back as long as the host runs, any number of times.
#[test]
fn an_earlier_build_comes_back() {
    let set = Set::chain();
    let (a, b) = (bottom(), build(&bottom(), 1));
    let ids: Vec<_> = [&a, &b, &a, &b, &a]
        .into_iter()
        .skip(1)
        .map(|library| {
            let report = set.stage.swap("bottom", library);
            let expected = "bottom: reloaded; middle: followed bottom; summit: followed middle";
            assert_eq!(report.to_string(), expected);
            set.stage.settle();
            (set.trace("bottom"), set.stage.live_build())
        })
        .collect();
    assert_eq!(ids[0], ids[2]);
    assert_eq!(ids[1], ids[3]);
    assert_eq!(ids[1].0, "bottom (build 00)");
    assert_eq!(ids[2].0, "bottom (build 01)");
    assert_ne!(ids[0].1, ids[1].1);
    set.stage.close();
}

/// The imports of a plugin belong to its build.
#[test]
fn a_rebuilt_plugin_imports_another_and_what_it_imported_is_removed() {
    let set = Set::chain();
    set.install("summit", &link("summit", "bottom"));
    set.remove("middle");
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(
        report,
        "bottom: unchanged; summit: reloaded; middle: removed"
    );
    assert_eq!(
        set.trace("summit"),
        "summit (build 00) <- bottom (build 00)"
    );
    set.stage.settle();
    // The next build imports nothing any more.
    set.install("summit", &head("summit"));
    set.remove("bottom");
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(report, "summit: reloaded; bottom: removed");
    assert_eq!(set.trace("summit"), "summit (build 00)");
    set.stage.settle();
    set.stage.close();
}

#[test]
fn one_that_changed_one_that_did_not_and_one_that_may_not() {
    let set = Set::open(&[
        ("bottom", bottom()),
        ("one", head("my-one")),
        ("fixed", ordered(&head("my-fix"), "fixed")),
    ]);
    set.install("one", &build(&head("my-one"), 1));
    set.install("fixed", &build(&head("my-fix"), 1));
    let report = set.stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"bottom: unchanged; my-fix: not reloadable, the running build stays; my-one: reloaded");
    assert_eq!(set.trace("my-fix"), "my-fix (build 00)");
    assert_eq!(set.trace("my-one"), "my-one (build 01)");
    // Only the replaced instance is freed.
    let gone = set.stage.settle();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].plugin, "my-one");
    let told = set.stage.desk.told();
    let freed: Vec<_> = told
        .iter()
        .filter(|told| told.ends_with("on_free"))
        .collect();
    assert_eq!(freed, ["1 my-one on_free"]);
    set.stage.close();
}

/// A plugin is loaded once, and goes on while others come and go.
#[test]
fn the_others_keep_their_instances() {
    let set = Set::open(&[("bottom", bottom())]);
    let loaded_at = || set.stage.swapper.listing().plugins[0].loaded_at;
    let first = loaded_at();
    for (report, files) in [
        (
            "bottom: unchanged; middle: loaded",
            vec![("middle", middle())],
        ),
        (
            "bottom: unchanged; middle: unchanged; summit: loaded",
            vec![("summit", summit())],
        ),
        (
            "bottom: unchanged; middle: unchanged; summit: removed",
            vec![],
        ),
    ] {
        files
            .iter()
            .for_each(|(name, library)| set.install(name, library));
        if files.is_empty() {
            set.remove("summit");
        }
        assert_eq!(set.stage.swapper.reload().unwrap().to_string(), report);
        assert_eq!(loaded_at(), first);
        set.stage.settle();
    }
    set.stage.close();
}

/// An import that is never called only sets the order, so the importer does not follow it.
#[test]
fn one_that_has_to_be_there_first() {
    let set = Set::open(&[
        ("bottom", bottom()),
        ("middle", link_after("middle", "bottom", "zzzzzz")),
        ("zzzzzz", head("zzzzzz")),
    ]);
    let names = |set: &Set| {
        let plugins = set.stage.swapper.listing().plugins;
        let names = plugins.iter().map(|plugin| plugin.name.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&set), ["bottom", "zzzzzz", "middle"]);
    let report = set.stage.swap("zzzzzz", &build(&head("zzzzzz"), 1));
    assert_eq!(
        report.to_string(),
        "bottom: unchanged; zzzzzz: reloaded; middle: unchanged"
    );
    set.stage.settle();
    set.stage.close();
}

#[test]
fn a_field_that_is_no_import() {
    let set = Set::chain();
    let traces = || set.stage.swapper.invoke("middle", "traces", &[]).unwrap();
    let before = traces();
    set.trace("middle");
    assert_eq!((before, traces()), (1.into(), 2.into()));
    let middle = &set.stage.swapper.listing().plugins[1];
    assert_eq!(middle.dependencies, ["bottom"]);
    set.stage.close();
}
