//! Tests live types, as the host and plugins use them.
use crate::support::{office, office_numbered};
use hotswap_host::prelude::*;
use hotswap_host::{LiveData, LiveItem, LiveKind};
use hotswap_tests::Stage;
use hotswap_tests::fixture::Build;

/// Returns an alarm as the first version saves it, made without knowing the type.
fn alarm(place: &str, bells: u32) -> LiveData {
    let fields = std::collections::BTreeMap::from([
        ("place", serde_json::Value::from(place)),
        ("bells", bells.into()),
    ]);
    LiveData::with("Alarm", 1, &fields).unwrap()
}

/// Returns the result of a call as text.
fn text(result: Result<Value, hotswap_host::InvokeError>) -> Result<String, String> {
    let result = result.map_err(|error| error.to_string())?;
    Ok(result.as_str().unwrap().to_owned())
}

#[test]
fn data_finds_the_handler_of_its_type_in_the_newest_build() {
    let stage = Stage::open(&[("office", &office())]);
    let queued = [alarm("the hall", 2), alarm("the attic", 1)];
    let handle = |data| text(stage.swapper.handle(data));
    let ring = |data: &LiveData| {
        let data = Value::Bytes(data.as_bytes().to_vec());
        text(stage.swapper.invoke("office", "ring", &[data]))
    };
    assert_eq!(
        handle(&queued[0]).unwrap(),
        "2 bells in the hall of office 00"
    );
    assert_eq!(
        ring(&queued[0]).unwrap(),
        "2 bells in the hall of office 00"
    );
    stage.swap("office", &office_numbered(1));
    assert_eq!(
        handle(&queued[1]).unwrap(),
        "1 bells in the attic of office 01"
    );
    // One field has another name, one has another type, and one is new.
    stage.swap("office", &Build::LiveLater.bytes("office"));
    let rung = "ding and 7 doors in the attic of office 00";
    assert_eq!(handle(&queued[1]).unwrap(), rung);
    assert_eq!(ring(&queued[1]).unwrap(), rung);
    stage.settle();
    stage.close();
}

#[test]
fn errors_name_the_type_and_the_field_and_leave_the_data() {
    let stage = Stage::open(&[("office", &office())]);
    let wrong = LiveData::with("Alarm", 1, &("the hall", 2)).unwrap();
    let half = LiveData::with(
        "Alarm",
        1,
        &std::collections::BTreeMap::from([("place", 1)]),
    )
    .unwrap();
    let newer = LiveData::with("Alram", 1, &0).unwrap();
    let idea = LiveData::with("idea", 1, &"none").unwrap();
    let all = [alarm("", 1), alarm("the end", 1), wrong, half, newer, idea];
    let by_host = all
        .iter()
        .map(|data| text(stage.swapper.handle(data)).unwrap_err());
    let by_plugin = all.iter().map(|data| {
        let data = Value::Bytes(data.as_bytes().to_vec());
        text(stage.swapper.invoke("office", "ring", &[data])).unwrap_err()
    });
    let texts: Vec<_> = by_host.chain(by_plugin).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    nowhere to ring
    office.Alarm panicked: no bells at the end
    office.Alarm: Alarm of version 1 cannot be restored: expected struct Alarm, found a list
    office.Alarm: Alarm of version 1 cannot be restored: place: expected a string, found 1
    there is no live type Alram in this generation: did you mean Alarm?
    office.Idea: it has no handler: implement `Handler` for it
    nowhere to ring
    Alarm panicked: no bells at the end
    Alarm: Alarm of version 1 cannot be restored: expected struct Alarm, found a list
    Alarm: Alarm of version 1 cannot be restored: place: expected a string, found 1
    nothing live is called Alram
    idea: it has no handler: implement `Handler` for it
    ");
    stage.close();
}

#[test]
fn a_type_makes_renews_and_lowers_values() {
    let later = Build::LiveLater.bytes("office");
    let stage = Stage::open(&[("office", &later)]);
    let pin = stage.swapper.pin();
    let ty = pin.live_type("alarm").unwrap();
    assert_eq!(
        (ty.name(), ty.plugin(), ty.version()),
        ("Alarm", "office", 2)
    );
    let old = alarm("the hall", 2);
    let new = ty.renew(&old).unwrap();
    assert_eq!((new.type_name(), new.version()), ("Alarm", 2));
    let back = ty.lower(&new, 1).unwrap();
    assert_eq!((back.type_name(), back.version()), ("Alarm", 1));
    assert_eq!(text(pin.handle(&back)), text(pin.handle(&old)));
    let made = ty.make().unwrap();
    assert_eq!(made.version(), 2);
    assert_eq!(text(pin.handle(&made)), Err("nowhere to ring".into()));

    // The old name of the type finds it, too.
    let idea = pin.live_type("Thought").unwrap();
    assert_eq!(idea.name(), "Idea");
    let error = idea.make().unwrap_err().to_string();
    assert_eq!(
        error,
        "office.Idea: it has no default: derive `Default` for it"
    );
    let error = ty
        .renew(&made.clone())
        .and_then(|data| ty.lower(&data, 9))
        .unwrap_err();
    insta::assert_snapshot!(error, @"office.Alarm: Alarm has version 2 and cannot be lowered to 9; restore it and save it again");
    let error = pin.live_type("Alrm").unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no live type Alrm in this generation: did you mean Alarm?"
    );
    drop(pin);
    stage.close();
}

#[test]
fn types_are_listed_with_their_versions() {
    let stage = Stage::open(&[("office", &Build::LiveLater.bytes("office"))]);
    let items = stage.swapper.pin().live_items().into_iter();
    let types: Vec<_> = items
        .filter(|item| item.kind == LiveKind::Type)
        .map(|item: LiveItem| item.to_string())
        .collect();
    insta::assert_snapshot!(types.join("\n"), @r"
    office: struct Alarm { room: String, bells: String, doors: u8 }, version 2, in office
    office: enum Idea { Good { of: String }, Bad(u8) }, version 1, in office
    office: struct LiveNote(String), version 1, in office::jobs
    ");
    stage.close();
}

#[test]
fn a_job_of_a_type_that_is_gone_is_done_when_the_type_is_back() {
    let stage = Stage::open(&[("office", &office())]);
    let job = alarm("the hall", 1);
    stage.swap("office", &Build::First.bytes("guest"));
    let error = stage.swapper.handle(&job).unwrap_err();
    assert!(
        matches!(&error, CallError::NotLive { kind: LiveKind::Type, name, .. } if name == "Alarm")
    );
    stage.swap("office", &office());
    assert_eq!(
        text(stage.swapper.handle(&job)).unwrap(),
        "1 bells in the hall of office 00"
    );
    stage.settle();
    stage.close();
}
