//! Tests plugins that import each other.
use hotswap_host::prelude::*;
use hotswap_host::{Outcome, PluginErrorKind, RetirementState};
use hotswap_tests::fixture::{Build, ordered, variant};
use hotswap_tests::links::{bottom, build, middle, summit};
use hotswap_tests::{Stage, process, until};

fn alpha(number: u8) -> Vec<u8> {
    variant(
        &Build::First.bytes("alpha"),
        "alpha 00",
        &format!("alpha {number:02}"),
    )
}

fn stage() -> Stage {
    Stage::open(&[
        ("alpha", &alpha(1)),
        ("beta", &Build::First.bytes("beta")),
        ("guest", &Build::First.bytes("guest")),
    ])
}

#[test]
fn the_listing_says_who_needs_whom() {
    let stage = stage();
    let listing = serde_json::to_value(stage.swapper.listing()).unwrap();
    assert_eq!(
        (&listing["generation"], &listing["reloads"]),
        (&1.into(), &0.into())
    );
    let plugin = |name: &str| {
        let plugins = listing["plugins"].as_array().unwrap();
        plugins
            .iter()
            .find(|plugin| plugin["name"] == name)
            .unwrap()
            .clone()
    };
    let (alpha, beta) = (plugin("alpha"), plugin("beta"));
    assert_eq!(alpha["users"], serde_json::json!(["beta"]));
    assert_eq!(beta["dependencies"], serde_json::json!(["alpha"]));
    assert_eq!(alpha["version"], "0.1.0");
    assert_eq!(alpha["file"], stage.file("alpha").to_str().unwrap());
    assert_eq!(alpha["build_id"].as_str().unwrap().len(), 32);
    assert!(alpha["loaded_at"]["secs_since_epoch"].as_u64().unwrap() > 1_600_000_000);
    let note = &alpha["note"];
    assert!(
        note["commit"].is_string() && note["dirty"].is_boolean(),
        "{note}"
    );
    assert_eq!(plugin("guest")["users"], serde_json::json!([]));
    stage.close();
}

#[test]
fn who_imports_a_replaced_plugin_follows_it() {
    let stage = stage();
    let ask: Function<fn() -> (String, u32)> = stage.swapper.function("beta", "ask").unwrap();
    assert_eq!(ask.call().unwrap(), ("alpha 01".into(), 1));
    assert_eq!(ask.call().unwrap(), ("alpha 01".into(), 2));
    let pin = stage.swapper.pin();
    let report = std::thread::scope(|scope| {
        scope
            .spawn(|| stage.swap("alpha", &alpha(2)))
            .join()
            .unwrap()
    });
    assert_eq!(
        report.to_string(),
        "alpha: reloaded; beta: followed alpha; guest: unchanged"
    );
    assert_eq!(ask.call().unwrap(), ("alpha 02".into(), 1));
    // The pinned generation is complete: the old beta runs with the old alpha.
    assert_eq!(
        ask.on(&pin).unwrap().call().unwrap(),
        ("alpha 01".into(), 3)
    );
    drop(pin);
    let gone = stage.settle();
    // Both plugins leave. The guest does not, and goes on as it is.
    let mut gone: Vec<_> = gone
        .iter()
        .map(|r| (r.plugin.as_str(), r.generation, r.state))
        .collect();
    gone.sort_by_key(|r| r.0);
    assert_eq!(
        gone,
        [
            ("alpha", Some(1), RetirementState::Gone),
            ("beta", Some(1), RetirementState::Gone)
        ]
    );
    stage.close();
}

#[test]
fn an_optional_import_comes_and_goes() {
    let stage = Stage::open(&[("gamma", &Build::First.bytes("gamma"))]);
    let ask: Function<fn() -> Option<String>> = stage.swapper.function("gamma", "ask").unwrap();
    assert_eq!(ask.call().unwrap(), None);
    for number in 1..4 {
        let report = stage.swap("alpha", &alpha(number));
        let outcome = if number == 1 { "loaded" } else { "reloaded" };
        assert_eq!(
            report.to_string(),
            format!("alpha: {outcome}; gamma: followed alpha")
        );
        assert_eq!(ask.call().unwrap(), Some(format!("alpha {number:02}")));
    }
    let report = stage.swapper.unload("alpha").unwrap();
    assert_eq!(report.to_string(), "gamma: followed alpha; alpha: removed");
    assert_eq!(ask.call().unwrap(), None);
    stage.settle();
    stage.close();
}

#[test]
fn only_what_changed_is_loaded_again() {
    let stage = stage();
    let ask: Function<fn() -> (String, u32)> = stage.swapper.function("beta", "ask").unwrap();
    ask.call().unwrap();
    let guest = variant(&Build::First.bytes("guest"), "days 00", "days 01");
    let report = stage.swap("guest", &guest);
    assert_eq!(
        report.to_string(),
        "alpha: unchanged; beta: unchanged; guest: reloaded"
    );
    // The instance is the same in the next generation.
    assert_eq!(ask.call().unwrap().1, 2);
    let report = stage.swapper.reload().unwrap();
    assert!(
        !report.changed() && report.generation == 2 && report.reloads == 1,
        "{report:?}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn what_others_import_cannot_be_unloaded() {
    let stage = stage();
    let error = stage.swapper.unload("alpha").unwrap_err();
    assert_eq!(
        error.to_string(),
        "alpha cannot be removed: it is imported by beta; keep it, or remove beta too"
    );
    let error = stage.swapper.unload("gamma").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no plugin gamma is loaded: loaded alpha, beta, guest"
    );
    std::fs::remove_file(stage.file("alpha")).unwrap();
    let error = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(
        error
            .to_string()
            .replace(stage.dir().to_str().unwrap(), "DIR")
    );
    let ask: Function<fn() -> (String, u32)> = stage.swapper.function("beta", "ask").unwrap();
    ask.call().unwrap();
    drop(ask);
    // The user of the plugin is removed with it.
    let report = stage.swapper.unload("beta").unwrap();
    assert_eq!(report.plugin("alpha").unwrap().outcome, Outcome::Removed);
    assert_eq!(
        report.to_string(),
        "guest: unchanged; alpha: removed; beta: removed"
    );
    stage.settle();
    stage.close();
}

#[test]
fn another_version_of_an_interface_is_refused_with_the_difference() {
    let stage = stage();
    stage.install("alpha", &Build::Later.bytes("alpha"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(
        matches!(error.kind(), Some(PluginErrorKind::Mismatch(_)))
            && error.plugin().unwrap() == "beta",
        "{error:?}"
    );
    insta::assert_snapshot!(
        error
            .to_string()
            .replace(stage.dir().to_str().unwrap(), "DIR")
    );
    assert_eq!(stage.swapper.generation(), 1);
    stage.settle();
    stage.close();
}

#[test]
fn what_the_host_does_not_provide_is_named() {
    let dir = tempfile::tempdir().unwrap();
    hotswap_tests::fixture::install(&Build::First.bytes("probe"), "probe", dir.path());
    let error = Swapper::builder()
        .plugin_dir(dir.path())
        .open()
        .err()
        .unwrap();
    insta::assert_snapshot!(
        error
            .to_string()
            .replace(dir.path().to_str().unwrap(), "DIR")
    );
}

/// A plugin that may not be replaced could not follow its import.
#[test]
fn what_may_not_be_replaced_imports_nothing_that_may() {
    let fixed = |library: &[u8]| ordered(library, "fixed");
    let stage = Stage::open(&[
        ("bottom", &bottom()),
        ("guest", &Build::First.bytes("guest")),
    ]);
    let mut texts = Vec::new();
    let mut refused = |chain: &[&str]| {
        let error = stage.swapper.reload().unwrap_err();
        assert!(
            matches!(error.kind(), Some(PluginErrorKind::NotReloadable { chain: found }) if found == chain),
            "{error:?}"
        );
        assert_eq!(stage.swapper.listing().plugins.len(), 2);
        stage.settle();
        let text = error.to_string();
        // The same error refuses the set when a host starts with it.
        let opened = Swapper::builder()
            .plugin_dir(stage.dir())
            .provide::<dyn shapes::Desk>(stage.desk.clone())
            .open();
        assert_eq!(opened.err().unwrap().to_string(), text);
        texts.push(text.replace(stage.dir().to_str().unwrap(), "DIR"));
    };
    stage.install("middle", &fixed(&middle()));
    refused(&["middle", "bottom"]);
    stage.install("middle", &middle());
    stage.install("summit", &fixed(&summit()));
    refused(&["summit", "middle", "bottom"]);
    insta::assert_snapshot!(texts.join("\n"));
    stage.close();

    // If all of them may not be replaced, the set is accepted.
    let stage = Stage::open(&[("bottom", &fixed(&bottom())), ("middle", &fixed(&middle()))]);
    let report = stage.swap("bottom", &build(&bottom(), 1)).to_string();
    assert_eq!(
        report,
        "bottom: not reloadable, the running build stays; middle: unchanged"
    );
    std::fs::remove_file(stage.file("bottom")).unwrap();
    assert!(matches!(
        stage.swapper.reload(),
        Err(ReloadError::InUse { .. })
    ));
    stage.close();
}

/// A cleaner of temporary files may have removed the copies. The artifacts still hold the same builds, and the checks
/// of each library were made when it was loaded.
#[test]
fn who_follows_and_who_leaves_needs_no_private_copy() {
    let stage = stage();
    let ask: Function<fn() -> (String, u32)> = stage.swapper.function("beta", "ask").unwrap();
    let host_dir = process::host_dir_of(stage.dir());
    for copy in stage.copies() {
        std::fs::remove_file(host_dir.join(copy)).unwrap();
    }
    stage.swap("alpha", &alpha(2));
    assert_eq!(ask.call().unwrap(), ("alpha 02".into(), 1));
    let old = || {
        let mut retirements = stage.swapper.retirements().into_iter();
        retirements.find(|r| r.plugin == "beta")
    };
    until("the end of beta", || {
        old().is_some_and(|r| r.state.is_end())
    });
    assert_eq!(old().map(|r| r.state), Some(RetirementState::Gone));
}
