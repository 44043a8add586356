//! Plugins that are kept cold: their old instances leave memory at the switch, and a revert makes them again.
use crate::support::{add, checked, host, orders, panic_once, stateful, window};
use hotswap_host::prelude::*;
use hotswap_host::{
    Builder, Keep, KeptBuild, Outcome, PluginError, PluginErrorKind, ReloadOptions, StateReport,
    WindowOutcome,
};
use hotswap_operate::{EntryResult, History};
use hotswap_tests::links;
use hotswap_tests::{LIMIT, Stage};
use std::fs;

/// Options with a window in which everything is kept cold.
fn cold() -> ReloadOptions {
    let mut options = window();
    options.keep = Keep::Cold;
    options
}

fn with(build: &[u8], options: ReloadOptions) -> Stage {
    host(build, |builder: Builder| builder.reload_options(options))
}

/// Checks that no build is loaded but the live ones, although the window is open.
fn only_the_live_ones(stage: &Stage) {
    stage.settle();
    assert!(stage.swapper.window().unwrap().is_some());
}

#[test]
fn the_old_instance_leaves_and_is_made_again_with_the_newest_state() {
    let stage = with(&stateful("first"), cold());
    assert_eq!(add(&stage, 7), 7);
    let report = stage.swap("checked", &stateful("second"));
    assert_eq!(report.plugins[0].notes, [""; 0]);
    only_the_live_ones(&stage);
    assert_eq!(add(&stage, 1), 8);
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    let plugin = &reverted.plugins[0];
    assert!(
        matches!(plugin.state, Some(StateReport::HandedOver { .. })),
        "{reverted}"
    );
    assert_eq!(add(&stage, 1), 9);
    // It counts as the build that it is.
    assert!(!stage.swap("checked", &stateful("first")).changed());
    stage.settle();
    stage.close();
}

#[test]
fn if_the_state_cannot_be_handed_back_the_one_of_the_switch_is_restored() {
    let stage = with(&stateful("first"), cold());
    assert_eq!(add(&stage, 7), 7);
    stage.swap("checked", &stateful("fail save"));
    only_the_live_ones(&stage);
    assert_eq!(add(&stage, 1), 8);
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8, "it stands where it stood at the switch");
    let plugin = &reverted.plugins[0];
    assert!(matches!(
        plugin.outcome,
        Outcome::Reverted { from: Some(_) }
    ));
    assert!(
        matches!(plugin.state, Some(StateReport::SetBack { .. })),
        "{reverted}"
    );
    let note = &plugin.notes[0];
    assert!(note.contains("save would rather not"), "{note}");
    stage.settle();
    stage.close();
}

#[test]
fn if_it_cannot_be_made_again_the_new_build_goes_on_and_is_not_permanent() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let journal = history.clone();
    // The old build refuses the state of the switch.
    let stage = host(&stateful("fail restored-7"), |builder| {
        builder.reload_options(cold()).journal(journal)
    });
    assert_eq!(add(&stage, 7), 7);
    let report = stage.swap("checked", &stateful("fail save"));
    let error = stage.swapper.rollback().unwrap_err();
    assert!(matches!(error, ReloadError::NotReverted { .. }), "{error}");
    assert!(
        error.to_string().contains("restored-7 would rather not"),
        "{error}"
    );
    assert_eq!(orders(&stage), "fail save");
    assert_eq!(add(&stage, 1), 8);
    let outcome = report.window.as_ref().unwrap().wait(LIMIT);
    assert!(
        matches!(outcome, Some(WindowOutcome::NotReverted { .. })),
        "{outcome:?}"
    );
    stage.settle();
    stage.close();
    let entries = history.entries(10).unwrap();
    let results: Vec<_> = entries.iter().map(|entry| entry.result).collect();
    let expected = [
        EntryResult::Refused,
        EntryResult::NotReverted,
        EntryResult::Permanent,
    ];
    assert_eq!(results, expected);
    drop(history);
    // The next start is on the build that has proven itself.
    let history = History::open(dir.path()).unwrap();
    let stage = host(&stateful("fail save"), |builder| {
        builder.reload_options(cold()).journal(history)
    });
    assert_eq!(orders(&stage), "fail restored-7");
    stage.close();
}

#[test]
fn one_without_state_loses_its_memory_and_the_reports_say_so() {
    let stage = with(&checked("first"), cold());
    assert_eq!(add(&stage, 7), 7);
    let report = stage.swap("checked", &checked("second"));
    let note = "kept cold, so a rollback loses what it has in memory, because it has neither `save` nor `restore`";
    assert_eq!(report.plugins[0].notes, [note]);
    only_the_live_ones(&stage);
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 1);
    let note = "what it had in memory is lost, because it was kept cold and has neither `save` nor `restore`";
    assert_eq!(reverted.plugins[0].notes, [note]);
    stage.settle();
    stage.close();
}

#[test]
fn a_confirmed_reload_leaves_nothing_of_it() {
    let stage = with(&stateful("first"), cold());
    let report = stage.swap("checked", &stateful("second"));
    stage.swapper.confirm().unwrap();
    let outcome = report.window.as_ref().unwrap().wait(LIMIT);
    assert_eq!(outcome, Some(WindowOutcome::Permanent));
    stage.settle();
    stage.close();
}

#[test]
fn one_plugin_is_kept_cold_and_the_other_warm() {
    let sibling = |orders| hotswap_tests::fixture::renamed(&checked(orders), "checked", "sibling");
    let options = window().keep_of("Sibling", Keep::Cold);
    let plugins: &[(&str, &[u8])] = &[
        ("checked", &checked("first")),
        ("sibling", &sibling("first")),
    ];
    let stage = Stage::with(plugins, |builder| builder.reload_options(options));
    let count: Function<fn(u32) -> u32> = stage.swapper.function("sibling", "add").unwrap();
    assert_eq!((add(&stage, 7), count.call(7).unwrap()), (7, 7));
    stage.install("sibling", &sibling("second"));
    let report = stage.swap("checked", &checked("second"));
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    assert_eq!(
        stage.copies().len(),
        3,
        "only one of the old builds has left"
    );
    let keeps: Vec<_> = report
        .kept
        .iter()
        .map(|kept| (kept.plugin.as_str(), kept.keep))
        .collect();
    assert_eq!(keeps, [("checked", Keep::Warm), ("sibling", Keep::Cold)]);
    stage.swapper.rollback().unwrap();
    assert_eq!((add(&stage, 1), count.call(1).unwrap()), (8, 1));
    stage.settle();
    stage.close();
}

/// Opens a host with a chain of two plugins, and puts another build of the lower one into the directory.
fn chain(options: ReloadOptions) -> Stage {
    let (bottom, middle) = (links::bottom(), links::middle());
    let plugins: &[(&str, &[u8])] = &[("bottom", &bottom), ("middle", &middle)];
    let stage = Stage::with(plugins, |builder| builder.reload_options(options));
    stage.install("bottom", &links::build(&bottom, 1));
    stage
}

#[test]
fn what_imports_it_is_kept_cold_too() {
    let stage = chain(window().keep_of("bottom", Keep::Cold));
    let before = stage.swapper.listing();
    let report = stage.swapper.reload().unwrap();
    assert_eq!(
        report.to_string().matches("kept cold").count(),
        2,
        "{report}"
    );
    only_the_live_ones(&stage);
    stage.swapper.rollback().unwrap();
    let builds = |listing: &hotswap_host::Listing| {
        let plugins = listing.plugins.iter();
        plugins.map(|plugin| plugin.build_id).collect::<Vec<_>>()
    };
    assert_eq!(builds(&stage.swapper.listing()), builds(&before));
    stage.settle();
    stage.close();
}

#[test]
fn what_imports_it_cannot_be_kept_warm() {
    let options = window()
        .keep_of("bottom", Keep::Cold)
        .keep_of("middle", Keep::Warm);
    let stage = chain(options);
    let error = stage.swapper.prepare_reload().validate().unwrap_err();
    let text = "middle cannot be kept warm, because it imports bottom, which is kept cold; keep both warm or both cold, in \
         `ReloadOptions::keep_of`";
    assert_eq!(error.to_string(), text);
    assert_eq!(stage.swapper.reload().unwrap_err().to_string(), text);
    // The importer alone may be cold: it is replaced without the plugin that it imports.
    let options = window().keep_of("middle", Keep::Cold);
    stage.install("bottom", &links::bottom());
    stage.install("middle", &links::build(&links::middle(), 1));
    stage
        .swapper
        .prepare_reload()
        .options(options)
        .run()
        .unwrap();
    only_the_live_ones(&stage);
    stage.swapper.rollback().unwrap();
    stage.settle();
    stage.close();
}

#[test]
fn one_that_could_not_be_made_again_is_refused_with_what_to_do() {
    let stage = with(&checked("first"), cold());
    // Somebody has cleaned up.
    let copies = hotswap_tests::process::host_dir_of(stage.dir());
    let copy = copies.join(&stage.copies()[0]);
    fs::remove_file(&copy).unwrap();
    stage.install("checked", &checked("second"));
    let dry = stage.swapper.prepare_reload().validate().unwrap_err();
    let error = stage.swapper.reload().unwrap_err();
    let ReloadError::Plugin(PluginError { kind, .. }) = &error else {
        panic!("{error}");
    };
    assert!(matches!(kind, PluginErrorKind::CannotKeepCold(_)));
    assert_eq!(dry.to_string(), error.to_string());
    let text = error.to_string();
    assert!(
        text.ends_with("open the host with a journal, or keep the plugin warm"),
        "{text}"
    );
    assert_eq!(orders(&stage), "first");
    stage
        .swapper
        .prepare_reload()
        .options(window())
        .run()
        .unwrap();
    assert_eq!(orders(&stage), "second");
    stage.close();
}

#[test]
fn the_store_of_a_journal_has_the_build() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let stage = host(&stateful("first"), |builder| {
        builder.reload_options(cold()).journal(history.clone())
    });
    assert_eq!(add(&stage, 7), 7);
    let copies = hotswap_tests::process::host_dir_of(stage.dir());
    fs::remove_file(copies.join(&stage.copies()[0])).unwrap();
    stage.swap("checked", &stateful("second"));
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8);
    stage.close();
}

#[test]
fn what_is_kept_is_shown_and_limited() {
    let stage = with(&stateful("first"), window());
    let report = stage.swap("checked", &stateful("second"));
    let kept = report.kept.clone();
    let [
        KeptBuild {
            plugin,
            keep: Keep::Warm,
            bytes: Some(warm),
            ..
        },
    ] = &kept[..]
    else {
        panic!("{kept:?}");
    };
    assert_eq!(plugin.as_str(), "checked");
    assert!(*warm > 0);
    let window_of = |stage: &Stage| stage.swapper.window().unwrap().unwrap();
    assert_eq!(window_of(&stage).kept(), kept);
    stage.swapper.rollback().unwrap();
    stage.install("checked", &stateful("third"));

    // The memory of an instance is known beforehand, and nothing is loaded.
    let mut options = window();
    options.kept_state_limit = 1;
    stage.desk.told();
    let reload = || stage.swapper.prepare_reload();
    let error = reload().options(options.clone()).run().unwrap_err();
    let ReloadError::KeptState { kept, limit: 1 } = &error else {
        panic!("{error}");
    };
    assert_eq!(kept[0].0.as_str(), "checked");
    assert!(kept[0].1 > 1);
    let text = error.to_string();
    assert!(text.starts_with("keeping checked ("), "{text}");
    assert!(
        text.contains("and `ReloadOptions::kept_state_limit` is 1 B; raise the limit"),
        "{text}"
    );
    assert_eq!(stage.desk.told(), [""; 0]);

    // The size of a saved state is known when it was saved, behind the gate. The old instance goes on.
    options.keep = Keep::Cold;
    let error = reload().options(options.clone()).run().unwrap_err();
    let ReloadError::KeptState { kept, limit: 1 } = &error else {
        panic!("{error}");
    };
    let size = kept[0].1;
    assert!(size > 1);
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 1);

    options.kept_state_limit = size;
    let report = reload().options(options).run().unwrap();
    let [
        KeptBuild {
            keep: Keep::Cold,
            bytes: Some(bytes),
            ..
        },
    ] = &report.kept[..]
    else {
        panic!("{:?}", report.kept);
    };
    assert_eq!(*bytes, size);
    stage.settle();
    stage.close();
}

#[test]
fn objects_in_slots_leave_with_it_and_come_back() {
    let cat = |build: &str| {
        let cat = hotswap_tests::fixture::variant(
            &hotswap_tests::fixture::Build::Cat.bytes("cat"),
            "build 00",
            build,
        );
        hotswap_tests::fixture::ordered(&cat, "meow set:name")
    };
    let stage = Stage::with(&[("cat-number-0", &cat("build 01"))], |builder| {
        builder.reload_options(cold()).extension::<sounds::Sounds>()
    });
    stage.swap("cat-number-0", &cat("build 02"));
    only_the_live_ones(&stage);
    stage.swapper.rollback().unwrap();
    let pin = stage.swapper.pin();
    let name = pin.bag("name").unwrap().clone().into_value();
    assert_eq!(name.as_str(), Some("cat-number-0 build 01"));
    assert!(
        pin.extension::<sounds::Sounds>()
            .unwrap()
            .meow
            .get()
            .is_some()
    );
    drop(pin);
    stage.settle();
    stage.close();
}

#[test]
fn a_reload_that_supersedes_another_leads_back_to_the_permanent_ones() {
    let sibling = |orders| hotswap_tests::fixture::renamed(&stateful(orders), "checked", "sibling");
    let mut options = cold();
    options.supersede = true;
    let plugins: &[(&str, &[u8])] = &[
        ("checked", &stateful("first")),
        ("sibling", &sibling("first")),
    ];
    let stage = Stage::with(plugins, |builder| builder.reload_options(options));
    let count: Function<fn(u32) -> u32> = stage.swapper.function("sibling", "add").unwrap();
    assert_eq!((add(&stage, 7), count.call(7).unwrap()), (7, 7));
    let second = stage.swap("checked", &stateful("second"));
    assert_eq!(second.kept.len(), 1);
    assert_eq!((add(&stage, 1), count.call(1).unwrap()), (8, 8));
    // The sibling was permanent and live until now, and its state is the one of now.
    let third = stage.swap("sibling", &sibling("fail save"));
    assert_eq!(third.kept.len(), 2);
    only_the_live_ones(&stage);
    assert_eq!((add(&stage, 1), count.call(1).unwrap()), (9, 9));
    let report = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    // One state cannot be handed back, so both go back to where they stood when each was replaced.
    assert_eq!((add(&stage, 1), count.call(1).unwrap()), (8, 9));
    for plugin in &report.plugins {
        assert!(
            matches!(plugin.state, Some(StateReport::SetBack { .. })),
            "{report}"
        );
    }
    stage.settle();
    stage.close();
}

#[test]
fn one_that_a_warm_plugin_imports_stays_warm() {
    let mut options = window();
    options.supersede = true;
    let (bottom, middle) = (links::bottom(), links::middle());
    let plugins: &[(&str, &[u8])] = &[("bottom", &bottom), ("middle", &middle)];
    let stage = Stage::with(plugins, |builder| builder.reload_options(options.clone()));
    let before = stage.swapper.listing();
    stage.swap("middle", &links::build(&middle, 1));
    // The old instance of the middle is kept warm, and would call the old one of the bottom.
    stage.install("bottom", &links::build(&bottom, 1));
    options.keep = Keep::Cold;
    let report = stage.swapper.prepare_reload().options(options);
    let report = report.run().unwrap();
    let note = "kept warm, because middle, which is kept warm since an earlier reload, imports it";
    assert_eq!(report.plugin("bottom").unwrap().notes, [note]);
    assert!(report.kept.iter().all(|kept| kept.keep == Keep::Warm));
    assert_eq!(report.kept.len(), 2);
    stage.swapper.rollback().unwrap();
    let builds = |listing: &hotswap_host::Listing| {
        let plugins = listing.plugins.iter();
        plugins.map(|plugin| plugin.loaded_at).collect::<Vec<_>>()
    };
    assert_eq!(builds(&stage.swapper.listing()), builds(&before));
    stage.settle();
    stage.close();
}

#[test]
fn a_reload_in_two_phases_keeps_it_cold_too() {
    let stage = with(&stateful("first"), cold());
    assert_eq!(add(&stage, 7), 7);
    stage.install("checked", &stateful("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    assert_eq!(add(&stage, 1), 8);
    staged.commit().unwrap();
    only_the_live_ones(&stage);
    stage.swapper.rollback().unwrap();
    assert_eq!(add(&stage, 1), 9);
    stage.settle();
    stage.close();
}

#[test]
fn one_that_is_removed_comes_back_with_its_state() {
    let first = stateful("first");
    let sibling = hotswap_tests::fixture::renamed(&first, "checked", "sibling");
    let plugins: &[(&str, &[u8])] = &[("checked", &first), ("sibling", &sibling)];
    let stage = Stage::with(plugins, |builder| builder.reload_options(cold()));
    let add_to_sibling = || {
        let count: Function<fn(u32) -> u32> = stage.swapper.function("sibling", "add").unwrap();
        count.call(1).unwrap()
    };
    assert_eq!(add_to_sibling(), 1);
    let report = stage.swapper.unload("sibling").unwrap();
    assert!(report.is_provisional());
    only_the_live_ones(&stage);
    stage.swapper.rollback().unwrap();
    assert_eq!(add_to_sibling(), 2);
    stage.settle();
    stage.close();
}

#[test]
fn a_failure_that_cannot_be_reverted_closes_the_window_and_the_host_goes_on() {
    let stage = with(&stateful("fail restored-7"), cold());
    assert_eq!(add(&stage, 7), 7);
    let report = stage.swap("checked", &stateful("fail save"));
    panic_once(&stage);
    let outcome = report.window.as_ref().unwrap().wait(LIMIT).unwrap();
    let WindowOutcome::NotReverted { reason, error } = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(reason, "it has failed once, and the failure limit is 0");
    assert!(error.contains("the new builds go on"), "{error}");
    assert_eq!(orders(&stage), "fail save");
    let error = stage.swapper.rollback().unwrap_err();
    assert!(matches!(error, ReloadError::NoWindow), "{error}");
    // The way out is another build. This one has no state, so the one that cannot save it is not asked to, if it is kept warm.
    stage.install("checked", &checked("second"));
    let reload = stage.swapper.prepare_reload().options(window());
    reload.run().unwrap();
    assert_eq!(orders(&stage), "second");
    stage.swapper.confirm().unwrap();
    stage.close();
}
