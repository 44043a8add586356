//! Tests reloads of some plugins, whatever has become of the files of the others.
use hotswap_host::Outcome;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered, variant};
use hotswap_tests::links::{bottom, build, middle, summit};
use std::fs;

/// The summit imports the middle, which imports the bottom. The guest is independent.
fn stage() -> Stage {
    Stage::open(&[
        ("bottom", &bottom()),
        ("middle", &middle()),
        ("summit", &summit()),
        ("guest", &Build::First.bytes("guest")),
    ])
}

fn guest(number: u8) -> Vec<u8> {
    variant(
        &Build::First.bytes("guest"),
        "days 00",
        &format!("days {number:02}"),
    )
}

fn trace(stage: &Stage) -> String {
    let trace = stage.swapper.invoke("summit", "trace", &[]);
    trace.unwrap().to_string()
}

fn only(stage: &Stage, names: &[&str]) -> String {
    let report = stage.swapper.reload_only(names.iter().copied());
    report.unwrap().to_string()
}

#[test]
fn others_keep_their_instances_whatever_became_of_their_files() {
    let stage = stage();
    let visit: Function<fn(u32) -> String> = stage.swapper.function("guest", "visit").unwrap();
    // These files are changed, broken, or gone.
    stage.install("bottom", &build(&bottom(), 1));
    stage.install("guest", b"no library");
    fs::remove_file(stage.file("middle")).unwrap();
    stage.install("summit", &build(&summit(), 1));
    stage.install("stranger", b"no library either");
    std::os::unix::fs::symlink("nowhere", stage.file("dangling")).unwrap();
    assert_eq!(
        only(&stage, &["SUMMIT"]),
        "bottom: unchanged; guest: unchanged; middle: unchanged; summit: reloaded"
    );
    assert_eq!(
        trace(&stage),
        "summit (build 01) <- middle (build 00) <- bottom (build 00)"
    );
    assert_eq!(visit.call(1).unwrap(), "1 days 00");
    // A reload with nothing to do makes no generation.
    let report = stage.swapper.reload_only(["summit"]).unwrap();
    assert!(!report.changed() && report.generation == 2, "{report:?}");
    let report = stage.swapper.reload_only([""; 0]).unwrap();
    assert!(!report.changed(), "{report:?}");
    // A reload of everything does look at all the files.
    stage.swapper.reload().unwrap_err();
    stage.settle();
    stage.close();
}

#[test]
fn the_order_of_names_does_not_matter() {
    for names in [["summit", "bottom"], ["bottom", "summit"]] {
        let stage = stage();
        stage.install("bottom", &build(&bottom(), 1));
        stage.install("middle", &build(&middle(), 1));
        stage.install("summit", &build(&summit(), 1));
        assert_eq!(
            only(&stage, &names),
            "bottom: reloaded; guest: unchanged; middle: followed bottom; summit: reloaded"
        );
        // A plugin that follows keeps its running build, although its file holds another one by now.
        assert_eq!(
            trace(&stage),
            "summit (build 01) <- middle (build 00) <- bottom (build 01)"
        );
        assert_eq!(
            stage.swapper.reload().unwrap().to_string(),
            "bottom: unchanged; guest: unchanged; middle: reloaded; summit: followed middle"
        );
        stage.settle();
        stage.close();
    }
}

/// A plugin follows twice, with its file gone: the private copy of the running build is loaded again.
#[test]
fn who_follows_needs_no_file() {
    let stage = stage();
    fs::remove_file(stage.file("middle")).unwrap();
    fs::write(stage.file("summit"), "no library").unwrap();
    for number in 1..3 {
        stage.install("bottom", &build(&bottom(), number));
        assert_eq!(
            only(&stage, &["bottom"]),
            "bottom: reloaded; guest: unchanged; middle: followed bottom; summit: followed middle"
        );
        assert_eq!(
            trace(&stage),
            format!("summit (build 00) <- middle (build 00) <- bottom (build {number:02})")
        );
        stage.settle();
    }
    // The files are put back. They hold the running builds, as they did when those were first loaded.
    let listing = serde_json::to_value(stage.swapper.listing()).unwrap();
    assert_eq!(
        listing["plugins"][3]["file"],
        stage.file("summit").to_str().unwrap()
    );
    assert!(
        listing["plugins"][3]["note"]["commit"].is_string(),
        "{listing}"
    );
    stage.install("middle", &middle());
    stage.install("summit", &summit());
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.close();
}

#[test]
fn one_that_is_new_is_added_and_one_that_is_gone_removed() {
    let stage = stage();
    stage.install("alpha", &Build::First.bytes("alpha"));
    stage.install("beta", &Build::First.bytes("beta"));
    fs::remove_file(stage.file("guest")).unwrap();
    fs::remove_file(stage.file("summit")).unwrap();
    assert_eq!(
        only(&stage, &["guest", "alpha"]),
        "alpha: loaded; bottom: unchanged; middle: unchanged; summit: unchanged; guest: removed"
    );
    let report = stage.swapper.reload_only(["summit"]).unwrap();
    assert_eq!(report.plugin("summit").unwrap().outcome, Outcome::Removed);
    stage.settle();
    stage.close();
}

#[test]
fn what_is_named_must_be_in_order() {
    let stage = stage();
    let refused = |names: &[&str]| {
        let before = serde_json::to_value(stage.swapper.listing()).unwrap();
        let error = stage
            .swapper
            .reload_only(names.iter().copied())
            .unwrap_err();
        assert_eq!(
            serde_json::to_value(stage.swapper.listing()).unwrap(),
            before
        );
        stage.settle();
        error
    };
    let mut texts = Vec::new();
    // These plugins are neither loaded nor in the directory.
    for name in ["sumit", "nobody"] {
        let error = refused(&["guest", name]);
        assert!(matches!(&error, ReloadError::Unknown { name: n, .. } if *n == name));
        texts.push(error.to_string());
    }
    // This plugin is imported, and its file is gone.
    fs::remove_file(stage.file("middle")).unwrap();
    let error = refused(&["middle"]);
    assert!(matches!(&error, ReloadError::InUse { name, .. } if *name == "middle"));
    texts.push(error.to_string());
    // This file is broken.
    stage.install("guest", b"no library");
    let error = refused(&["guest"]);
    assert_eq!(error.plugin().unwrap(), "guest");
    texts.push(error.to_string());
    // A plugin that was unloaded by name stays out until it is loaded by name.
    stage.swapper.reload_only(["bottom"]).unwrap();
    fs::remove_file(stage.file("guest")).unwrap();
    stage.install("middle", &middle());
    stage.swapper.unload("summit").unwrap();
    let error = refused(&["summit"]);
    assert!(matches!(&error, ReloadError::NotLoaded { .. }), "{error:?}");
    texts.push(error.to_string());
    let dir = stage.dir().to_str().unwrap();
    insta::assert_snapshot!(texts.join("\n").replace(dir, "DIR"));
    stage.close();
}

#[test]
fn what_is_not_allowed_is_not_loaded_by_naming_it() {
    let stage = Stage::with(&[("guest", &guest(0)), ("bottom", &bottom())], |builder| {
        builder.allow(["guest"])
    });
    let error = stage.swapper.reload_only(["bottom"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the plugin bottom is not on the allow-list; see `Builder::allow`"
    );
    stage.install("guest", &guest(1));
    assert_eq!(only(&stage, &["guest"]), "guest: reloaded");
    stage.close();
}

#[test]
fn with_data_and_a_check() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe), ("guest", &guest(0))]);
    let config = |limit| shapes::Config {
        words: Vec::new(),
        limit,
    };
    stage.install("probe", &ordered(&probe, "another build"));
    stage.install("guest", &guest(1));
    let reload = || {
        let reload = stage.swapper.prepare_reload();
        reload.only(["probe"]).load_data(config(7))
    };
    let vetoed = reload().check(|_| Err("not now")).run().unwrap_err();
    assert!(matches!(vetoed, ReloadError::Vetoed(_)), "{vetoed}");
    let look = |change: &hotswap_host::Change<'_>| {
        let visit = change.next().invoke("guest", "visit", &[1.into()]);
        match visit.unwrap().to_string().as_str() {
            "1 days 00" => Ok(()),
            other => Err(other.to_owned()),
        }
    };
    let report = reload().check(look).run().unwrap();
    assert_eq!(report.to_string(), "guest: unchanged; probe: reloaded");
    let theirs: Function<fn() -> Option<shapes::Config>> = stage.probe("config");
    assert_eq!(theirs.call().unwrap(), Some(config(7)));
    stage.settle();
    stage.close();
}

/// The plugins were loaded from files outside the directory.
#[test]
fn one_that_was_added_by_its_file() {
    let stage = Stage::open(&[("guest", &guest(0))]);
    let elsewhere = tempfile::tempdir().unwrap();
    let put = |number| {
        hotswap_tests::fixture::install(&build(&bottom(), number), "bottom", elsewhere.path())
    };
    put(0);
    let file = elsewhere.path().join("libbottom.so");
    stage.swapper.load(&file).unwrap();
    put(1);
    stage.install("guest", &guest(1));
    assert_eq!(
        only(&stage, &["guest"]),
        "bottom: unchanged; guest: reloaded"
    );
    assert_eq!(
        only(&stage, &["bottom"]),
        "bottom: reloaded; guest: unchanged"
    );
    fs::remove_file(&file).unwrap();
    assert_eq!(
        only(&stage, &["guest"]),
        "bottom: unchanged; guest: unchanged"
    );
    stage.swapper.reload_only(["bottom"]).unwrap_err();
    stage.settle();
    stage.close();
}
