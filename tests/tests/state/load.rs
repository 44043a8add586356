//! Tests hand-overs while calls never stop: no call fails, and no call is lost.
use crate::support::{House, hermit, keeper, told, visitor};
use hotswap_host::prelude::*;
use hotswap_tests::load::under_load;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const SWAPS: u8 = 30;

/// Returns ways to add one: through handles, by name, and by way of another plugin, of the host, and of both.
fn adders(house: &House) -> Vec<Box<dyn Fn() + Send + Sync>> {
    let add: Function<fn() -> u64> = house.keeper("add");
    let dynamic = house.swapper.dynamic("keeper", "add").unwrap();
    let visit: Function<fn() -> u64> = house.function("visitor", "visit");
    let call: Function<fn(&str, &str) -> u64> = house.keeper("call");
    let till: Interface<dyn tills::Till> = house.swapper.interface("keeper").unwrap();
    let outside: Function<fn(&str, &str) -> u64> = house.function("hermit", "call");
    let pinned = (add.clone(), house.swapper.clone());
    let by_name = house.swapper.clone();
    vec![
        Box::new(move || _ = add.call().unwrap()),
        Box::new(move || _ = dynamic.call(&[]).unwrap()),
        Box::new(move || _ = visit.call().unwrap()),
        Box::new(move || _ = call.call("visitor", "visit").unwrap()),
        Box::new(move || _ = till.call(|till| till.add()).unwrap()),
        Box::new(move || _ = outside.call("keeper", "add").unwrap()),
        Box::new(move || {
            let (add, swapper) = &pinned;
            let pin = swapper.pin();
            add.on(&pin).unwrap().call().unwrap();
        }),
        Box::new(move || _ = by_name.invoke("keeper", "add", &[]).unwrap()),
    ]
}

fn counted(swap: impl Fn(&House, u8)) {
    let plugins = [
        ("keeper", keeper(0)),
        ("visitor", visitor(0)),
        ("hermit", hermit(0)),
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
        let report = house.swap("keeper", &keeper(number));
        let text = report.plugin("keeper").unwrap().to_string();
        assert!(
            text.starts_with("keeper: reloaded, state handed over ("),
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
        let error = house.refuses("keeper", &told(number, orders));
        assert!(error.to_string().starts_with("keeper: restore "), "{error}");
    });
}

/// Plugins without state are replaced together with those whose state is handed over.
#[test]
fn others_are_replaced_meanwhile() {
    counted(|house, number| {
        house.install("keeper", &keeper(number));
        house.install("visitor", &visitor(number));
        house.swap("hermit", &hermit(number));
    });
}

/// A thread of the plugin calls its own plugin through the host until `on_stop` has joined it.
#[test]
fn a_thread_of_the_plugins_own() {
    let house = House::open(&[("keeper", &keeper(0))]);
    let hire: Function<fn(&str, &str)> = house.keeper("hire");
    for number in 1..=SWAPS {
        let before = house.count();
        hire.call("keeper", "add").unwrap();
        hotswap_tests::until("the worker to begin", || house.count() > before);
        house.swap("keeper", &keeper(number));
        let count = house.count();
        assert!(count > before);
        assert_eq!(house.count(), count, "nothing adds any more");
    }
    house.close();
}
