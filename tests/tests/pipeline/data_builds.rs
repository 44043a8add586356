//! Live data that a build has saved which gave way to an older one: that build stays loaded, and lowers the data.
use crate::support::window;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, DataBuild, LiveData, Retirement};
use hotswap_operate::History;
use hotswap_tests::fixture::{Build, build_id};
use hotswap_tests::{LIMIT, Stage};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

fn office() -> Vec<u8> {
    Build::Live.bytes("office")
}

fn later() -> Vec<u8> {
    Build::LiveLater.bytes("office")
}

fn open(settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::with(&[("office", &office())], settings)
}

/// Makes another build live, with a rollback window.
fn swap(stage: &Stage, build: &[u8]) {
    stage.install("office", build);
    let reload = stage.swapper.prepare_reload().options(window());
    reload.force().run().unwrap();
}

/// Returns an alarm as the live build saves it.
fn alarm(stage: &Stage) -> LiveData {
    alarm_in(stage, "the hall")
}

fn alarm_in(stage: &Stage, place: &str) -> LiveData {
    let fields = std::collections::BTreeMap::from([
        ("place", serde_json::Value::from(place)),
        ("bells", 2.into()),
    ]);
    let first = LiveData::with("Alarm", 1, &fields).unwrap();
    let pin = stage.swapper.pin();
    pin.live_type("Alarm").unwrap().renew(&first).unwrap()
}

/// Passes data to its handler, by the host, by a pin, and by a plugin. All of them agree.
fn handle(stage: &Stage, data: &LiveData) -> Result<String, String> {
    let text = |result: Result<Value, hotswap_host::InvokeError>| {
        let result = result.map_err(|error| error.to_string())?;
        Ok(result.as_str().unwrap().to_owned())
    };
    let by_host = text(stage.swapper.handle(data));
    assert_eq!(text(stage.swapper.pin().handle(data)), by_host);
    let bytes = Value::Bytes(data.as_bytes().to_vec());
    let by_plugin = text(stage.swapper.invoke("office", "ring", &[bytes]));
    let without_plugin = |error: String| error.trim_start_matches("office.").to_owned();
    assert_eq!(
        by_plugin,
        by_host.clone().map_err(without_plugin),
        "a plugin does not know whose type it is"
    );
    by_host
}

/// Swaps to the later version, which saves an alarm, and reverts it.
fn reverted(stage: &Stage, later: &[u8]) -> (LiveData, Report) {
    swap(stage, later);
    let data = alarm(stage);
    assert_eq!(data.version(), 2);
    (data, stage.swapper.rollback().unwrap())
}

/// Waits until all builds have left memory but the live one.
fn only_the_live_one(stage: &Stage) -> Vec<Retirement> {
    assert_eq!(stage.swapper.data_builds(), []);
    stage.settle()
}

#[test]
fn the_build_that_is_live_again_reads_what_the_reverted_one_has_saved() {
    let stage = open(|builder| builder);
    let (data, report) = reverted(&stage, &later());
    let rung = "2 bells in the hall of office 00";
    assert_eq!(handle(&stage, &data).unwrap(), rung);
    // The reverted instance has left, and its build is loaded without one.
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    assert_eq!(stage.copies().len(), 2);
    assert_eq!(handle(&stage, &data).unwrap(), rung);
    let pin = stage.swapper.pin();
    let ty = pin.live_type("Alarm").unwrap();
    let lowered = ty.renew(&data).unwrap();
    assert_eq!(lowered.version(), 1);
    assert_eq!(ty.lower(&data, 1).unwrap().version(), 1);
    drop(pin);
    // What the live build saves is not touched.
    assert_eq!(handle(&stage, &lowered).unwrap(), rung);

    let builds = stage.swapper.data_builds();
    let build = build_id(&later()).short();
    let text = format!(
        "office (build {build}) stays loaded for live data that it has saved, because an older build is live: Alarm of version 2"
    );
    assert_eq!(builds[0].to_string(), text);
    assert_eq!(stage.swapper.listing().data_builds, builds);
    let note = &report.plugins[0].notes[0];
    assert!(
        note.contains(&format!(
            "its build {build} stays loaded to lower the live data that it has saved: Alarm"
        )),
        "{note}"
    );

    // The operator drops it.
    assert_eq!(stage.swapper.drop_data_builds("office").unwrap(), builds);
    let error = handle(&stage, &data).unwrap_err();
    assert!(
        error.contains("which version 1 does not understand"),
        "{error}"
    );
    only_the_live_one(&stage);
    stage.close();
}

#[test]
fn without_a_migration_down_the_error_says_what_to_write() {
    let stage = open(|builder| builder);
    let later = Build::LiveOneWay.bytes("office");
    let (data, _) = reverted(&stage, &later);
    let build = build_id(&later).short();
    let text = format!(
        "office.Alarm: the data is newer than the live build, and the build {build}, which stays loaded for it, cannot lower \
         it: Alarm cannot be lowered from version 2 to 1; declare a `down` in `migrate(1, …)`"
    );
    assert_eq!(handle(&stage, &data).unwrap_err(), text);
    let pin = stage.swapper.pin();
    let ty = pin.live_type("Alarm").unwrap();
    assert_eq!(ty.renew(&data).unwrap_err().to_string(), text);
    drop(pin);
    // A build that knows the version reads it.
    swap(&stage, &self::later());
    assert!(handle(&stage, &data).is_ok());
    stage.close();
}

#[test]
fn it_leaves_when_no_data_is_left() {
    let left = Arc::new(AtomicU64::new(3));
    let counted = left.clone();
    let count = move |name: &str, version: u32| match (name, version) {
        ("Alarm", 2) => counted.load(SeqCst),
        other => panic!("{other:?}"),
    };
    let stage = open(|builder| builder.count_live_data(count));
    let (data, _) = reverted(&stage, &later());
    let builds = stage.swapper.data_builds();
    assert!(
        builds[0]
            .to_string()
            .ends_with("Alarm of version 2 (3 left)")
    );
    assert!(!builds[0].is_drained());
    assert!(handle(&stage, &data).is_ok());
    left.store(0, SeqCst);
    only_the_live_one(&stage);
    assert!(handle(&stage, &data).is_err());
    stage.close();
}

#[test]
fn it_leaves_by_itself_too() {
    let stage = open(|builder| builder.count_live_data(|_, _| 0));
    reverted(&stage, &later());
    // The listing does not count as a look.
    while !stage.swapper.listing().data_builds.is_empty() {
        std::thread::yield_now();
    }
    stage.settle();
    stage.close();
}

#[test]
fn one_that_is_dropped_while_it_is_in_use_counts_as_retiring() {
    let (entered, is_entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    // One count lasts until the test lets it end.
    let held = Arc::new(Mutex::new(None::<(mpsc::Sender<()>, mpsc::Receiver<()>)>));
    let next = held.clone();
    let count = move |_: &str, _: u32| {
        let held = next.lock().unwrap().take();
        if let Some((entered, may_go_on)) = held {
            entered.send(()).unwrap();
            may_go_on.recv_timeout(LIMIT).unwrap();
        }
        1
    };
    let stage = open(|builder| builder.count_live_data(count));
    reverted(&stage, &later());
    // The instance that was reverted has the same build, and has to be gone first.
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    *held.lock().unwrap() = Some((entered, may_go_on));
    let counting = {
        let swapper = stage.swapper.clone();
        std::thread::spawn(move || swapper.data_builds())
    };
    is_entered.recv_timeout(LIMIT).unwrap();
    stage.swapper.drop_data_builds("office").unwrap();
    assert_eq!(stage.swapper.listing().data_builds, []);
    let retiring = stage.swapper.retirements();
    let retiring = retiring.iter().filter(|one| !one.state.is_end());
    let retiring: Vec<_> = retiring.map(|one| one.build_id).collect();
    assert_eq!(retiring, [build_id(&later())]);
    go_on.send(()).unwrap();
    counting.join().unwrap();
    stage.settle();
    stage.close();
}

#[test]
fn a_build_without_newer_types_does_not_stay() {
    let stage = open(|builder| builder);
    swap(&stage, &Build::LiveWithout.bytes("office"));
    stage.swapper.rollback().unwrap();
    only_the_live_one(&stage);
    stage.close();
}

#[test]
fn it_leaves_with_the_host() {
    let stage = open(|builder| builder);
    reverted(&stage, &later());
    assert_eq!(stage.swapper.data_builds().len(), 1);
    // This checks that nothing is left mapped.
    stage.close();
}

fn remembering(dir: &Path) -> Stage {
    let history = History::open_keeping(dir, 1).unwrap();
    open(|builder| builder.journal(history))
}

#[test]
fn a_journal_keeps_it_beyond_the_end_of_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let stage = remembering(dir.path());
    let (data, _) = reverted(&stage, &later());
    let stored = dir
        .path()
        .join("builds")
        .join(build_id(&later()).to_string());
    assert!(stored.exists());
    stage.close();

    let stage = remembering(dir.path());
    let of = |builds: &[DataBuild]| {
        builds
            .iter()
            .map(|build| build.build_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&stage.swapper.data_builds()), [build_id(&later())]);
    assert!(handle(&stage, &data).is_ok());
    // Other builds come and go, and the store does not forget it.
    for _ in 0..2 {
        swap(&stage, &Build::LiveWithout.bytes("office"));
        stage.swapper.rollback().unwrap();
    }
    assert!(stored.exists());
    stage.swapper.drop_data_builds("office").unwrap();
    assert!(!stored.exists());
    stage.close();

    let stage = remembering(dir.path());
    assert_eq!(stage.swapper.data_builds(), []);
    stage.close();
}

#[test]
fn a_reload_to_an_older_build_keeps_the_newer_one_until_a_permanent_one_understands_its_data() {
    let stage = Stage::open(&[("office", &later())]);
    let data = alarm(&stage);
    let report = stage.swap("office", &office());
    let note = &report.plugins[0].notes[0];
    assert!(
        note.contains("stays loaded to lower the live data"),
        "{note}"
    );
    assert!(handle(&stage, &data).is_ok());
    // Another build of that version cannot lower it, and is loaded beside it.
    swap(&stage, &Build::LiveOneWay.bytes("office"));
    stage.swapper.rollback().unwrap();
    assert_eq!(stage.swapper.data_builds().len(), 2);
    assert!(handle(&stage, &data).is_ok());
    // This one is provisional, and might be reverted.
    swap(&stage, &later());
    assert_eq!(stage.swapper.data_builds().len(), 2);
    stage.swapper.confirm().unwrap();
    while !stage.swapper.data_builds().is_empty() {
        std::thread::yield_now();
    }
    stage.settle();
    assert!(handle(&stage, &data).is_ok());
    stage.close();
}

#[test]
fn a_reload_that_is_refused_leaves_nothing_loaded() {
    let stage = Stage::open(&[("office", &later())]);
    stage.install("office", &office());
    let reload = stage.swapper.prepare_reload();
    // It is refused at the switch, because of a handle that the check has made.
    let handles = std::sync::Mutex::new(Vec::new());
    let swapper = &stage.swapper;
    let refused = reload.check(|_| {
        let add: Function<fn(i64, i64, bool) -> i64> = swapper.live_function("add").unwrap();
        handles.lock().unwrap().push(add);
        Ok::<(), String>(())
    });
    let error = refused.run().unwrap_err();
    assert!(matches!(error, ReloadError::Handle { .. }), "{error}");
    assert!(stage.swapper.data_builds().is_empty());
    drop(handles);
    only_the_live_one(&stage);
    stage.close();
}

#[test]
fn a_build_that_is_dropped_while_it_lowers_leaves_afterwards() {
    let stage = open(|builder| builder);
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    swap(&stage, &later());
    let data = alarm_in(&stage, place);
    stage.swapper.rollback().unwrap();
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    std::thread::scope(|scope| {
        let lowered = scope.spawn(|| stage.swapper.handle(&data));
        while !dir.path().join("begun").exists() {
            std::thread::yield_now();
        }
        assert_eq!(stage.swapper.drop_data_builds("office").unwrap().len(), 1);
        assert_eq!(stage.swapper.data_builds(), []);
        // Its code runs, so it is on its way out of memory, and still mapped.
        let retiring = stage.swapper.wait_retired(Duration::ZERO);
        let copies = stage.copies();
        std::fs::write(dir.path().join("go on"), "").unwrap();
        let rung = lowered.join().unwrap().unwrap();
        let retiring: Vec<_> = retiring.iter().map(|one| one.build_id).collect();
        assert_eq!(retiring, [build_id(&later())]);
        assert_eq!(copies.len(), 2);
        assert_eq!(
            rung.as_str().unwrap(),
            format!("2 bells in {place} of office 00")
        );
    });
    only_the_live_one(&stage);
    stage.close();
}

#[test]
fn a_data_build_does_not_stand_in_the_way_of_other_data() {
    let stage = open(|builder| builder);
    reverted(&stage, &later());
    // The live build's own data, and data of a type that the other build does not know better.
    let own = alarm(&stage);
    assert_eq!(own.version(), 1);
    assert!(handle(&stage, &own).is_ok());
    let idea = LiveData::with("Idea", 9, &"Bad").unwrap();
    let error = handle(&stage, &idea).unwrap_err();
    assert!(error.contains("it has no handler"), "{error}");
    // Data of a version that nobody knows.
    let unknown = LiveData::with("Alarm", 3, &0).unwrap();
    let error = handle(&stage, &unknown).unwrap_err();
    assert!(!error.contains("stays loaded"), "{error}");
    stage.close();
}

#[test]
fn under_load_no_handler_meets_data_that_it_cannot_read() {
    let stage = open(|builder| builder.gate_limit(LIMIT));
    let first = build_id(&office());
    for number in 0..20 {
        let later =
            hotswap_tests::fixture::variant(&later(), "office 00", &format!("office {number:02}"));
        swap(&stage, &later);
        let data = alarm(&stage);
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let call = || {
                let mut calls = 0;
                while done.load(SeqCst) == 0 || calls < 10 {
                    let rung = stage.swapper.handle(&data);
                    assert!(rung.is_ok(), "{rung:?}");
                    calls += 1;
                }
            };
            let callers = [scope.spawn(call), scope.spawn(call)];
            stage.swapper.rollback().unwrap();
            assert_eq!(stage.live_build(), first);
            done.store(1, SeqCst);
            callers
                .into_iter()
                .for_each(|caller| caller.join().unwrap());
        });
        // It is dropped while others use it, and its addresses are not used again.
        std::thread::scope(|scope| {
            let caller = scope.spawn(|| while stage.swapper.handle(&data).is_ok() {});
            assert_eq!(stage.swapper.drop_data_builds("office").unwrap().len(), 1);
            caller.join().unwrap();
        });
    }
    only_the_live_one(&stage);
    stage.close();
}
