//! The stream of events.
use crate::support::{Controlled, checked};
use hotswap_control::Notice;
use hotswap_control::api::{Event, EventKind, ReloadRequest};

/// Returns what an event is, in a word.
fn word(event: &Event) -> String {
    match &event.kind {
        EventKind::Step(step) => step.step.clone(),
        EventKind::Completed(_) => "completed".into(),
        EventKind::Refused { .. } => "refused".into(),
        EventKind::WindowClosed { .. } => "closed".into(),
        EventKind::Incident { .. } => "incident".into(),
        _ => "new".into(),
    }
}

/// Returns the events up to one that is called so.
pub fn until(events: &mut hotswap_control::Events, wanted: &str) -> Vec<Event> {
    let mut seen = Vec::new();
    loop {
        let Notice::Event(event) = events.next().unwrap().unwrap() else {
            panic!("events are lost after {seen:?}")
        };
        let found = word(&event) == wanted;
        seen.push(*event);
        if found {
            return seen;
        }
    }
}

#[test]
fn each_step_is_told_and_none_is_missed() {
    let host = Controlled::new();
    let client = host.client();
    let mut events = client.events(None).unwrap();
    host.stage.install("checked", &checked("second"));
    client.reload(&ReloadRequest::default()).unwrap();
    let seen = until(&mut events, "completed");
    let words: Vec<_> = seen.iter().map(word).collect();
    for step in ["validate", "stage", "switch"] {
        assert!(words.iter().any(|word| word == step), "{words:?}");
    }
    let ids: Vec<_> = seen.iter().map(|event| event.id).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");

    // A client that comes back gets what it has missed.
    drop(events);
    host.stage.install("checked", &checked("fail smoke"));
    client.reload(&ReloadRequest::default()).unwrap_err();
    let last = *ids.last().unwrap();
    let mut events = client.events(Some(last)).unwrap();
    let missed = until(&mut events, "refused");
    assert_eq!(missed[0].id, last + 1);

    // All of them are there from the start of the host.
    let mut events = client.events(Some(0)).unwrap();
    assert_eq!(until(&mut events, "completed")[0].id, 1);
    host.close();
}

#[test]
fn it_ends_with_the_endpoint() {
    let mut host = Controlled::new();
    let mut events = host.client().events(None).unwrap();
    host.serving = None;
    assert!(events.next().is_none_or(|event| event.is_err()));
    host.client().status().unwrap_err();
    host.close();
}

#[test]
fn clients_that_are_too_slow_are_told_what_is_lost() {
    let host = Controlled::new();
    let client = host.client();
    // Each reload that finds nothing new has at least one event, and 1,024 are kept.
    for _ in 0..1100 {
        host.stage.swapper.reload().unwrap();
    }
    let mut events = client.events(Some(0)).unwrap();
    let Some(Ok(Notice::Lost { up_to })) = events.next() else {
        panic!("nothing is lost")
    };
    let Some(Ok(Notice::Event(event))) = events.next() else {
        panic!("there are no events")
    };
    assert_eq!(event.id, up_to + 1);
    host.close();
}
