//! Tests optional plugins, which the host can do without.
mod needed;

use hotswap_host::Outcome;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build, ordered, renamed, variant};
use hotswap_tests::links::{bottom, build, head, link, middle, summit};
use hotswap_tests::{Stage, records};
use std::fs;

/// The summit imports the middle, which imports the bottom. These plugins are optional.
fn chain(optional: &[&'static str]) -> Stage {
    Stage::with(
        &[
            ("bottom", &bottom()),
            ("middle", &middle()),
            ("summit", &summit()),
        ],
        |builder| builder.optional(optional.iter().copied()),
    )
}

fn redacted(stage: &Stage, text: impl ToString) -> String {
    let dir = stage.dir().to_str().unwrap();
    text.to_string().replace(dir, "DIR")
}

fn trace(stage: &Stage, plugin: &str) -> String {
    let trace = stage.swapper.invoke(plugin, "trace", &[]);
    trace.unwrap().to_string()
}

/// The generation that is staged has number 2, also without the plugin that fails.
#[test]
fn one_whose_hook_fails_stays_as_it_is() {
    for (how, hook) in [
        ("panic", "reloadable"),
        ("fail", "new"),
        ("panic", "new"),
        ("fail", "on_load"),
        ("panic", "on_load"),
        ("fail", "on_init"),
        ("panic", "on_init"),
    ] {
        let stage = Stage::with(
            &[("aaaaaa", &head("aaaaaa")), ("summit", &head("summit"))],
            |builder| builder.optional(["Summit"]),
        );
        stage.install("aaaaaa", &build(&head("aaaaaa"), 1));
        stage.install(
            "summit",
            &ordered(&head("summit"), &format!("{how} {hook}")),
        );
        let report = stage.swapper.reload().unwrap();
        let text = redacted(&stage, &report);
        let expected = "aaaaaa: reloaded; summit: failed, the running build stays: summit: ";
        let failed = if how == "fail" { "failed" } else { "panicked" };
        assert!(
            text.starts_with(&format!("{expected}{hook} {failed}: ")),
            "{text}"
        );
        assert!(report.changed() && report.generation == 2);
        assert_eq!(trace(&stage, "summit"), "summit (build 00)");
        assert_eq!(trace(&stage, "aaaaaa"), "aaaaaa (build 01)");
        stage.settle();
        // The next attempt fails again, and makes no generation.
        let report = stage.swapper.reload().unwrap();
        assert!(!report.changed() && report.generation == 2, "{report:?}");
        let outcome = &report.plugin("summit").unwrap().outcome;
        assert!(
            matches!(outcome, Outcome::Failed { stays: true, .. }),
            "{outcome:?}"
        );
        stage.settle();
        let report = stage.swap("summit", &build(&head("summit"), 2));
        assert_eq!(report.to_string(), "aaaaaa: unchanged; summit: reloaded");
        stage.settle();
        stage.close();
    }
}

#[test]
fn the_others_are_made_anew_once_all_that_was_made_is_freed() {
    let stage = Stage::with(
        &[("aaaaaa", &head("aaaaaa")), ("summit", &head("summit"))],
        |builder| builder.optional(["summit"]),
    );
    stage.desk.told();
    stage.install("aaaaaa", &build(&head("aaaaaa"), 1));
    stage.install("summit", &ordered(&head("summit"), "fail on_init"));
    stage.swapper.reload().unwrap();
    let told = stage.desk.told();
    let new: Vec<_> = told.iter().filter(|told| told.starts_with("2 ")).collect();
    insta::assert_snapshot!(
        new.iter().map(|told| format!("{told}\n")).collect::<String>(),
        @r"
    2 aaaaaa new
    2 summit new
    2 aaaaaa on_load
    2 summit on_load
    2 aaaaaa on_init
    2 summit on_init
    2 summit on_free
    2 summit drop
    2 aaaaaa on_free
    2 aaaaaa drop
    2 aaaaaa new
    2 aaaaaa on_load
    2 aaaaaa on_init
    2 aaaaaa on_start
    "
    );
    assert!(
        !told.iter().any(|told| told.starts_with("1 summit")),
        "{told:?}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_file_that_is_not_in_order() {
    records::keep();
    let guest = Build::First.bytes("guest");
    let stage = Stage::try_with(
        &[("bottom", &bottom()), ("guest", b"no library")],
        |builder| {
            builder
                .optional(["guest", "nobody"])
                .allow(["bottom", "guest", "nobody"])
        },
    );
    let stage = stage.unwrap();
    let names = |stage: &Stage| {
        let plugins = stage.swapper.listing().plugins;
        plugins
            .iter()
            .map(|p| p.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&stage), ["bottom"]);
    records::wait_for(&[
        "guest: failed, the host runs without it",
        stage.dir().to_str().unwrap(),
    ]);
    let report = stage.swapper.reload().unwrap();
    insta::assert_snapshot!(redacted(&stage, &report));
    assert!(!report.changed() && report.plugin("guest").unwrap().build_id.is_none());
    assert_eq!(
        stage.swap("guest", &guest).to_string(),
        "bottom: unchanged; guest: loaded"
    );
    // The file is broken again, and then a link to nowhere.
    let build_id = stage.swapper.listing().plugins[1].build_id;
    stage.install("guest", &guest[..guest.len() / 2]);
    let report = stage.swapper.reload().unwrap();
    assert_eq!(report.plugin("guest").unwrap().build_id, Some(build_id));
    insta::assert_snapshot!(redacted(&stage, &report).split(" it has").next().unwrap());
    fs::remove_file(stage.file("guest")).unwrap();
    std::os::unix::fs::symlink("nowhere", stage.file("guest")).unwrap();
    insta::assert_snapshot!(redacted(&stage, stage.swapper.reload().unwrap()));
    assert_eq!((names(&stage).len(), stage.swapper.generation()), (2, 2));
    // A file that is gone is not a failure.
    fs::remove_file(stage.file("guest")).unwrap();
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "bottom: unchanged; guest: removed"
    );
    stage.settle();
    stage.close();
}

#[test]
fn where_what_it_imports_is_replaced_the_host_runs_without_it() {
    let stage = chain(&["summit"]);
    stage.install("bottom", &build(&bottom(), 1));
    stage.install("summit", &ordered(&summit(), "fail on_load"));
    let report = stage.swapper.reload().unwrap();
    insta::assert_snapshot!(redacted(&stage, &report));
    assert!(report.changed());
    assert_eq!(
        trace(&stage, "middle"),
        "middle (build 00) <- bottom (build 01)"
    );
    let error = stage.swapper.invoke("summit", "trace", &[]).unwrap_err();
    assert!(matches!(error, CallError::NotLoaded { .. }));
    stage.settle();
    // The plugin comes back with a build that works.
    let report = stage.swap("summit", &summit()).to_string();
    assert_eq!(
        report,
        "bottom: unchanged; middle: unchanged; summit: loaded"
    );
    stage.close();
}

/// The same build may fail with the plugin that it imports now.
#[test]
fn one_that_cannot_follow() {
    let stage = Stage::with(
        &[
            ("alpha", &Build::First.bytes("alpha")),
            ("beta", &Build::First.bytes("beta")),
        ],
        |builder| builder.optional(["beta"]),
    );
    let report = stage.swap("alpha", &Build::Later.bytes("alpha"));
    insta::assert_snapshot!(report);
    insta::assert_snapshot!(format!("{:#}", report.plugin("beta").unwrap()));
    stage.settle();
    stage.close();
}

#[test]
fn who_imports_it_optionally_goes_on_without() {
    let alpha = Build::First.bytes("alpha");
    let stage = Stage::try_with(
        &[
            ("alpha", b"no library"),
            ("gamma", &Build::First.bytes("gamma")),
        ],
        |builder| builder.optional(["alpha"]),
    );
    let stage = stage.unwrap();
    let ask: Function<fn() -> Option<String>> = stage.swapper.function("gamma", "ask").unwrap();
    assert_eq!(ask.call().unwrap(), None);
    let report = stage.swap("alpha", &alpha).to_string();
    assert_eq!(report, "alpha: loaded; gamma: followed alpha");
    stage.install("alpha", b"no library");
    let report = redacted(&stage, stage.swapper.reload().unwrap());
    assert!(
        report.starts_with("alpha: failed, the running build stays: "),
        "{report}"
    );
    assert!(report.ends_with("; gamma: unchanged"), "{report}");
    assert_eq!(ask.call().unwrap().unwrap(), "alpha 00");
    stage.settle();
    stage.close();
}

#[test]
fn a_handle_that_would_not_fit_keeps_the_running_build() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::with(&[("guest", &guest), ("bottom", &bottom())], |builder| {
        builder.optional(["guest"])
    });
    let visit: Function<fn(u32) -> String> = stage.swapper.function("guest", "visit").unwrap();
    stage.install("bottom", &build(&bottom(), 1));
    stage.install("guest", &Build::Later.bytes("guest"));
    insta::assert_snapshot!(stage.swapper.reload().unwrap());
    assert_eq!(visit.call(1).unwrap(), "1 days 00");
    stage.settle();
    stage.close();
}

#[test]
fn an_import_that_nobody_is_and_a_circle() {
    let stage = chain(&["summit", "loners"]);
    stage.install("loners", &link("loners", "nobody"));
    // The bottom does not import it: only the summit closes the circle.
    stage.install("summit", &link("summit", "summit"));
    let report = stage.swapper.reload().unwrap();
    insta::assert_snapshot!(redacted(&stage, &report).replace("; ", "\n"));
    assert!(!report.changed());
    stage.settle();
    stage.close();
}

#[test]
fn two_files_of_one_are_none() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::with(&[("guest", &guest), ("bottom", &bottom())], |builder| {
        builder.optional(["guest"])
    });
    stage.install("guest2", &variant(&guest, "days 00", "days 01"));
    let report = stage.swapper.reload().unwrap();
    insta::assert_snapshot!(redacted(&stage, &report));
    stage.close();
}

#[test]
fn a_check_sees_what_will_be_and_runs_once() {
    let stage = chain(&["summit"]);
    stage.install("bottom", &build(&bottom(), 1));
    stage.install("summit", &ordered(&summit(), "fail on_init"));
    let mut seen = Vec::new();
    let report = stage.swapper.prepare_reload().check(|change| {
        seen.push(change.next().listing().plugins.len());
        Ok::<_, String>(())
    });
    let report = report.run().unwrap();
    assert!(matches!(
        report.plugin("summit").unwrap().outcome,
        Outcome::Failed { stays: false, .. }
    ));
    assert_eq!(seen, [2]);
    // A refusal by the check stands, whichever plugins are optional.
    stage.install("bottom", &build(&bottom(), 2));
    let vetoed = stage.swapper.prepare_reload().check(|_| Err("no"));
    assert!(matches!(vetoed.run(), Err(ReloadError::Vetoed(_))));
    stage.settle();
    stage.close();
}

/// The log has the whole warning, of which the report has one line.
#[test]
fn the_log_warns() {
    records::keep();
    // No other test here loads these plugins.
    let ledger = |version: Build| renamed(&version.bytes("ledger"), "book-a", "book-p");
    let stage = Stage::with(
        &[
            ("book-p", &ledger(Build::First)),
            ("auditor", &Build::First.bytes("auditor")),
        ],
        |builder| builder.optional(["auditor"]),
    );
    stage.swap("book-p", &ledger(Build::Later));
    let texts = [
        "auditor: failed, the host runs without it",
        "build both again",
    ];
    let record = records::wait_for(&texts);
    assert_eq!(record.level, tracing::Level::WARN);
    assert_eq!(records::with(&texts).len(), 1);
    stage.settle();
    stage.close();
}

#[test]
fn errors_name_the_plugin_that_a_file_is_called_after() {
    let stage = Stage::open(&[("bottom", &bottom())]);
    stage.install("sum-mit", b"no library");
    let error = stage.swapper.reload().unwrap_err();
    assert_eq!(error.plugin().unwrap(), "Sum-Mit");
    stage.close();
}

#[test]
fn one_that_was_loaded_from_its_file_is_tried_again() {
    let stage = Stage::with(&[("bottom", &bottom())], |builder| {
        builder.optional(["summit"])
    });
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&summit(), "summit", elsewhere.path());
    let file = elsewhere.path().join(fixture::file_name("summit"));
    let report = stage.swapper.load(&file).unwrap();
    let summit = report.plugin("summit").unwrap();
    let left = matches!(summit.outcome, Outcome::Failed { stays: false, .. });
    assert!(left, "{report}");
    // The plugin that it imports has come.
    stage.install("middle", &middle());
    let report = stage.swapper.reload().unwrap();
    assert_eq!(
        report.to_string(),
        "bottom: unchanged; middle: loaded; summit: loaded"
    );
    stage.settle();
    stage.close();
}
