//! Tests reloads: checks, load data, their order, and the places that may ask for one.
use hotswap_host::Outcome;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build, ordered, variant};
use hotswap_tests::{LIMIT, Stage, records};
use shapes::Config;
use std::sync::Barrier;

fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

#[test]
fn the_hooks_run_in_order() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    assert_eq!(stage.desk.told(), ["new", "on_load", "on_init", "on_start"]);
    let context: Function<fn() -> (String, String, u64, u64)> = stage.probe("context");
    let plugins: Function<fn() -> Vec<String>> = stage.probe("plugins");
    assert_eq!(
        context.call().unwrap(),
        ("probe".into(), "0.1.0".into(), 1, 0)
    );
    assert_eq!(plugins.call().unwrap(), ["probe"]);

    let report = stage.swap("probe", &ordered(&probe, "another build"));
    stage.settle();
    let told = stage.desk.told();
    // The old instance stops while the new one starts.
    assert_eq!(told[..3], ["new", "on_load", "on_init"]);
    let after = |a: &str, b: &str| {
        let at = |text| told.iter().position(|told| told == text).unwrap();
        assert!(at(a) > at(b), "{told:?}");
    };
    for (a, b) in [
        ("on_start", "on_init"),
        ("on_stop", "on_init"),
        ("on_free", "on_stop"),
        ("drop", "on_free"),
    ] {
        after(a, b);
    }
    assert_eq!(told.len(), 7);
    assert_eq!(
        context.call().unwrap(),
        ("probe".into(), "0.1.0".into(), 2, 1)
    );
    assert_eq!((report.generation, report.reloads), (2, 1));
    assert_eq!(
        (stage.swapper.generation(), stage.swapper.reloads()),
        (2, 1)
    );
    let Outcome::Reloaded { from } = report.plugin("probe").unwrap().outcome else {
        panic!("{report}")
    };
    assert_eq!(from, fixture::build_id(&probe));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json["plugins"][0]["outcome"]["reloaded"]["from"],
        from.to_string()
    );
    assert!(json["took"].as_f64().unwrap() > 0.0);
    stage.close();
}

#[test]
fn a_hook_that_fails_refuses_the_build() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    for hook in ["new", "on_load", "on_init"] {
        stage.install("probe", &ordered(&probe, &format!("fail {hook}")));
        let error = stage.swapper.reload().unwrap_err().to_string();
        let file = stage.file("probe");
        assert_eq!(
            error,
            format!(
                "probe: {hook} failed: {hook} would rather not ({})",
                file.display()
            )
        );
        stage.settle();
    }
    // The instances that were made have been freed, and the one that was never made has not.
    let told = stage.desk.told();
    assert_eq!(
        told.iter().filter(|told| *told == "on_free").count(),
        2,
        "{told:?}"
    );
    assert_eq!(
        told.iter().filter(|told| *told == "on_start").count(),
        1,
        "{told:?}"
    );
    assert_eq!(stage.swapper.generation(), 1);
    stage.close();
}

#[test]
fn a_check_sees_both_generations_and_may_veto() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    let (old, next) = (fixture::build_id(&probe), ordered(&probe, "another build"));
    let new = fixture::build_id(&next);
    stage.install("probe", &next);
    let builds = |change: &hotswap_host::Change<'_>| {
        let (live, next) = (change.live(), change.next());
        let ask = |generation: &hotswap_host::Generation| {
            generation
                .invoke("probe", "build", &[])
                .unwrap()
                .to_string()
        };
        assert_eq!((ask(live), ask(next)), (old.to_string(), new.to_string()));
        assert_eq!((live.number(), next.number()), (1, 2));
    };
    let vetoed = stage.swapper.prepare_reload().check(|change| {
        builds(change);
        Err("not on a Sunday")
    });
    let error = vetoed.run().unwrap_err();
    assert!(matches!(error, ReloadError::Vetoed(_)));
    assert_eq!(
        error.to_string(),
        "the new generation was refused: not on a Sunday"
    );
    stage.settle();

    let panicking = stage
        .swapper
        .prepare_reload()
        .check(|change| -> Result<(), String> {
            builds(change);
            panic!("no idea");
        });
    let error = panicking.run().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the new generation was refused: the check panicked: no idea"
    );
    assert_eq!((stage.swapper.generation(), stage.live_build()), (1, old));
    stage.settle();

    let agreed = stage
        .swapper
        .prepare_reload()
        .check(|change| -> Result<(), String> {
            builds(change);
            Ok(())
        });
    assert_eq!(agreed.run().unwrap().to_string(), "probe: reloaded");
    assert_eq!((stage.swapper.generation(), stage.live_build()), (2, new));
    stage.settle();
    stage.close();
}

#[test]
fn load_data_is_typed() {
    let probe = probe();
    let config = |limit| Config {
        words: vec!["hum".into()],
        limit,
    };
    let stage = Stage::with(&[("probe", &probe)], |builder| builder.load_data(config(1)));
    let theirs: Function<fn() -> Option<Config>> = stage.probe("config");
    assert_eq!(theirs.call().unwrap(), Some(config(1)));

    // A build that is loaded later gets the data of `open`, or of its own reload.
    stage.swap("probe", &ordered(&probe, "two"));
    assert_eq!(theirs.call().unwrap(), Some(config(1)));
    stage.install("probe", &ordered(&probe, "three"));
    stage
        .swapper
        .prepare_reload()
        .load_data(config(2))
        .run()
        .unwrap();
    assert_eq!(theirs.call().unwrap(), Some(config(2)));

    stage.install("probe", &ordered(&probe, "four"));
    let error = stage
        .swapper
        .prepare_reload()
        .load_data(vec![1_u8])
        .run()
        .unwrap_err();
    insta::assert_snapshot!(
        error
            .to_string()
            .replace(stage.dir().to_str().unwrap(), "DIR")
    );
    assert_eq!(theirs.call().unwrap(), Some(config(2)));
    // The failed reload has changed nothing.
    stage.swapper.reload().unwrap();
    assert_eq!(theirs.call().unwrap(), Some(config(2)));
    stage.settle();
    stage.close();
}

#[test]
fn one_from_inside_is_refused_at_once() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    // The reload is called from a call, through the host.
    let reload: Function<fn() -> String> = stage.probe("reload");
    let text = reload.call().unwrap();
    assert!(
        text.starts_with("a reload cannot run from inside a call"),
        "{text}"
    );
    // The reload is called with a pin.
    let pin = stage.swapper.pin();
    assert!(matches!(
        stage.swapper.reload(),
        Err(ReloadError::Reentrant(_))
    ));
    assert!(matches!(
        stage.swapper.unload("probe"),
        Err(ReloadError::Reentrant(_))
    ));
    assert!(matches!(
        stage.swapper.set_plugin_dir("/"),
        Err(ReloadError::Reentrant(_))
    ));
    assert!(matches!(
        stage.swapper.shutdown(LIMIT),
        Err(ReloadError::Reentrant(_))
    ));
    drop(pin);
    // The reload is called from a hook, before the switch and after it.
    for hook in ["on_load", "on_start"] {
        stage.swap("probe", &ordered(&probe, &format!("reload {hook}")));
        stage.desk.until_told(
            "a reload cannot run from inside a hook or a callback of a reload: it would wait for itself; reload from \
             another thread, or ask for it with `Context::request_reload`",
        );
        stage.desk.told();
    }
    // The reload is called from a check.
    stage.install("probe", &probe);
    let swapper = stage.swapper.clone();
    let nested = stage
        .swapper
        .prepare_reload()
        .check(|_| swapper.reload().map(drop));
    let error = nested.run().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("from inside a hook or a callback"),
        "{error}"
    );
    // None of these attempts has left anything behind.
    stage.swapper.reload().unwrap();
    drop(reload);
    stage.settle();
    stage.close();
}

#[test]
fn a_plugin_may_ask_for_one() {
    records::keep();
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    let request: Function<fn()> = stage.probe("request_reload");
    let next = ordered(&probe, "asked for by itself");
    stage.install("probe", &next);
    request.call().unwrap();
    stage.desk.until_told("on_stop");
    assert_eq!(stage.live_build(), fixture::build_id(&next));
    records::wait_for(&["a plugin asked for a reload: probe: reloaded"]);
    drop(request);
    // The reload may not have ended when it has written its record.
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.settle();
    stage.close();
}

#[test]
fn those_asked_for_at_once_queue() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::open(&[("guest", &guest)]);
    let names: Vec<String> = (0..8).map(|n| format!("days {n:02}")).collect();
    let barrier = Barrier::new(names.len());
    let one = |days: &str| {
        let next = variant(&guest, "days 00", days);
        let file = stage.dir().join(format!("{days}.bin"));
        std::fs::write(&file, next).unwrap();
        barrier.wait();
        std::fs::rename(&file, stage.file("guest")).unwrap();
        stage.swapper.reload().unwrap()
    };
    let reports: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = names.iter().map(|days| scope.spawn(|| one(days))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    // Each attempt has a report of its own, and each of those that made a generation made the next one.
    let mut made: Vec<_> = reports
        .iter()
        .filter(|r| r.changed())
        .map(|r| r.generation)
        .collect();
    made.sort_unstable();
    let last = stage.swapper.generation();
    assert_eq!(made, (2..=last).collect::<Vec<_>>());
    assert_eq!(stage.swapper.reloads(), made.len() as u64);
    stage.settle();
    stage.close();
}

#[test]
fn one_plugin_that_may_not_be_replaced() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &ordered(&probe, "fixed"))]);
    let build = stage.live_build();
    let report = stage.swap("probe", &probe);
    assert_eq!(
        report.to_string(),
        "probe: not reloadable, the running build stays"
    );
    assert!(!report.changed());
    assert_eq!((stage.live_build(), stage.swapper.generation()), (build, 1));
    stage.settle();
    stage.close();
}

#[test]
fn what_cannot_be_read_any_more_can_be_unloaded() {
    let stage = Stage::open(&[
        ("guest", &Build::First.bytes("guest")),
        ("alpha", &Build::First.bytes("alpha")),
    ]);
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&Build::First.bytes("talker"), "talker", elsewhere.path());
    let file = elsewhere.path().join("libtalker.so");
    stage.swapper.load(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    stage.swapper.reload().unwrap_err();
    assert_eq!(
        stage.swapper.unload("talker").unwrap().to_string(),
        "alpha: unchanged; guest: unchanged; talker: removed"
    );
    stage.install("guest", b"nothing of the kind");
    assert_eq!(
        stage.swapper.unload("guest").unwrap().to_string(),
        "alpha: unchanged; guest: removed"
    );
    // Its file does not matter, either, as long as the plugin is out.
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "alpha: unchanged"
    );
    stage.close();
}

/// Files of unloaded plugins do not matter, not even a missing one of a plugin on the allow-list.
#[test]
fn files_of_what_is_out_do_not_matter() {
    let guest = Build::First.bytes("guest");
    let alpha = Build::First.bytes("alpha");
    let stage = Stage::with(&[("guest", &guest), ("alpha", &alpha)], |builder| {
        builder.allow(["alpha", "guest"])
    });
    stage.swapper.unload("guest").unwrap();
    let unchanged = || {
        let report = stage.swapper.reload().unwrap();
        assert_eq!(report.to_string(), "alpha: unchanged");
    };
    stage.install("guest2", &variant(&guest, "days 00", "days 01"));
    unchanged();
    let both = stage.swapper.load(stage.file("guest2")).unwrap();
    assert_eq!(both.to_string(), "alpha: unchanged; guest: loaded");
    stage.swapper.unload("guest").unwrap();
    stage.install("guest", b"nothing of the kind");
    unchanged();
    std::fs::remove_file(stage.file("guest")).unwrap();
    std::fs::remove_file(stage.file("guest2")).unwrap();
    unchanged();
    stage.settle();
    stage.close();
}

#[test]
fn plugins_come_and_go_one_by_one() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::open(&[("guest", &guest)]);
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&Build::First.bytes("alpha"), "alpha", elsewhere.path());
    let file = elsewhere.path().join("libalpha.so");
    let report = stage.swapper.load(&file).unwrap();
    assert_eq!(report.to_string(), "alpha: loaded; guest: unchanged");
    // The plugin belongs to the next generations, too, and its file is checked again.
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "alpha: unchanged; guest: unchanged"
    );
    let other = variant(&Build::First.bytes("alpha"), "alpha 00", "alpha 01");
    fixture::install(&other, "alpha", elsewhere.path());
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "alpha: reloaded; guest: unchanged"
    );

    assert_eq!(
        stage.swapper.unload("guest").unwrap().to_string(),
        "alpha: unchanged; guest: removed"
    );
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "alpha: unchanged"
    );
    let error = stage.swapper.unload("guest").unwrap_err();
    assert_eq!(error.to_string(), "no plugin guest is loaded: loaded alpha");
    assert_eq!(
        stage.swapper.load(stage.file("guest")).unwrap().to_string(),
        "alpha: unchanged; guest: loaded"
    );

    // The directory is another one, and everything that was loaded or unloaded by name is forgotten.
    let second = tempfile::tempdir().unwrap();
    fixture::install(&guest, "guest", second.path());
    stage.swapper.set_plugin_dir(second.path()).unwrap();
    assert_eq!(stage.swapper.plugin_dir(), second.path());
    let report = stage.swapper.reload().unwrap();
    assert_eq!(report.plugin("alpha").unwrap().outcome, Outcome::Removed);
    assert_eq!(
        stage.swapper.listing().plugins[0].file,
        second.path().join("libguest.so")
    );
    stage.settle();
    stage.close();
}

#[test]
fn only_what_is_allowed_is_loaded() {
    let plugins = [("probe", probe()), ("guest", Build::First.bytes("guest"))];
    let plugins = plugins
        .each_ref()
        .map(|(name, bytes)| (*name, bytes.as_slice()));
    let stage = Stage::with(&plugins, |builder| builder.allow(["Guest"]));
    let names: Vec<_> = stage
        .swapper
        .listing()
        .plugins
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    assert_eq!(names, ["guest"]);
    // A file that is not allowed cannot do any harm.
    stage.install("probe", b"no library");
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "guest: unchanged"
    );
    std::fs::remove_file(stage.file("guest")).unwrap();
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(&error, ReloadError::Missing { name, .. } if *name == "guest"));
    insta::assert_snapshot!(
        error
            .to_string()
            .replace(stage.dir().to_str().unwrap(), "DIR")
    );
    stage.close();
}

#[test]
fn after_the_shutdown_calls_and_reloads_fail() {
    let stage = Stage::open(&[("probe", &probe())]);
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    count.call().unwrap();
    assert!(stage.swapper.shutdown(LIMIT).unwrap().is_empty());
    let error = count.call().unwrap_err();
    assert_eq!(
        error.to_string(),
        "probe.count is not loaded in this generation"
    );
    assert!(matches!(stage.swapper.reload(), Err(ReloadError::ShutDown)));
    assert!(matches!(
        stage.swapper.shutdown(LIMIT),
        Err(ReloadError::ShutDown)
    ));
    assert!(stage.swapper.listing().plugins.is_empty());
    stage.settle();
    assert_eq!(stage.desk.told().last().map(String::as_str), Some("drop"));
}
