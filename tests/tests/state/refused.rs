//! Hand-overs that fail: the instance that was there goes on, with the state that it has.
use crate::support::{House, keeper, numbered, told};
use hotswap_host::prelude::*;
use hotswap_host::{Hook, ReloadError};
use hotswap_tests::fixture::Build;
use std::fs;

/// Adds one, has a build refused, and checks that nothing has changed.
fn refused(old: &[u8], new: &[u8]) -> (ReloadError, Vec<String>) {
    let house = House::open(&[("keeper", old)]);
    let add: Function<fn() -> u64> = house.keeper("add");
    assert_eq!(add.call(), Ok(1));
    house.desk.told();
    let error = house.refuses("keeper", new);
    let told = house.desk.told();
    assert_eq!(add.call(), Ok(2), "{error}");
    house.install("keeper", old);
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
    let (error, hooks) = refused(&told(1, "fail save"), &keeper(2));
    assert_eq!(hook(&error), (Hook::Save, false));
    assert!(
        error
            .to_string()
            .starts_with("keeper: save failed: save would rather not ("),
        "{error}"
    );
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

#[test]
fn save_panics() {
    let (error, hooks) = refused(&told(1, "panic save"), &keeper(2));
    assert_eq!(hook(&error), (Hook::Save, true));
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

#[test]
fn on_stop_panics() {
    let (error, hooks) = refused(&told(1, "panic on_stop"), &keeper(2));
    assert_eq!(hook(&error), (Hook::OnStop, true));
    assert_eq!(hooks, ["on_init", "on_stop", "on_start"]);
}

#[test]
fn restore_fails() {
    let (error, hooks) = refused(&keeper(1), &told(2, "fail restore"));
    assert_eq!(hook(&error), (Hook::Restore, false));
    assert_eq!(hooks, ["on_init", "on_stop", "save", "restore", "on_start"]);
}

/// When the state is half taken over.
#[test]
fn restore_panics_late() {
    let (error, _) = refused(&keeper(1), &told(2, "panic restored"));
    assert_eq!(hook(&error), (Hook::Restore, true));
}

#[test]
fn a_state_that_does_not_fit() {
    let other = numbered(&Build::KeeperOther.bytes("keeper"), 2);
    let (error, hooks) = refused(&keeper(1), &other);
    assert_eq!(hook(&error), (Hook::Restore, false));
    assert!(error.to_string().contains("count"), "{error}");
    assert_eq!(hooks, ["on_init", "on_stop", "save", "on_start"]);
}

/// How many descriptors this process has of the socket that listens at a port.
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

/// The old instance keeps its descriptors, and duplicates that nobody took are closed.
#[test]
fn descriptors_are_not_lost() {
    let house = House::open(&[("keeper", &keeper(1))]);
    let listen: Function<fn() -> hotswap_plugin::Result<u16>> = house.keeper("listen");
    let port = listen.call().unwrap();
    assert_eq!(listeners(port), 1);
    for orders in ["fail restore", "panic restored", "panic restore"] {
        house.refuses("keeper", &told(2, orders));
        assert_eq!(listeners(port), 1, "{orders}");
    }
    house.swap("keeper", &keeper(3));
    house.settle();
    assert_eq!(listeners(port), 1);
    house.install("keeper", &keeper(1));
    house.close();
}
