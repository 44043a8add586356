//! Tests which callers wait at a closed gate, which do not, and what becomes of a hand-over that takes too long.
use crate::support::{House, importer, separate, stateful, told, visitor};
use hotswap_host::prelude::*;
use hotswap_host::{Holder, ReloadError};
use hotswap_tests::fixture::{Build, ordered};
use hotswap_tests::{LIMIT, until};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Returns the holders that a hand-over waited for when it was given up.
fn waited_for(error: &ReloadError) -> &[Holder] {
    match error {
        ReloadError::HandOver { waited_for, .. } => waited_for,
        error => panic!("{error}"),
    }
}

/// Calls of other plugins go on. Calls of the group wait, and the new build answers them.
#[test]
fn calls_wait_while_the_state_is_saved() {
    let plugins = [
        ("stateful", told(1, "wait save")),
        ("visitor", visitor(1)),
        ("separate", separate(1)),
    ];
    let house = House::open(
        &plugins
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice())),
    );
    let add: Function<fn() -> u64> = house.stateful("add");
    let build: Function<fn() -> String> = house.stateful("build");
    let visit: Function<fn() -> u64> = house.function("visitor", "visit");
    let outside: Function<fn() -> u64> = house.function("separate", "add");
    add.call().unwrap();
    house.install("stateful", &stateful(2));
    let swapper = &house.swapper;
    let waiters: [&(dyn Fn() + Sync); 4] = [
        &|| assert_eq!(build.call().unwrap(), "build 02"),
        &|| assert_eq!(visit.call(), Ok(2)),
        &|| assert_eq!(swapper.pin().number(), 2),
        &|| {
            let build = swapper.invoke("stateful", "build", &[]);
            assert_eq!(build, Ok("build 02".into()));
        },
    ];
    thread::scope(|scope| {
        let reload = scope.spawn(|| swapper.reload().unwrap());
        house.desk.until_waiting("save");
        // The gate is closed now, and stays closed until the desk opens `save`.
        let waiting = waiters.map(|wait| scope.spawn(wait));
        // A handle that is made now waits like the others.
        let moves: Function<fn() -> u64> = house.stateful("moves");
        let late = scope.spawn(move || moves.call());
        // Calls that do not concern the group do not wait at the gate.
        assert_eq!(outside.call(), Ok(1));
        assert_eq!(swapper.invoke("separate", "add", &[]), Ok(2.into()));
        assert_eq!(swapper.generation(), 1);
        assert!(!waiting.iter().any(|waiter| waiter.is_finished()));
        house.desk.open("save");
        assert_eq!(reload.join().unwrap().generation, 2);
        waiting
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        assert_eq!(late.join().unwrap(), Ok(1));
    });
    assert_eq!(house.count(), 2);
    house.close();
}

#[test]
fn a_call_that_outlives_the_limit_is_named() {
    let house = House::impatient(&[("stateful", &stateful(1))]);
    let wait: Function<fn(&str) -> u64> = house.stateful("wait");
    thread::scope(|scope| {
        let caller = thread::Builder::new().name("caller".into());
        let call = caller.spawn_scoped(scope, || wait.call("counter").unwrap());
        house.desk.until_waiting("counter");
        house.desk.told();
        let error = house.refuses("stateful", &stateful(2));
        let [Holder::Call { plugin, thread }] = waited_for(&error) else {
            panic!("{error}")
        };
        assert_eq!(plugin.as_deref(), Some("stateful"));
        assert!(thread.ends_with("\"caller\""), "{thread}");
        let text = format!(
            "the state of stateful could not be handed over within 30ms: still waiting for a call of stateful on {thread}; \
             shorten it, or raise `Builder::gate_limit`"
        );
        assert_eq!(error.to_string(), text);
        // No hook of the old instance has run.
        assert_eq!(house.desk.told(), ["on_init"]);
        assert_eq!(house.count(), 0);
        house.desk.open("counter");
        assert_eq!(call.unwrap().join().unwrap(), 1);
    });
    // Nothing stands against the reload any more.
    house.swapper.reload().unwrap();
    assert_eq!(house.count(), 1);
    house.close();
}

/// A plugin that was kept while others were replaced is called under an older generation, too.
#[test]
fn a_call_under_an_older_generation_is_waited_for() {
    let house = House::impatient(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let wait: Function<fn(&str) -> u64> = house.stateful("wait");
    thread::scope(|scope| {
        let call = scope.spawn(|| wait.call("counter").unwrap());
        house.desk.until_waiting("counter");
        // The separate plugin is not in the group, and the stateful plugin stays.
        house.swap("separate", &separate(2));
        let error = house.refuses("stateful", &stateful(2));
        assert!(
            matches!(waited_for(&error), [Holder::Call { .. }]),
            "{error}"
        );
        house.desk.open("counter");
        assert_eq!(call.join().unwrap(), 1);
    });
    house.swapper.reload().unwrap();
    assert_eq!(house.count(), 1);
    house.close();
}

/// The importer has no state, and imports a plugin that has.
#[test]
fn a_call_of_one_that_imports_it_is_waited_for() {
    let house = House::impatient(&[("stateful", &stateful(1)), ("importer", &importer())]);
    let wait: Function<fn(&str) -> u64> = house.function("importer", "wait");
    thread::scope(|scope| {
        let call = scope.spawn(|| wait.call("counter").unwrap());
        house.desk.until_waiting("counter");
        let error = house.refuses("stateful", &stateful(2));
        let [Holder::Call { plugin, .. }] = waited_for(&error) else {
            panic!("{error}")
        };
        assert_eq!(plugin.as_deref(), Some("importer"));
        house.desk.open("counter");
        assert_eq!(call.join().unwrap(), 1);
    });
    house.swapper.reload().unwrap();
    assert_eq!(house.count(), 1);
    house.close();
}

/// A hand-over waits only for calls of the plugins whose state it moves.
#[test]
fn a_call_of_another_plugin_is_not_waited_for() {
    let house = House::open(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let wait: Function<fn(&str) -> u64> = house.function("separate", "wait");
    thread::scope(|scope| {
        let call = scope.spawn(|| wait.call("counter").unwrap());
        house.desk.until_waiting("counter");
        house.swap("stateful", &stateful(2));
        house.desk.open("counter");
        assert_eq!(call.join().unwrap(), 1);
    });
    house.close();
}

/// A plugin outside the group calls the group through the host.
#[test]
fn a_nested_call_is_waited_for() {
    let house = House::impatient(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let call: Function<fn(&str, &str) -> u64> = house.function("separate", "call");
    thread::scope(|scope| {
        let call = scope.spawn(|| call.call("stateful", "linger").unwrap());
        house.desk.until_waiting("linger");
        let error = house.refuses("stateful", &stateful(2));
        let [Holder::Call { plugin, .. }] = waited_for(&error) else {
            panic!("{error}")
        };
        assert_eq!(plugin.as_deref(), Some("separate"));
        house.desk.open("linger");
        assert_eq!(call.join().unwrap(), 1);
    });
    house.swapper.reload().unwrap();
    assert_eq!(house.count(), 1);
    house.close();
}

/// After the nested call has returned, the outer call is not inside the group any more.
#[test]
fn a_nested_call_that_has_returned_is_not_waited_for() {
    let house = House::open(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let call: Function<fn(&str, &str, &str) -> u64> = house.function("separate", "call_and_wait");
    thread::scope(|scope| {
        let call = scope.spawn(|| call.call("stateful", "add", "later").unwrap());
        house.desk.until_waiting("later");
        house.swap("stateful", &stateful(2));
        assert_eq!(house.count(), 1);
        house.desk.open("later");
        assert_eq!(call.join().unwrap(), 1);
    });
    house.close();
}

#[test]
fn a_pin_is_waited_for_and_named() {
    let house = House::impatient(&[("stateful", &stateful(1))]);
    let (ready, is_ready) = channel();
    let (end, ended) = channel::<()>();
    thread::scope(|scope| {
        let house = &house;
        scope.spawn(move || {
            let pin = house.swapper.pin();
            ready.send(line!() - 1).unwrap();
            let _ = ended.recv();
            drop(pin);
        });
        let line = is_ready.recv().unwrap();
        let error = house.refuses("stateful", &stateful(2));
        let [Holder::Pin { at, .. }] = waited_for(&error) else {
            panic!("{error}")
        };
        assert!(at.contains(&format!("gate.rs:{line}:")), "{at}");
        drop(end);
    });
    house.swapper.reload().unwrap();
    house.close();
}

#[test]
fn a_hold_is_waited_for() {
    let house = House::impatient(&[("stateful", &stateful(1))]);
    let hold = house.swapper.pin().hold();
    let error = house.refuses("stateful", &stateful(2));
    assert_eq!(waited_for(&error), [Holder::Holds { count: 1 }]);
    drop(hold);
    house.swapper.reload().unwrap();
    house.close();
}

/// A plugin that was kept while others were replaced belongs to the older generation, too.
#[test]
fn a_hold_of_an_older_generation_is_waited_for() {
    let guest = Build::First.bytes("guest");
    let house = House::impatient(&[("stateful", &stateful(1)), ("guest", &guest)]);
    let hold = house.swapper.pin().hold();
    house.swap("guest", &Build::Later.bytes("guest"));
    house.swap("guest", &guest);
    let error = house.refuses("stateful", &stateful(2));
    assert_eq!(waited_for(&error), [Holder::Holds { count: 1 }]);
    drop(hold);
    house.swapper.reload().unwrap();
    house.close();
}

/// A call that the hand-over waits for makes the host hold the live generation, so the hand-over waits for that hold,
/// too.
#[test]
fn a_hold_made_behind_the_closed_gate_is_waited_for() {
    let house = House::impatient(&[("stateful", &stateful(1))]);
    let call_on: Function<fn(&str, &str) -> u64> = house.stateful("call_on");
    thread::scope(|scope| {
        let calls = scope.spawn(|| call_on.call("host", "hold"));
        hotswap_tests::until("something to be held", || house.holds());
        let error = house.refuses("stateful", &stateful(2));
        let holders = waited_for(&error);
        let is_hold = |holder: &Holder| matches!(holder, Holder::Holds { .. });
        assert!(holders.iter().any(is_hold), "{error}");
        house.stop();
        calls.join().unwrap().unwrap();
    });
    house.let_go();
    house.swapper.reload().unwrap();
    house.close();
}

/// The hand-over waits only as long as the hold exists.
#[test]
fn a_hold_made_behind_the_closed_gate_ends() {
    let house = House::open(&[("stateful", &stateful(1))]);
    let call_on: Function<fn(&str, &str) -> u64> = house.stateful("call_on");
    thread::scope(|scope| {
        let calls = scope.spawn(|| call_on.call("host", "hold"));
        hotswap_tests::until("something to be held", || house.holds());
        house.desk.told();
        house.install("stateful", &stateful(2));
        let reload = scope.spawn(|| house.swapper.reload().unwrap());
        // The gate is about to be closed, and the call goes on.
        house.desk.until_told("on_init");
        let soon = std::time::Instant::now();
        hotswap_tests::until("many holds", || soon.elapsed().as_millis() > 100);
        house.stop();
        calls.join().unwrap().unwrap();
        house.let_go();
        reload.join().unwrap();
    });
    house.close();
}

/// The calls go through the host. They have to pass the closed gate, because the hand-over waits for the call that
/// makes them.
#[test]
fn calls_from_inside_pass() {
    for (plugin, function) in [("stateful", "add"), ("visitor", "visit")] {
        let house = House::open(&[("stateful", &stateful(1)), ("visitor", &visitor(1))]);
        let call_on: Function<fn(&str, &str) -> u64> = house.stateful("call_on");
        thread::scope(|scope| {
            let calls = scope.spawn(|| call_on.call(plugin, function).unwrap());
            hotswap_tests::until("the calls to begin", || house.count() > 0);
            house.desk.told();
            house.install("stateful", &stateful(2));
            let reload = scope.spawn(|| house.swapper.reload().unwrap());
            // The gate is about to be closed, and the calls go on.
            house.desk.until_told("on_init");
            let soon = std::time::Instant::now();
            hotswap_tests::until("many calls to pass", || soon.elapsed().as_millis() > 100);
            house.stop();
            let calls = calls.join().unwrap();
            reload.join().unwrap();
            assert_eq!(house.count(), calls);
        });
        house.close();
    }
}

/// A plugin that stays is in a call that never ends, under a generation that is not live any more. It calls plugins
/// that come and go. Such a call holds its target by count, and passes the gate like any other call from inside.
#[test]
fn calls_from_inside_pass_under_an_older_generation() {
    let house = House::open(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let call_on: Function<fn(&str, &str) -> u64> = house.function("separate", "call_on");
    thread::scope(|scope| {
        // The separate plugin calls the stateful plugin, which calls itself through the host.
        let calls = scope.spawn(|| call_on.call("stateful", "add_around").unwrap());
        hotswap_tests::until("the calls to begin", || house.count() > 0);
        for number in 2..20 {
            house.swap("stateful", &stateful(number));
        }
        house.stop();
        let calls = calls.join().unwrap();
        assert_eq!(house.count(), calls);
    });
    house.close();
}

/// A hook that hangs holds up callers until the limit, and no longer.
#[test]
fn a_hook_that_takes_too_long_is_named() {
    let house = House::impatient(&[("stateful", &told(1, "wait save"))]);
    let add: Function<fn() -> u64> = house.stateful("add");
    house.install("stateful", &stateful(2));
    thread::scope(|scope| {
        let reload = scope.spawn(|| house.swapper.reload().expect_err("the hook takes too long"));
        house.desk.until_waiting("save");
        assert_eq!(add.call(), Ok(1), "the old instance goes on");
        house.desk.open("save");
        let error = reload.join().unwrap();
        let [Holder::Hook { plugin, hook }] = waited_for(&error) else {
            panic!("{error}")
        };
        assert_eq!(
            (plugin.as_str(), hook.to_string()),
            ("stateful", "save".into())
        );
    });
    assert_eq!(add.call(), Ok(2));
    house.install("stateful", &told(1, "wait save"));
    house.close();
}

/// The reload no longer waits for the hook that calls, so the hook's calls wait at the gate like all others.
#[test]
fn a_hook_that_does_not_return_loses_no_write() {
    let plugins: [(&str, &[u8]); 2] = [("stateful", &stateful(1)), ("separate", &separate(1))];
    let house = House::with(&plugins, |builder| {
        builder.gate_limit(LIMIT).hook_limit(Duration::from_secs(1))
    });
    house.swap("separate", &ordered(&separate(2), "call stateful"));
    until("the first calls", || house.count() > 0);
    house.install("stateful", &told(2, "wait restore"));
    thread::scope(|scope| {
        let reload = scope.spawn(|| house.swapper.reload().unwrap());
        house.desk.until_waiting("restore");
        // This gives the hook time for many calls.
        thread::sleep(Duration::from_millis(50));
        house.desk.open("restore");
        reload.join().unwrap();
    });
    let before = house.count();
    until("calls of the next build", || house.count() > before);
    house.stop();
    until("the hook to return", || {
        let told = house.desk.told();
        let calls = told.iter().find_map(|told| told.strip_suffix(" calls"));
        calls.is_some_and(|calls| {
            assert_eq!(calls, house.count().to_string());
            true
        })
    });
    house.close();
}
