//! A dry run knows from the artifacts which migrations a state and a live type have.
use hotswap_host::prelude::*;
use hotswap_host::{ItemChange, ReloadOptions};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build, renamed, variant};
use std::sync::Arc;

/// What the later builds declare of their version 1.
const BOTH_WAYS: &str = r#"{"migrations":[{"from":1,"up":true,"down":true}]"#;
/// The same in a build without the migration down.
const ONLY_UP: &str = r#"{"migrations":[{"from":1,"up":true,"d0wn":true}]"#;
/// The same in a build whose migration is for another version.
const FROM_9: &str = r#"{"migrations":[{"from":9,"up":true,"down":true}]"#;

struct NoPorter;

impl shapes::tills::Porter for NoPorter {
    fn call(&self, _: &str, _: &str) -> u64 {
        0
    }
}

fn stateful(stage_of: &[u8]) -> Stage {
    Stage::with(&[("stateful", stage_of)], |builder| {
        builder.provide::<dyn shapes::tills::Porter>(Arc::new(NoPorter))
    })
}

/// Returns what a dry run with this build says of the first item that changes, and whether the whole is breaking.
fn verdict(stage: &Stage, name: &str, build: &[u8]) -> (bool, ItemChange) {
    stage.install(name, build);
    let verdict = stage.swapper.prepare_reload().validate().unwrap();
    let changes = verdict.plugin(name).unwrap().changes.clone();
    let versioned = |change: &ItemChange| {
        let item = change.item.to_string();
        item.starts_with("state ") || item.starts_with("live type ")
    };
    let change = changes.into_iter().find(versioned);
    (verdict.is_breaking(), change.expect("a type has changed"))
}

#[test]
fn a_state_with_a_way_there_and_back_is_compatible() {
    let later = Build::StatefulLater.bytes("stateful");
    let state = fixture::artifact(&later).metadata.state.unwrap();
    let history = state.history.unwrap();
    let declared = history.migrations[0];
    assert!(declared.from == 1 && declared.up && declared.down);
    let needed = history.fields.unwrap().into_iter();
    let needed = needed.filter(|field| field.needed);
    let needed: Vec<_> = needed.flat_map(|field| field.names).collect();
    assert_eq!(needed, ["sum", "moves", "ballast"]);
    let stage = stateful(&Build::Stateful.bytes("stateful"));
    let (breaking, change) = verdict(&stage, "stateful", &later);
    assert!(!breaking);
    assert_eq!(
        change.to_string(),
        "changes state State from version 1 to version 2"
    );
    stage.close();
}

#[test]
fn a_state_without_a_way_back_is_a_warning() {
    let stage = stateful(&Build::Stateful.bytes("stateful"));
    let one_way = renamed(&Build::StatefulLater.bytes("stateful"), BOTH_WAYS, ONLY_UP);
    let (breaking, change) = verdict(&stage, "stateful", &one_way);
    assert!(!breaking);
    assert_eq!(
        change.to_string(),
        "changes state State from version 1 to version 2\n    State cannot go back from version 2 to version 1: write `down = …` in `migrate(1, …)`"
    );
    // A running build without a way back does not go to an earlier one.
    let stage = stateful(&one_way);
    let (breaking, change) = verdict(&stage, "stateful", &Build::Stateful.bytes("stateful"));
    assert!(breaking);
    assert!(
        change.warnings[0].ends_with("the running build lacks `down = …` in `migrate(1, …)`"),
        "{change}"
    );
}

#[test]
fn a_state_without_a_way_from_the_live_version_breaks() {
    let stage = stateful(&Build::Stateful.bytes("stateful"));
    let later = renamed(&Build::StatefulLater.bytes("stateful"), BOTH_WAYS, FROM_9);
    let (breaking, change) = verdict(&stage, "stateful", &later);
    assert!(breaking);
    assert_eq!(
        change.warnings,
        [
            "State has no migration from version 1, and the field `sum` is new, and saved data lacks it: write `migrate(1, up = …, down = …)`"
        ]
    );
    let reload = stage.swapper.prepare_reload();
    let mut options = ReloadOptions::development();
    options.refuse_breaking = true;
    let error = reload.options(options).run().unwrap_err();
    let ReloadError::Breaking { verdict } = &error else {
        panic!("{error}");
    };
    assert!(
        verdict.contains("State has no migration from version 1"),
        "{verdict}"
    );
    stage.close();
}

#[test]
fn builds_that_do_not_say_are_loaded_without_a_verdict() {
    // As an earlier hotswap has built it: the part is not known.
    let old = |build: Build| renamed(&build.bytes("stateful"), "HSWPsthi", "HSWPs-hi");
    let stage = stateful(&old(Build::Stateful));
    let (breaking, change) = verdict(&stage, "stateful", &old(Build::StatefulLater));
    assert!(!breaking);
    assert!(
        change.warnings[0]
            .contains("it is not known whether State goes from version 1 to version 2"),
        "{change}"
    );
    let report = stage.swapper.reload().unwrap();
    assert!(report.to_string().contains("state handed over"), "{report}");
    stage.close();
}

#[test]
fn live_types_have_the_same_verdicts() {
    let first = Build::Live.bytes("office");
    let later = Build::LiveLater.bytes("office");
    let stage = Stage::open(&[("office", &first)]);
    let of = |build: &[u8]| verdict(&stage, "office", build).1.to_string();
    let changed = "changes live type Alarm from version 1 to version 2";
    assert_eq!(of(&later), changed);
    let why =
        "Alarm cannot go back from version 2 to version 1: write `down = …` in `migrate(1, …)`";
    assert_eq!(
        of(&renamed(&later, BOTH_WAYS, ONLY_UP)),
        format!("{changed}\n    {why}")
    );
    let why = "Alarm has no migration from version 1, and the field `bells` was u32, and is String: write `migrate(1, up = …, down = …)`";
    assert_eq!(
        of(&renamed(&later, BOTH_WAYS, FROM_9)),
        format!("{changed}\n    {why}")
    );
    let old = renamed(&later, r#""history":"#, r#""hist0ry":"#);
    assert!(
        of(&old).contains("the new build does not say"),
        "{}",
        of(&old)
    );
    // They are loaded all the same.
    stage.swapper.reload().unwrap();
    stage.close();
}

#[test]
fn a_field_that_saved_data_lacks_breaks_without_another_version() {
    let first = Build::Live.bytes("office");
    let stage = Stage::open(&[("office", &first)]);
    let other = variant(&first, r#"{"names":["place"],"#, r#"{"names":["plaza"],"#);
    let (breaking, change) = verdict(&stage, "office", &other);
    assert!(breaking);
    let why = "in Alarm, the field `plaza` is new, and saved data lacks it: write `#[live_data(default)]` on it";
    assert!(change.warnings[0].starts_with(why), "{change}");
    stage.close();
}
