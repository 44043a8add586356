//! Restarts by hand, and what the health monitor does about a plugin that does not do its work.
use crate::health::{by_hand, feel, other, patient};
use crate::support::window;
use hotswap_host::prelude::*;
use hotswap_host::{Cause, HealthCheckError, Outcome, StateReport};
use hotswap_operate::{
    Entry, EntryResult, HealthLevel, HealthMonitor, HealthMonitorBuilder, HealthReport, History,
    Incident, Recovery, RecoveryAction, RollBack,
};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{LIMIT, Stage, until};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Returns the plugin with a state, and with these orders.
fn stateful(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::PatientStateful.bytes("patient"), orders)
}

fn number(stage: &Stage, function: &str) -> Value {
    stage.swapper.invoke("patient", function, &[]).unwrap()
}

/// A recovery whose steps follow each other without much of a pause.
fn fast() -> Recovery {
    let mut recovery = Recovery::default();
    recovery.backoff = Duration::from_millis(1);
    recovery.longest_backoff = Duration::from_millis(2);
    recovery
}

/// Starts a monitor that checks all the time, with this recovery.
fn start(
    stage: &Stage,
    recovery: Recovery,
    more: impl FnOnce(HealthMonitorBuilder) -> HealthMonitorBuilder,
) -> HealthMonitor {
    let mut options = by_hand();
    options.interval = Duration::from_millis(1);
    options.critical_after = u32::MAX;
    let builder = HealthMonitor::builder(&stage.swapper).options(options);
    more(builder.recovery(recovery)).start().unwrap()
}

/// Waits until nothing more is done, and returns the steps that were taken.
fn steps(monitor: &HealthMonitor) -> Vec<(RecoveryAction, Option<String>)> {
    let exhausted = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        patient.recovery.as_ref().unwrap().exhausted
    };
    let report = monitor.wait_until(LIMIT, exhausted).unwrap();
    let recovery = report.plugin("patient").unwrap().recovery.clone().unwrap();
    let steps = recovery.steps.into_iter();
    steps.map(|step| (step.action, step.error)).collect()
}

#[test]
fn a_restart_makes_a_new_library_whose_statics_are_as_at_first() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let global: Function<fn() -> u64> = stage.swapper.function("patient", "global").unwrap();
    for n in 1..=3 {
        assert_eq!(global.call().unwrap(), n);
        assert_eq!(number(&stage, "visit"), Value::from(n));
    }
    let before = stage.swapper.listing();
    let report = stage.swapper.restart("patient").unwrap();
    assert_eq!(report.to_string(), "patient: restarted");
    assert_eq!(report.plugins[0].outcome, Outcome::Restarted);
    assert_eq!(global.call().unwrap(), 1);
    assert_eq!(number(&stage, "visit"), Value::from(1));
    let after = stage.swapper.listing();
    assert_eq!(after.plugins[0].build_id, before.plugins[0].build_id);
    assert!(after.plugins[0].loaded_at > before.plugins[0].loaded_at);
    assert!(
        !stage.swapper.reload().unwrap().changed(),
        "it is the same build"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_restart_hands_the_state_over_where_that_works() {
    let stage = Stage::open(&[("patient", &stateful("well"))]);
    for n in 1..=3 {
        assert_eq!(number(&stage, "visit"), Value::from(n));
    }
    let report = stage.swapper.restart("patient").unwrap();
    let state = report.plugins[0].state;
    assert!(
        matches!(state, Some(StateReport::HandedOver { .. })),
        "{state:?}"
    );
    assert_eq!(number(&stage, "visit"), Value::from(4));
    feel(&stage, "no save");
    let report = stage.swapper.restart("patient").unwrap();
    assert_eq!(report.to_string(), "patient: restarted, state reset");
    assert_eq!(number(&stage, "visit"), Value::from(1));
    stage.settle();
    stage.close();
}

#[test]
fn a_restart_does_not_wait_for_a_call_that_never_ends() {
    let stage = Stage::with(&[("patient", &stateful("well"))], |builder| {
        builder.gate_limit(Duration::from_millis(20))
    });
    let old = stage.swapper.pin().hold();
    feel(&stage, "hang");
    std::thread::scope(|scope| {
        let hangs = scope.spawn(|| stage.swapper.check_health("patient", "pulse"));
        until("the check runs", || {
            stage.swapper.in_flight("patient")[0].calls > 0
        });
        let report = stage.swapper.restart("patient").unwrap();
        assert_eq!(report.plugins[0].state, Some(StateReport::Reset));
        assert_eq!(number(&stage, "visit"), Value::from(1));
        old.invoke("patient", "feel", &["well".into()]).unwrap();
        hangs.join().unwrap().unwrap();
    });
    drop(old);
    stage.settle();
    stage.close();
}

#[test]
fn a_restart_that_fails_changes_nothing() {
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.reload_options(window())
    });
    let swapper = &stage.swapper;
    let missing = swapper.restart("patjent").unwrap_err().to_string();
    assert_eq!(
        missing,
        "no plugin patjent is loaded: did you mean patient?"
    );
    let check = swapper.check_health("patient", "puls").unwrap_err();
    assert!(matches!(check, HealthCheckError::Missing { .. }), "{check}");
    stage.swap("patient", &patient("well #2"));
    let window = swapper.restart("patient").unwrap_err();
    assert!(matches!(window, ReloadError::WindowOpen { .. }), "{window}");
    let orders = number(&stage, "orders");
    assert_eq!(orders, "well".into());
    swapper.confirm().unwrap();
    until("the window is closed", || swapper.open_window().is_none());
    swapper.restart("patient").unwrap();
    stage.close();
}

#[test]
fn an_unhealthy_plugin_is_restarted_and_then_it_is_well() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let monitor = start(&stage, fast(), |builder| builder);
    feel(&stage, "unhealthy");
    let restarted = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        let steps = patient.recovery.as_ref().unwrap().steps.len();
        steps == 1
            && patient
                .checks
                .iter()
                .all(|check| check.last_check.is_some())
    };
    let report = monitor.wait_until(LIMIT, restarted).unwrap();
    let patient = report.plugin("patient").unwrap();
    assert_eq!(patient.level, HealthLevel::Healthy);
    let step = &patient.recovery.as_ref().unwrap().steps[0];
    assert_eq!(
        step.to_string(),
        "restart, because it is unhealthy: pulse: it feels so"
    );
    assert!(stage.swapper.out_of_service().is_empty());
    drop(monitor);
    stage.settle();
    stage.close();
}

#[test]
fn what_restarts_do_not_help_goes_back_to_the_build_before_with_the_reason_in_the_history() {
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let journal = history.clone();
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.journal(journal)
    });
    stage.swap("patient", &patient("fail"));
    let mut recovery = fast();
    recovery.restarts = 1;
    recovery.roll_back = RollBack::ToTheBuildBefore;
    let monitor = start(&stage, recovery, |builder| builder.history(history.clone()));
    until("the build before is live", || {
        number(&stage, "orders") == "well".into()
    });
    let well = |report: &HealthReport| report.level == HealthLevel::Healthy;
    monitor.wait_until(LIMIT, well).unwrap();
    let causes = |entries: Vec<Entry>| {
        let entries = entries.into_iter().rev();
        let entries = entries.map(|entry| (entry.cause, entry.result));
        entries.collect::<Vec<_>>()
    };
    until("the history has it", || {
        let entries = history.entries(10).unwrap();
        let ended = entries
            .iter()
            .all(|entry| entry.result != EntryResult::Open);
        entries.len() == 4 && ended
    });
    let recovered = "recovery of patient, because it is unhealthy: pulse: no pulse".to_owned();
    let expected = [
        ("the start of the host".to_owned(), EntryResult::Permanent),
        ("the host's own code".to_owned(), EntryResult::Permanent),
        (recovered.clone(), EntryResult::Permanent),
        (recovered, EntryResult::Permanent),
    ];
    assert_eq!(causes(history.entries(10).unwrap()), expected);
    drop(monitor);
    stage.settle();
    stage.close();
}

#[test]
fn a_fault_that_never_ends_takes_the_plugin_out_of_service_after_bounded_actions() {
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let journal = history.clone();
    let stage = Stage::with(&[("patient", &patient("fail"))], |builder| {
        builder.journal(journal)
    });
    let told = Arc::new(Mutex::new(Vec::<Incident>::new()));
    let tell = told.clone();
    let mut recovery = fast();
    recovery.restarts = 2;
    let monitor = start(&stage, recovery, |builder| {
        builder.tell(move |incident| tell.lock().unwrap().push(incident.clone()))
    });
    use RecoveryAction::*;
    let expected = [Restart, Restart, OutOfService, Tell].map(|action| (action, None));
    assert_eq!(steps(&monitor), expected);
    let reason = "it is unhealthy: pulse: no pulse";
    assert_eq!(stage.swapper.out_of_service()[0].reason, reason);
    let call = stage.swapper.invoke("patient", "visit", &[]).unwrap_err();
    assert!(matches!(call, CallError::OutOfService { .. }), "{call}");
    {
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].plugin, "patient");
        assert_eq!(told[0].steps.len(), 3);
    }
    // Its checks go on, and nothing more is done.
    let reloads = stage.swapper.reloads();
    for _ in 0..20 {
        monitor.check_now("patient").unwrap();
    }
    assert_eq!(stage.swapper.reloads(), reloads);
    assert_eq!(steps(&monitor), expected);
    let entries = history.entries(10).unwrap().into_iter().rev();
    let entries: Vec<_> = entries.map(|entry| (entry.result, entry.detail)).collect();
    insta::assert_snapshot!(format!("{entries:#?}"), @r#"
    [
        (
            Permanent,
            "patient: loaded",
        ),
        (
            Permanent,
            "patient: restarted",
        ),
        (
            Permanent,
            "patient: restarted",
        ),
        (
            OutOfService,
            "patient: it is unhealthy: pulse: no pulse",
        ),
        (
            Noted,
            "patient: nothing more can be done about it: restart, because it is unhealthy: pulse: no pulse; restart, because it is unhealthy: pulse: no pulse; out of service, because it is unhealthy: pulse: no pulse",
        ),
    ]
    "#);
    // Put back by hand, it begins anew.
    stage.swapper.resume("patient").unwrap();
    until("it is out again", || {
        !stage.swapper.out_of_service().is_empty()
    });
    assert_eq!(steps(&monitor), expected);
    assert_eq!(stage.swapper.reloads(), reloads + 2);
    drop(monitor);
    stage.settle();
    stage.close();
}

#[test]
fn restarts_that_fail_count_as_well() {
    let vetoes = Arc::new(AtomicBool::new(false));
    let veto = vetoes.clone();
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.check(move |_| match veto.load(SeqCst) {
            true => Err("no other instance"),
            false => Ok(()),
        })
    });
    vetoes.store(true, SeqCst);
    let mut recovery = fast();
    recovery.restarts = 2;
    recovery.tell = false;
    let monitor = start(&stage, recovery, |builder| builder);
    feel(&stage, "critical");
    let vetoed = Some("the new generation was refused: no other instance".to_owned());
    use RecoveryAction::*;
    let expected = [
        (Restart, vetoed.clone()),
        (Restart, vetoed),
        (OutOfService, None),
    ];
    assert_eq!(steps(&monitor), expected);
    drop(monitor);
    stage.close();
}

#[test]
fn a_build_that_has_left_the_store_is_not_gone_back_to_and_the_next_step_follows() {
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let journal = history.clone();
    let first = patient("well");
    let stage = Stage::with(&[("patient", &first)], |builder| builder.journal(journal));
    stage.swap("patient", &patient("well #2"));
    let first = fixture::build_id(&first).to_string();
    let mut recovery = fast();
    recovery.restarts = 0;
    recovery.roll_back = RollBack::To(first.clone());
    let monitor = start(&stage, recovery, |builder| builder.history(history.clone()));
    let stored = walk(state.path());
    let stored = stored
        .iter()
        .filter(|path| path.to_string_lossy().contains(&first));
    stored.for_each(|path| std::fs::remove_file(path).unwrap());
    let reloads = stage.swapper.reloads();
    feel(&stage, "fail");
    let steps = steps(&monitor);
    use RecoveryAction::*;
    let [(Rollback, Some(error)), (OutOfService, None), (Tell, None)] = &*steps else {
        panic!("{steps:?}")
    };
    assert!(error.contains(&first[..8]), "{error}");
    assert_eq!(stage.swapper.reloads(), reloads, "the build is still live");
    assert_eq!(stage.swapper.out_of_service().len(), 1);
    drop(monitor);
    stage.close();
}

/// Returns all files below a directory.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => walk(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn within_a_rollback_window_nothing_is_done_but_to_revert() {
    let mut careful = window();
    careful.failure_limit = 1000;
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.reload_options(careful)
    });
    let monitor = start(&stage, fast(), |builder| builder);
    let window = stage.swap("patient", &patient("fail")).window.unwrap();
    let suspended = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        patient.level == HealthLevel::Unhealthy && patient.recovery.as_ref().unwrap().suspended
    };
    let report = monitor.wait_until(LIMIT, suspended).unwrap();
    let recovery = report.plugin("patient").unwrap().recovery.clone().unwrap();
    assert!(recovery.steps.is_empty());
    assert_eq!(window.outcome(), None);
    stage.swapper.rollback().unwrap();
    let well = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        !patient.recovery.as_ref().unwrap().suspended && patient.level == HealthLevel::Healthy
    };
    let report = monitor.wait_until(LIMIT, well).unwrap();
    let recovery = report.plugin("patient").unwrap().recovery.clone().unwrap();
    assert!(recovery.steps.is_empty(), "{recovery:?}");
    drop(monitor);
    stage.close();
}

#[test]
fn a_recovery_that_cannot_be_is_refused_with_what_to_write() {
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let journal = history.clone();
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.journal(journal)
    });
    let with = |change: &dyn Fn(&mut Recovery)| {
        let mut recovery = Recovery::default();
        change(&mut recovery);
        recovery
    };
    let without_history = HealthMonitor::builder(&stage.swapper)
        .recovery(with(&|r| r.roll_back = RollBack::ToTheBuildBefore))
        .start()
        .unwrap_err();
    let monitor = start(&stage, Recovery::default(), |b| b.history(history.clone()));
    let set = |recovery| monitor.set_recovery("patient", recovery).unwrap_err();
    let errors = [
        without_history,
        set(with(&|r| r.backoff = Duration::ZERO)),
        set(with(&|r| r.longest_backoff = Duration::from_millis(1))),
        set(with(&|r| r.steady_after = Duration::from_millis(1))),
        set(with(&|r| r.roll_back = RollBack::To("0123456789".into()))),
        monitor
            .set_recovery("patjent", Recovery::default())
            .unwrap_err(),
    ];
    let errors = errors.map(|error| error.to_string()).join("\n");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b([0-9a-f]{32}|[0-9a-f]{8})\b", "[ID]");
    settings.bind(|| {
        insta::assert_snapshot!(errors, @r"
        the recovery of all plugins cannot be used: `roll_back` needs builds of an earlier time; pass the host's history to `HealthMonitorBuilder::history`, or write `RollBack::Never`
        the recovery of patient cannot be used: `backoff` is zero, and the actions would follow each other at once; set it to a time such as 1 s
        the recovery of patient cannot be used: `longest_backoff` (1ms) is less than `backoff` (1s); set it to 1s at least
        the recovery of patient cannot be used: `steady_after` (1ms) is less than `backoff` (1s), and the first step would be repeated for ever; set it to more than 1s
        the recovery of patient cannot be used: `roll_back` goes to a build that is gone: the build 0123456789 has left the store; these builds are there: [ID]
        no plugin patjent is loaded, so there is no health to watch; write one of patient
        ");
    });
    drop(monitor);
    stage.close();
}

#[test]
fn observers_are_told_of_the_cause_and_of_plugins_out_of_service() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let (one, two) = (patient("well"), other("well"));
    let plugins = [("patient", &*one), ("patjent", &*two)];
    let stage = Stage::with(&plugins, |builder| {
        builder.observe(move |event| {
            let step = matches!(event.kind, hotswap_host::ReloadEventKind::Step(_));
            let recovery = matches!(event.cause, Cause::Recovery { .. });
            if !step {
                seen.lock().unwrap().push(format!("{recovery} {event}"));
            }
        })
    });
    let swapper = &stage.swapper;
    swapper
        .restart_because("patient", "it looked pale")
        .unwrap();
    swapper.take_out_of_service("patjent", "a walk").unwrap();
    swapper.note("patjent", "it likes walks").unwrap();
    swapper.resume("patjent").unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "false the start of the host: patient: loaded; patjent: loaded",
            "true recovery of patient, because it looked pale: patient: restarted; patjent: unchanged",
            "false the host's own code: patjent is out of service: a walk",
            "false the host's own code: patjent: it likes walks",
            "false the host's own code: patjent is back in service",
        ]
    );
    assert!(swapper.note("nobody", "?").is_err());
    stage.close();
}
