//! Tests the texts of reports and listings about state.
use crate::support::{House, numbered, stateful};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build};

#[test]
fn state_is_lost_where_one_side_has_none() {
    let stateless = numbered(&Build::Stateful.bytes("stateless"), 2);
    let house = House::open(&[("stateful", &stateful(1))]);
    let add: Function<fn() -> u64> = house.stateful("add");
    add.call().unwrap();
    let report = house.swap("stateful", &stateless);
    assert_eq!(report.to_string(), "stateful: reloaded, state reset");
    assert_eq!((report.gate, house.count()), (None, 0));
    add.call().unwrap();
    let report = house.swap("stateful", &stateful(3));
    assert_eq!(report.to_string(), "stateful: reloaded, state reset");
    assert_eq!(house.count(), 0);
    house.close();
}

#[test]
fn nothing_is_said_where_there_is_no_state() {
    let stateless = Build::Stateful.bytes("stateless");
    let house = House::open(&[("stateful", &numbered(&stateless, 1))]);
    let report = house.swap("stateful", &numbered(&stateless, 2));
    assert_eq!(report.to_string(), "stateful: reloaded");
    assert_eq!(report.plugin("stateful").unwrap().state, None);
    house.close();
}

#[test]
fn the_size_has_a_unit_that_fits() {
    let house = House::open(&[("stateful", &stateful(0))]);
    let fill: Function<fn(u32)> = house.stateful("fill");
    for (build, (bytes, unit)) in (1..).zip([(0, " B)"), (2_000, " kB)"), (2_000_000, " MB)")]) {
        fill.call(bytes).unwrap();
        let text = house.swap("stateful", &stateful(build)).to_string();
        assert!(text.ends_with(unit), "{text}");
    }
    house.close();
}

#[test]
fn a_report_is_for_programs_too() {
    let house = House::open(&[("stateful", &stateful(1))]);
    let report = house.swap("stateful", &stateful(2));
    let json = serde_json::to_value(&report).unwrap();
    assert!(json["gate"].as_f64().unwrap() > 0.0, "{json}");
    let bytes = &json["plugins"][0]["state"]["handed_over"]["bytes"];
    assert!(bytes.as_u64().unwrap() > 0, "{json}");
    house.close();
}

#[test]
fn inspect_says_what_the_state_is() {
    let mut inspect = fixture::hotswap();
    let output = inspect
        .arg("inspect")
        .arg(Build::Stateful.library("stateful"));
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
    assert_eq!(state(&stateful(1)), Some(("State".into(), 1)));
    assert_eq!(
        state(&Build::StatefulLater.bytes("stateful")),
        Some(("State".into(), 2))
    );
    assert_eq!(state(&Build::Stateful.bytes("stateless")), None);
}

#[test]
fn a_dry_run_says_what_becomes_of_the_state() {
    let house = House::open(&[("stateful", &stateful(1))]);
    let verdict = |build: &[u8]| {
        house.install("stateful", build);
        let verdict = house.swapper.prepare_reload().validate().unwrap();
        let changes = verdict.plugin("stateful").unwrap().changes.iter();
        let changes: Vec<_> = changes.map(ToString::to_string).collect();
        (verdict.is_breaking(), changes)
    };
    assert_eq!(verdict(&stateful(2)), (false, Vec::new()));
    let later = numbered(&Build::StatefulLater.bytes("stateful"), 2);
    let later = verdict(&later);
    let expected = "changes state State from version 1 to version 2";
    assert_eq!(later, (false, vec![expected.to_owned()]));
    let none = verdict(&numbered(&Build::Stateful.bytes("stateless"), 2));
    assert!(
        none.0 && none.1.contains(&"removes state State".to_owned()),
        "{none:?}"
    );
    house.install("stateful", &stateful(1));
    house.close();
}
