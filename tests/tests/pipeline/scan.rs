//! What is mapped into a process: builds of plugins with the reasons, other files, stale ones, and duplicates.
use crate::health::patient;
use crate::support::window;
use hotswap_host::UnloadMode;
use hotswap_host::runtime::{BuildState, FileNow, MappedFile, MappedKind, Scan};
use hotswap_tests::{LIMIT, Stage, fixture, process, until};
use std::process::Command;

/// Returns a plugin of this name. No other test of this program has it, because all of them share the process.
fn named(name: &str, orders: &str) -> Vec<u8> {
    fixture::renamed(&patient(orders), "patient", name)
}

/// Returns the mapped builds of the plugin with their states.
fn builds<'s>(scan: &'s Scan, name: &str) -> Vec<(&'s MappedFile, &'s str, &'s BuildState)> {
    let own = |file: &'_ MappedFile| match &file.kind {
        MappedKind::Plugin { plugin, .. } => *plugin == *name,
        _ => false,
    };
    let found = scan.mapped.iter().filter(|file| own(file));
    let parts = found.map(|file| match &file.kind {
        MappedKind::Plugin { build, state, .. } => (file, build.as_str(), state),
        _ => unreachable!("it is a plugin"),
    });
    parts.collect()
}

/// Returns the states of the mapped builds, the live one first.
fn states(stage: &Stage, name: &str) -> Vec<BuildState> {
    let scan = stage.swapper.scan().unwrap();
    let mut states: Vec<_> = builds(&scan, name)
        .iter()
        .map(|found| found.2.clone())
        .collect();
    states.sort_by_key(|state| *state != BuildState::Live);
    states
}

#[test]
fn each_build_has_the_reason_why_it_is_mapped() {
    const NAME: &str = "scanned";
    let stage = Stage::open(&[(NAME, &named(NAME, "well"))]);
    let scan = stage.swapper.scan().unwrap();
    let build = fixture::build_id(&named(NAME, "well")).short();
    let [(file, found, state)] = builds(&scan, NAME)[..] else {
        panic!("{scan}");
    };
    assert_eq!((found, state), (&*build, &BuildState::Live));
    assert_eq!((file.file, file.copies), (FileNow::Same, 1));
    assert!(file.bytes > 100_000);
    let program = std::env::current_exe().unwrap();
    assert!(scan.foreign().any(|file| file.path == program));
    let is_libc = |file: &MappedFile| file.path.to_string_lossy().contains("libc.so");
    assert!(scan.foreign().any(is_libc));
    let hold = stage.swapper.pin().hold();
    stage.swap(NAME, &named(NAME, "well #2"));
    until("the hold is named", || {
        let held = BuildState::Leaving {
            held_by: vec!["1 hold".into()],
        };
        states(&stage, NAME) == [BuildState::Live, held]
    });
    drop(hold);
    stage.settle();
    assert_eq!(states(&stage, NAME), [BuildState::Live]);
    stage.close();
}

#[test]
fn what_is_kept_for_a_rollback_and_what_stays_for_ever() {
    const NAME: &str = "rollers";
    let stage = Stage::with(&[(NAME, &named(NAME, "well"))], |builder| {
        builder
            .unload_mode(UnloadMode::Keep)
            .reload_options(window())
    });
    let window = stage.swap(NAME, &named(NAME, "well #2")).window.unwrap();
    assert_eq!(
        states(&stage, NAME),
        [BuildState::Live, BuildState::ForRollback]
    );
    stage.swapper.confirm().unwrap();
    window.wait(LIMIT).unwrap();
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    let states = states(&stage, NAME);
    assert!(
        matches!(&states[..], [BuildState::Live, BuildState::Stays { held_by }] if held_by.len() == 1),
        "{states:?}"
    );
    stage.swapper.shutdown(LIMIT).unwrap();
}

#[test]
fn deleted_files_and_duplicates_are_told() {
    const NAME: &str = "deleted";
    let stage = Stage::open(&[(NAME, &named(NAME, "well"))]);
    let hold = stage.swapper.pin().hold();
    stage.swapper.restart(NAME).unwrap();
    let dir = process::host_dir_of(stage.dir());
    let copy = stage.copies().into_iter().max().unwrap();
    std::fs::remove_file(dir.join(copy)).unwrap();
    let scan = stage.swapper.scan().unwrap();
    let found = builds(&scan, NAME);
    assert_eq!(found.len(), 2, "{scan}");
    assert!(found.iter().all(|(file, ..)| file.copies == 2), "{scan}");
    let live = found
        .iter()
        .filter(|(.., state)| **state == BuildState::Live);
    assert_eq!(live.count(), 1, "{scan}");
    let deleted = found
        .iter()
        .filter(|(file, ..)| file.file == FileNow::Deleted);
    assert_eq!(deleted.count(), 1, "{scan}");
    drop(hold);
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    stage.swapper.shutdown(LIMIT).unwrap();
}

#[test]
fn the_command_tells_it_from_outside() {
    const NAME: &str = "outside";
    let stage = Stage::open(&[(NAME, &named(NAME, "well"))]);
    let inspect = |more: &[&str]| {
        let pid = std::process::id().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotswap-tests-cargo"));
        let command = command
            .args(["hotswap", "inspect", "--pid", &pid])
            .args(more);
        String::from_utf8(hotswap_tests::run(command).stdout).unwrap()
    };
    let build = fixture::build_id(&named(NAME, "well")).short();
    let text = inspect(&[]);
    let line = format!("  outside (build {build}): mapped, ");
    assert!(text.contains(&line), "{text}");
    let json: serde_json::Value = serde_json::from_str(&inspect(&["--json"])).unwrap();
    let mapped = json["mapped"].as_array().unwrap();
    let found = mapped
        .iter()
        .find(|file| file["kind"]["plugin"]["plugin"] == NAME);
    let found = found.expect("the plugin is mapped");
    assert_eq!(found["kind"]["plugin"]["build"], *build);
    assert_eq!(found["kind"]["plugin"]["state"], "unknown");
    assert_eq!(found["file"], "same");
    stage.close();
}
