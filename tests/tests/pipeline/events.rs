//! The stream of events, which tells of each step.
use crate::support::{checked, host, window};
use hotswap_host::{ReloadEvent, ReloadEventKind};
use hotswap_tests::LIMIT;
use std::sync::mpsc::{Receiver, channel};

/// Opens a host, and returns the events as texts without durations.
fn observed() -> (hotswap_tests::Stage, Receiver<String>) {
    let (tell, told) = channel();
    let observe = move |event: &ReloadEvent<'_>| {
        let kind = match &event.kind {
            ReloadEventKind::Step(step) => match step.failed {
                true => format!("{} failed", step.step),
                false => step.step.to_string(),
            },
            ReloadEventKind::Completed(report) => report.to_string(),
            ReloadEventKind::Refused(_) => "refused".into(),
            ReloadEventKind::WindowClosed(outcome) => outcome.to_string(),
            other => panic!("{other:?}"),
        };
        tell.send(format!("{}: {kind}", event.attempt)).unwrap();
    };
    let settings = |builder: hotswap_host::Builder| builder.observe(observe);
    let stage = host(&checked("first"), |builder| {
        settings(builder.reload_options(window()))
    });
    (stage, told)
}

fn next(told: &Receiver<String>, n: usize) -> Vec<String> {
    (0..n).map(|_| told.recv_timeout(LIMIT).unwrap()).collect()
}

#[test]
fn each_step_is_told_and_then_the_outcome() {
    let (stage, told) = observed();
    let first = [
        "0: validate",
        "0: smoke",
        "0: stage",
        "0: switch",
        "0: start",
    ];
    assert_eq!(
        next(&told, 6),
        [&first[..], &["0: checked: loaded"]].concat()
    );
    stage.install("checked", &checked("fail smoke"));
    stage.swapper.reload().unwrap_err();
    assert_eq!(
        next(&told, 3),
        ["1: validate", "1: smoke failed", "1: refused"]
    );
    stage.swap("checked", &checked("third"));
    next(&told, 5);
    assert_eq!(next(&told, 1), ["2: checked: reloaded"]);
    stage.swapper.rollback().unwrap();
    let rest = [
        "3: switch",
        "3: start",
        "3: checked: reverted",
        "2: reverted, because it was asked for",
    ];
    assert_eq!(next(&told, 4), rest);
    assert!(told.try_recv().is_err());
    stage.close();
}
