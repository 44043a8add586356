//! Tests the texts of reports and listings about state.
use crate::support::{House, keeper, numbered};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build};

#[test]
fn state_is_lost_where_one_side_has_none() {
    let stateless = numbered(&Build::Keeper.bytes("drifter"), 2);
    let house = House::open(&[("keeper", &keeper(1))]);
    let add: Function<fn() -> u64> = house.keeper("add");
    add.call().unwrap();
    let report = house.swap("keeper", &stateless);
    assert_eq!(report.to_string(), "keeper: reloaded, state reset");
    assert_eq!((report.gate, house.count()), (None, 0));
    add.call().unwrap();
    let report = house.swap("keeper", &keeper(3));
    assert_eq!(report.to_string(), "keeper: reloaded, state reset");
    assert_eq!(house.count(), 0);
    house.close();
}

#[test]
fn nothing_is_said_where_there_is_no_state() {
    let stateless = Build::Keeper.bytes("drifter");
    let house = House::open(&[("keeper", &numbered(&stateless, 1))]);
    let report = house.swap("keeper", &numbered(&stateless, 2));
    assert_eq!(report.to_string(), "keeper: reloaded");
    assert_eq!(report.plugin("keeper").unwrap().state, None);
    house.close();
}

#[test]
fn the_size_has_a_unit_that_fits() {
    let house = House::open(&[("keeper", &keeper(0))]);
    let fill: Function<fn(u32)> = house.keeper("fill");
    for (build, (bytes, unit)) in (1..).zip([(0, " B)"), (2_000, " kB)"), (2_000_000, " MB)")]) {
        fill.call(bytes).unwrap();
        let text = house.swap("keeper", &keeper(build)).to_string();
        assert!(text.ends_with(unit), "{text}");
    }
    house.close();
}

#[test]
fn a_report_is_for_programs_too() {
    let house = House::open(&[("keeper", &keeper(1))]);
    let report = house.swap("keeper", &keeper(2));
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["gate"].as_f64().unwrap() > 0.0, "{json}");
    let bytes = &json["plugins"][0]["state"]["handed_over"]["bytes"];
    assert!(bytes.as_u64().unwrap() > 0, "{json}");
    house.close();
}

#[test]
fn inspect_says_what_the_state_is() {
    let mut inspect = fixture::hotswap();
    let output = inspect.arg("inspect").arg(Build::Keeper.library("keeper"));
    let text = String::from_utf8(output.output().unwrap().stdout).unwrap();
    let row = text
        .lines()
        .find(|line| line.trim_start().starts_with("state "));
    assert_eq!(row, Some("  state            State, version 1"), "{text}");
}

#[test]
fn an_artifact_says_what_its_state_is() {
    let state = |library: &[u8]| {
        let state = fixture::artifact(library).metadata.state;
        state.map(|state| (state.type_name, state.version))
    };
    assert_eq!(state(&keeper(1)), Some(("State".into(), 1)));
    assert_eq!(
        state(&Build::KeeperLater.bytes("keeper")),
        Some(("State".into(), 2))
    );
    assert_eq!(state(&Build::Keeper.bytes("drifter")), None);
}

#[test]
fn a_dry_run_says_what_becomes_of_the_state() {
    let house = House::open(&[("keeper", &keeper(1))]);
    let verdict = |build: &[u8]| {
        house.install("keeper", build);
        let verdict = house.swapper.prepare_reload().validate().unwrap();
        let changes = verdict.plugin("keeper").unwrap().changes.iter();
        let changes: Vec<_> = changes.map(ToString::to_string).collect();
        (verdict.is_breaking(), changes)
    };
    assert_eq!(verdict(&keeper(2)), (false, Vec::new()));
    let later = numbered(&Build::KeeperLater.bytes("keeper"), 2);
    let later = verdict(&later);
    let expected = "changes state State from version 1 to version 2";
    assert_eq!(later, (false, vec![expected.to_owned()]));
    let none = verdict(&numbered(&Build::Keeper.bytes("drifter"), 2));
    assert!(
        none.0 && none.1.contains(&"removes state State".to_owned()),
        "{none:?}"
    );
    house.install("keeper", &keeper(1));
    house.close();
}
