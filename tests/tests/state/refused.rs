//! Tests hand-overs that fail: the old instance goes on with the state that it has.
use crate::support::{House, numbered, separate, stateful, told};
use hotswap_host::prelude::*;
use hotswap_host::{Hook, ReloadError};
use hotswap_tests::fixture::{Build, build_id, ordered};
use hotswap_tests::{LIMIT, until};
use std::cell::Cell;
use std::fs;
use std::thread;
use std::time::Duration;

/// Adds one, has a build refused, and checks that nothing has changed.
fn refused(old: &[u8], new: &[u8]) -> (ReloadError, Vec<String>) {
    let house = House::open(&[("stateful", old)]);
    let add: Function<fn() -> u64> = house.stateful("add");
    assert_eq!(add.call(), Ok(1));
    house.desk.told();
    let error = house.refuses("stateful", new);
    let told = house.desk.told();
    assert_eq!(add.call(), Ok(2), "{error}");
    house.install("stateful", old);
    house.close();
    (error, told)
}

fn hook(error: &ReloadError) -> (Hook, bool) {
    match error {
        ReloadError::Hook(failure) => (failure.hook, failure.panicked),
        error => panic!("{error}"),
    }
}

#[test]
fn save_fails() {
    let (error, hooks) = refused(&told(1, "fail save"), &stateful(2));
    assert_eq!(hook(&error), (Hook::Save, false));
    assert!(
        error
            .to_string()
            .starts_with("stateful: save failed: save would rather not ("),
        "{error}"
    );
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

#[test]
fn save_panics() {
    let (error, hooks) = refused(&told(1, "panic save"), &stateful(2));
    assert_eq!(hook(&error), (Hook::Save, true));
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

#[test]
fn on_stop_panics() {
    let (error, hooks) = refused(&told(1, "panic on_stop"), &stateful(2));
    assert_eq!(hook(&error), (Hook::OnStop, true));
    assert_eq!(hooks, ["on_init", "on_stop", "on_start"]);
}

#[test]
fn restore_fails() {
    let (error, hooks) = refused(&stateful(1), &told(2, "fail restore"));
    assert_eq!(hook(&error), (Hook::Restore, false));
    assert_eq!(hooks, ["on_init", "on_stop", "save", "restore", "on_start"]);
}

/// The panic comes after a part of the state was taken over.
#[test]
fn restore_panics_late() {
    let (error, _) = refused(&stateful(1), &told(2, "panic restored"));
    assert_eq!(hook(&error), (Hook::Restore, true));
}

#[test]
fn a_state_that_does_not_fit() {
    let other = numbered(&Build::StatefulOther.bytes("stateful"), 2);
    let (error, hooks) = refused(&stateful(1), &other);
    assert_eq!(hook(&error), (Hook::Restore, false));
    assert!(error.to_string().contains("count"), "{error}");
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

/// Returns how many descriptors this process has of the socket that listens at a port.
fn listeners(port: u16) -> usize {
    let sockets = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let local = format!(":{port:04X} 00000000:0000 0A ");
    let socket = sockets.lines().find(|line| line.contains(&local)).unwrap();
    let inode = socket.split_whitespace().nth(9).unwrap();
    let link = format!("socket:[{inode}]");
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    links.filter(|to| *to == *link).count()
}

/// The old instance keeps its descriptors, and duplicates that were not taken are closed.
#[test]
fn descriptors_are_not_lost() {
    let house = House::open(&[("stateful", &stateful(1))]);
    let listen: Function<fn() -> hotswap_plugin::Result<u16>> = house.stateful("listen");
    let port = listen.call().unwrap();
    assert_eq!(listeners(port), 1);
    for orders in ["fail restore", "panic restored", "panic restore"] {
        house.refuses("stateful", &told(2, orders));
        assert_eq!(listeners(port), 1, "{orders}");
    }
    house.swap("stateful", &stateful(3));
    house.settle();
    assert_eq!(listeners(port), 1);
    house.install("stateful", &stateful(1));
    house.close();
}

/// A hook that does not return keeps its own instance, and nothing of the refused build.
#[test]
fn what_was_refused_leaves_while_the_hook_still_runs() {
    let house = House::impatient(&[("stateful", &told(1, "wait save"))]);
    let new = stateful(2);
    house.refuses("stateful", &new);
    house.desk.until_waiting("save");
    until("the build that was refused to leave", || {
        let mut retirements = house.swapper.retirements().into_iter();
        retirements.any(|r| r.build_id == build_id(&new) && r.state.is_end())
    });
    house.desk.open("save");
    house.install("stateful", &told(1, "wait save"));
    house.close();
}

/// The second plugin's `on_stop` returns after the hand-over was given up, and before the gate is opened again.
#[test]
fn one_that_stops_too_late_is_started_again() {
    // The plugins are stopped in this order, and the first one is started again while the second one still stops.
    let first = told(1, "wait on_start");
    let second = ordered(&separate(1), "wait on_stop");
    let house = House::with(&[("stateful", &first), ("separate", &second)], |builder| {
        builder.gate_limit(LIMIT).hook_limit(Duration::from_secs(1))
    });
    let started = Cell::new(0);
    let until_started = |times| {
        until("a plugin to be started", || {
            let told = house.desk.told();
            let more = told.iter().filter(|hook| *hook == "on_start").count();
            started.set(started.get() + more);
            started.get() == times
        });
    };
    until_started(2);
    house.install("stateful", &stateful(2));
    house.install("separate", &separate(2));
    thread::scope(|scope| {
        let reload = scope.spawn(|| house.swapper.reload().expect_err("the hook takes too long"));
        until_started(3);
        house.desk.open("on_stop");
        until_started(4);
        reload.join().unwrap();
    });
    house.desk.open("on_start");
    house.install("stateful", &first);
    house.install("separate", &second);
    house.close();
}

/// The plugin's `on_stop` returns after the shutdown has stopped the plugin once more.
#[test]
fn one_that_was_stopped_again_is_not_started() {
    let house = House::impatient(&[("stateful", &told(1, "wait on_stop"))]);
    house.desk.told();
    house.refuses("stateful", &stateful(2));
    house.desk.until_waiting("on_stop");
    let late = house.swapper.shutdown(Duration::from_millis(100)).unwrap();
    assert_eq!(late.len(), 1, "{late:?}");
    house.desk.open("on_stop");
    house.settle();
    let told = house.desk.told();
    assert_eq!(told.iter().filter(|hook| *hook == "on_stop").count(), 2);
    assert!(!told.iter().any(|hook| hook == "on_start"), "{told:?}");
}
