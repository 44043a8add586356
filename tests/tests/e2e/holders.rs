//! Tests that the host names what keeps a replaced build in memory.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Holder, Retirement, RetirementState};
use hotswap_tests::fixture::{Build, ordered};
use hotswap_tests::{LIMIT, Stage, records, until};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Makes the host name holders soon.
fn soon(builder: Builder) -> Builder {
    builder.retire_limit(Duration::from_millis(20))
}

fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

/// Replaces the build by another, and returns its retirement as soon as its holders are named.
fn held(stage: &Stage, probe: &[u8]) -> Retirement {
    stage.swap("probe", &ordered(probe, "another build"));
    until("a holder to be named", || !named(stage).held_by.is_empty());
    named(stage)
}

fn named(stage: &Stage) -> Retirement {
    stage
        .swapper
        .retirements()
        .pop()
        .expect("a build was replaced")
}

fn leaves(stage: Stage) {
    stage.settle();
    stage.close();
}

#[test]
fn a_call() {
    records::keep();
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], soon);
    let wait: Function<fn(&str) -> String> = stage.probe("wait");
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("caller".into());
        let call = thread
            .spawn_scoped(scope, || wait.call("counter").unwrap())
            .unwrap();
        stage.desk.until_waiting("counter");
        let retirement = held(&stage, &probe);
        assert_eq!(retirement.state, RetirementState::InUse);
        assert!(
            matches!(&retirement.held_by[..], [Holder::Call { plugin: Some(plugin), thread }] if plugin == "probe" && thread.ends_with("\"caller\"")),
            "{retirement}"
        );
        let line = format!(
            "probe (build {}) is still in use: held by a call of probe on thread ",
            retirement.build_id.short()
        );
        records::wait_for(&[&line, "\"caller\""]);
        // The same is available as JSON, for programs.
        let json = serde_json::to_value(&retirement).unwrap();
        assert_eq!(
            (&json["state"], &json["plugin"]),
            (&"in_use".into(), &"probe".into())
        );
        assert!(json["held_by"][0]["call"]["thread"].is_string(), "{json}");
        stage.desk.open("counter");
        assert_eq!(call.join().unwrap(), retirement.build_id.to_string());
    });
    leaves(stage);
}

#[test]
fn a_thread() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], soon);
    let spawn: Function<fn(&str) -> hotswap_plugin::Result<()>> = stage.probe("spawn");
    spawn.call("worker").unwrap();
    stage.desk.until_waiting("worker");
    let retirement = held(&stage, &probe);
    assert_eq!(retirement.state, RetirementState::Freeing);
    let [Holder::Threads { names }] = &retirement.held_by[..] else {
        panic!("{retirement}")
    };
    assert!(
        matches!(&names[..], [name] if name.ends_with(" \"worker\"")),
        "{names:?}"
    );
    stage.desk.open("worker");
    leaves(stage);
}

#[test]
fn a_pin() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], soon);
    let (ready, is_ready) = channel();
    let (end, ended) = channel::<()>();
    std::thread::scope(|scope| {
        let stage = &stage;
        let holder = std::thread::Builder::new().name("pinner".into());
        let holding = move || {
            let _pin = stage.swapper.pin();
            ready.send(line!() - 1).unwrap();
            let _ = ended.recv();
        };
        holder.spawn_scoped(scope, holding).unwrap();
        let line = is_ready.recv().unwrap();
        let retirement = held(stage, &probe);
        let [Holder::Pin { thread, at }] = &retirement.held_by[..] else {
            panic!("{retirement}")
        };
        assert!(thread.ends_with("\"pinner\""), "{thread}");
        assert!(at.contains(&format!("holders.rs:{line}:")), "{at}");
        drop(end);
    });
    leaves(stage);
}

#[test]
fn a_forgotten_pin_is_a_leak_that_is_named_and_no_dangling_pointer() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], soon);
    let forgetful = std::thread::Builder::new().name("forgetful".into());
    std::thread::scope(|scope| {
        let forget = || std::mem::forget(stage.swapper.pin());
        forgetful
            .spawn_scoped(scope, forget)
            .unwrap()
            .join()
            .unwrap();
    });
    let retirement = held(&stage, &probe);
    let [Holder::Pin { thread, at }] = &retirement.held_by[..] else {
        panic!("{retirement}")
    };
    assert!(
        thread.starts_with("ended thread ") && thread.ends_with("\"forgetful\""),
        "{thread}"
    );
    assert!(at.contains("holders.rs:"), "{at}");
    let late = stage.swapper.wait_retired(Duration::from_millis(50));
    assert_eq!(late.len(), 1);
    // Other builds come and go while this one is held.
    for n in 0..5 {
        stage.swap("probe", &ordered(&probe, &format!("build {n}")));
    }
    let gone = || {
        stage
            .swapper
            .retirements()
            .iter()
            .filter(|r| r.state == RetirementState::Gone)
            .count()
    };
    until("the others to leave", || gone() == 5);
}

#[test]
fn a_hold() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], soon);
    let hold = stage.swapper.pin().hold();
    let second = std::thread::spawn({
        let hold = hold.clone();
        move || hold
    });
    let second = second.join().unwrap();
    let retirement = held(&stage, &probe);
    assert_eq!(retirement.held_by, [Holder::Holds { count: 2 }]);
    assert_eq!((hold.number(), hold.listing().generation), (1, 1));
    let build = hold.invoke("probe", "build", &[]).unwrap();
    assert_eq!(build.to_string(), retirement.build_id.to_string());
    drop((hold, second));
    leaves(stage);
}

#[test]
fn a_hook_that_does_not_return_holds_up_nobody_else() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &ordered(&probe, "wait on_free"))], soon);
    let hanging = stage.live_build();
    let retirement = held(&stage, &probe);
    assert_eq!(
        (retirement.state, &retirement.held_by[..]),
        (RetirementState::Freeing, &[Holder::Drop][..])
    );
    assert_eq!(retirement.build_id, hanging);
    // The next build leaves memory before this one.
    let next = stage.live_build();
    stage.swap("probe", &probe);
    until("the next build to leave", || {
        let gone = |r: &Retirement| r.build_id == next && r.state == RetirementState::Gone;
        stage.swapper.retirements().iter().any(gone)
    });
    stage.desk.open("on_free");
    leaves(stage);
}

#[test]
fn a_value_of_a_thread_that_does_not_come_back() {
    let probe = probe();
    for skip in [false, true] {
        let stage = Stage::with(&[("probe", &probe)], |builder| {
            soon(builder).skip_late_destructors(skip)
        });
        let remember: Function<fn(&str)> = stage.probe("remember");
        let (ready, is_ready) = channel();
        let (end, ended) = channel::<()>();
        let thread = std::thread::Builder::new().name("elsewhere".into());
        let thread = thread.spawn(move || {
            remember.call("unreachable").unwrap();
            drop(remember);
            ready.send(()).unwrap();
            let _ = ended.recv();
        });
        is_ready.recv().unwrap();
        if skip {
            stage.swap("probe", &ordered(&probe, "another build"));
            assert!(stage.swapper.wait_retired(LIMIT).is_empty());
            let retirement = named(&stage);
            assert_eq!(
                (retirement.state, retirement.destructors_skipped),
                (RetirementState::Gone, 1)
            );
        } else {
            let retirement = held(&stage, &probe);
            let [Holder::Destructors { count, threads }] = &retirement.held_by[..] else {
                panic!("{retirement}")
            };
            assert!(
                *count >= 1 && threads[0].ends_with("\"elsewhere\""),
                "{retirement}"
            );
        }
        drop(end);
        thread.unwrap().join().unwrap();
        let told = !stage
            .desk
            .told()
            .contains(&"unreachable dropped".to_owned());
        assert_eq!(told, skip);
        leaves(stage);
    }
}
