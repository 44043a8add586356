//! Tests hand-overs while calls never stop: no call fails, and no call is lost.
use crate::support::{House, separate, stateful, told, visitor};
use hotswap_host::prelude::*;
use hotswap_tests::load::under_load;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const SWAPS: u8 = 30;

/// Returns ways to add one: through handles, by name, and by way of another plugin, of the host, and of both.
fn adders(house: &House) -> Vec<Box<dyn Fn() + Send + Sync>> {
    let add: Function<fn() -> u64> = house.stateful("add");
    let dynamic = house.swapper.dynamic("stateful", "add").unwrap();
    let visit: Function<fn() -> u64> = house.function("visitor", "visit");
    let call: Function<fn(&str, &str) -> u64> = house.stateful("call");
    let till: Interface<dyn shapes::tills::Till> = house.swapper.interface("stateful").unwrap();
    let outside: Function<fn(&str, &str) -> u64> = house.function("separate", "call");
    let pinned = (add.clone(), house.swapper.clone());
    let by_name = house.swapper.clone();
    vec![
        Box::new(move || _ = add.call().unwrap()),
        Box::new(move || _ = dynamic.call(&[]).unwrap()),
        Box::new(move || _ = visit.call().unwrap()),
        Box::new(move || _ = call.call("visitor", "visit").unwrap()),
        Box::new(move || _ = till.call(|till| till.add()).unwrap()),
        Box::new(move || _ = outside.call("stateful", "add").unwrap()),
        Box::new(move || {
            let (add, swapper) = &pinned;
            let pin = swapper.pin();
            add.on(&pin).unwrap().call().unwrap();
        }),
        Box::new(move || _ = by_name.invoke("stateful", "add", &[]).unwrap()),
    ]
}

fn counted(swap: impl Fn(&House, u8)) {
    let plugins = [
        ("stateful", stateful(0)),
        ("visitor", visitor(0)),
        ("separate", separate(0)),
    ];
    let house = House::open(
        &plugins
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice())),
    );
    let adders = adders(&house);
    let added = AtomicU64::new(0);
    under_load(
        |caller, before| {
            adders[(caller + before) as usize % adders.len()]();
            added.fetch_add(1, SeqCst);
        },
        || (1..=SWAPS).for_each(|number| swap(&house, number)),
    );
    assert_eq!(house.count(), added.into_inner());
    drop(adders);
    house.close();
}

#[test]
fn no_write_is_lost() {
    counted(|house, number| {
        let report = house.swap("stateful", &stateful(number));
        let text = report.plugin("stateful").unwrap().to_string();
        assert!(
            text.starts_with("stateful: reloaded, state handed over ("),
            "{text}"
        );
    });
}

/// Callers do not notice a failed hand-over, whichever way it fails.
#[test]
fn a_failing_migration_is_not_noticed() {
    counted(|house, number| {
        let orders = ["fail restore", "panic restore", "panic restored"];
        let orders = orders[usize::from(number) % orders.len()];
        let error = house.refuses("stateful", &told(number, orders));
        assert!(
            error.to_string().starts_with("stateful: restore "),
            "{error}"
        );
    });
}

/// Plugins without state are replaced together with those whose state is handed over.
#[test]
fn others_are_replaced_meanwhile() {
    counted(|house, number| {
        house.install("stateful", &stateful(number));
        house.install("visitor", &visitor(number));
        house.swap("separate", &separate(number));
    });
}

/// A thread of the plugin calls its own plugin through the host until `on_stop` has joined it.
#[test]
fn a_thread_of_the_plugins_own() {
    let house = House::open(&[("stateful", &stateful(0))]);
    let hire: Function<fn(&str, &str)> = house.stateful("hire");
    for number in 1..=SWAPS {
        let before = house.count();
        hire.call("stateful", "add").unwrap();
        hotswap_tests::until("the worker to begin", || house.count() > before);
        house.swap("stateful", &stateful(number));
        let count = house.count();
        assert!(count > before);
        assert_eq!(house.count(), count, "nothing adds any more");
    }
    house.close();
}
