//! The health monitor: levels, what makes a check fail, and what a rollback window makes of it.
use crate::support::window;
use hotswap_host::prelude::*;
use hotswap_host::{Health, RetirementState, WindowOutcome};
use hotswap_operate::{
    HealthLevel, HealthMonitor, HealthMonitorBuilder, HealthOptions, HealthReport,
};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{LIMIT, Stage, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// Returns the plugin with these orders.
pub fn patient(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::Patient.bytes("patient"), orders)
}

/// Returns the same plugin under another name.
pub fn other(orders: &str) -> Vec<u8> {
    fixture::renamed(&patient(orders), "patient", "patjent")
}

/// Options with which only the tests make checks run.
pub fn by_hand() -> HealthOptions {
    let mut options = HealthOptions::default();
    options.interval = Duration::from_secs(3600);
    options.limit = LIMIT;
    options.degraded_after = LIMIT;
    options.unhealthy_after = 2;
    options.critical_after = 4;
    options
}

/// Tells the live instance how it does.
pub fn feel(stage: &Stage, how: &str) {
    let feel = stage.swapper.invoke("patient", "feel", &[how.into()]);
    feel.unwrap();
}

fn start(stage: &Stage, options: HealthOptions) -> HealthMonitor {
    let builder = HealthMonitor::builder(&stage.swapper);
    let monitor = builder.options(options).start().unwrap();
    // The first checks have run.
    monitor.check_all_now().unwrap();
    monitor
}

/// Checks the plugin, and returns its level with the reason.
fn check(monitor: &HealthMonitor) -> (HealthLevel, String) {
    let report = monitor.check_now("patient").unwrap();
    let patient = report.plugin("patient").unwrap();
    (patient.level, patient.message.clone())
}

#[test]
fn a_plugin_goes_from_each_level_to_each_level() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let monitor = start(&stage, by_hand());
    let feels = |level: HealthLevel| match level {
        HealthLevel::Healthy => "well".to_owned(),
        level => level.to_string(),
    };
    for from in HealthLevel::ALL {
        for to in HealthLevel::ALL {
            feel(&stage, &feels(from));
            assert_eq!(check(&monitor).0, from);
            feel(&stage, &feels(to));
            let (level, message) = check(&monitor);
            assert_eq!(level, to, "from {from}");
            let healthy = to == HealthLevel::Healthy;
            assert_eq!(message, if healthy { "" } else { "pulse: it feels so" });
            let report = monitor.health_report();
            assert_eq!(report.level, to);
            assert_eq!(
                report.decided_by,
                if healthy { &[][..] } else { &["patient"] }
            );
        }
    }
    drop(monitor);
    stage.settle();
    stage.close();
}

#[test]
fn failures_in_a_row_make_it_unhealthy_and_then_critical() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let monitor = start(&stage, by_hand());
    feel(&stage, "fail");
    let levels: Vec<_> = (0..4).map(|_| check(&monitor)).collect();
    use HealthLevel::*;
    let expected = [Degraded, Unhealthy, Unhealthy, Critical];
    assert_eq!(
        levels,
        expected.map(|level| (level, "pulse: no pulse".into()))
    );
    let failures = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        patient.check("pulse").unwrap().consecutive_failures
    };
    assert_eq!(failures(&monitor.health_report()), 4);
    feel(&stage, "well");
    assert_eq!(check(&monitor).0, Healthy);
    assert_eq!(failures(&monitor.health_report()), 0);
    drop(monitor);
    stage.close();
}

#[test]
fn panics_nonsense_and_slow_answers_count() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let mut options = by_hand();
    options.degraded_after = Duration::from_millis(20);
    let monitor = start(&stage, options);
    for (feels, expected) in [
        ("panic", "pulse: panicked: no pulse at all"),
        ("nonsense", "sense: returned 7, which is no `Health`"),
    ] {
        feel(&stage, feels);
        assert_eq!(check(&monitor), (HealthLevel::Degraded, expected.into()));
        let (level, message) = check(&monitor);
        assert_eq!((level, &*message), (HealthLevel::Unhealthy, expected));
        feel(&stage, "well");
        until("it is fast", || check(&monitor).0 == HealthLevel::Healthy);
    }
    feel(&stage, "slow");
    let (level, message) = check(&monitor);
    assert_eq!(level, HealthLevel::Degraded);
    assert!(message.starts_with("pulse: the check took "), "{message}");
    drop(monitor);
    stage.close();
}

#[test]
fn a_check_that_hangs_has_failed_and_holds_up_nothing_else() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let counted = Arc::new(AtomicU64::new(0));
    let count = counted.clone();
    let mut options = by_hand();
    options.interval = Duration::from_millis(1);
    options.limit = Duration::from_millis(5);
    options.degraded_after = options.limit;
    let monitor = HealthMonitor::builder(&stage.swapper)
        .options(by_hand())
        .options_of("patient", options)
        .check("other", move || {
            count.fetch_add(1, SeqCst);
            Ok::<_, String>(Health::Healthy)
        })
        .start()
        .unwrap();
    let first = stage.swapper.pin().hold();
    feel(&stage, "hang");
    let hangs = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        patient.level == HealthLevel::Critical && patient.message.contains("has not returned for")
    };
    let report = monitor.wait_until(LIMIT, hangs).unwrap();
    let pulse = report.plugin("patient").unwrap().check("pulse").unwrap();
    assert!(pulse.running_for.unwrap() >= Duration::from_millis(5));
    // The other checks, calls, and reloads go on.
    let before = counted.load(SeqCst);
    monitor.check_all_now().unwrap();
    assert!(counted.load(SeqCst) > before);
    assert_eq!(
        stage.swapper.invoke("patient", "visit", &[]).unwrap(),
        Value::Int(1)
    );
    stage.swap("patient", &patient("well #2"));
    let well = |report: &HealthReport| {
        let patient = report.plugin("patient").unwrap();
        patient.level == HealthLevel::Healthy && patient.checks[0].last_check.is_some()
    };
    monitor.wait_until(LIMIT, well).unwrap();
    // The old build stays for as long as its check runs, and the check is named.
    until("the holder is named", || {
        let retirements = stage.swapper.retirements();
        let holders = retirements.iter().flat_map(|r| &r.held_by);
        let mut holders = holders.map(ToString::to_string);
        holders.any(|holder| holder.contains("hotswap-health"))
    });
    let state = stage.swapper.retirements()[0].state;
    assert_eq!(state, RetirementState::InUse);
    first.invoke("patient", "feel", &["well".into()]).unwrap();
    drop(first);
    stage.settle();
    drop(monitor);
    stage.close();
}

#[test]
fn intervals_change_while_it_runs() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let counted = Arc::new(AtomicU64::new(0));
    let count = counted.clone();
    let monitor = HealthMonitor::builder(&stage.swapper)
        .options(by_hand())
        .check_of("patient", "counts", move || {
            count.fetch_add(1, SeqCst);
            Ok::<_, String>(Health::Healthy)
        })
        .start()
        .unwrap();
    until("the first check", || counted.load(SeqCst) == 1);
    monitor.check_now("patient").unwrap();
    assert_eq!(counted.load(SeqCst), 2, "nothing else was due");
    let mut options = by_hand();
    options.interval = Duration::from_millis(1);
    monitor.set_options("patient", options).unwrap();
    until("many checks", || counted.load(SeqCst) > 20);
    drop(monitor);
    stage.close();
}

#[test]
fn bad_input_is_refused_with_what_to_write_and_changes_nothing() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let monitor = start(&stage, by_hand());
    let options = |change: &dyn Fn(&mut HealthOptions)| {
        let mut options = by_hand();
        change(&mut options);
        let error = monitor.set_options("patient", options).unwrap_err();
        error.to_string()
    };
    let well = || Ok::<_, String>(Health::Healthy);
    monitor.add_check_of("patient", "mine", well).unwrap();
    let errors = [
        options(&|options| options.interval = Duration::ZERO),
        options(&|options| options.limit = Duration::ZERO),
        options(&|options| {
            options.limit = Duration::from_millis(10);
            options.degraded_after = Duration::from_millis(20);
        }),
        options(&|options| options.unhealthy_after = 0),
        options(&|options| options.critical_after = 1),
        monitor
            .add_check_of("patient", "mine", well)
            .unwrap_err()
            .to_string(),
        monitor
            .add_check_of("patient", "pulse", well)
            .unwrap_err()
            .to_string(),
        monitor
            .add_check_of("patjent", "mine", well)
            .unwrap_err()
            .to_string(),
        monitor
            .set_options("patjent", by_hand())
            .unwrap_err()
            .to_string(),
        monitor.check_now("patjent").unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r#"
    the health options of patient cannot be used: `interval` is zero, and checks would never pause; set it to the time between two checks, such as 5 s
    the health options of patient cannot be used: `limit` is zero, and every check would have failed; set it to the longest time that a check may take, such as 2 s
    the health options of patient cannot be used: a check that takes `limit` (10ms) has failed, so none can be slow from `degraded_after` (20ms) on; set `degraded_after` to 10ms at most, or raise `limit`
    the health options of patient cannot be used: `unhealthy_after` is zero, and nothing could be healthy; set it to the number of failures in a row, such as 3
    the health options of patient cannot be used: `critical_after` (1) is less than `unhealthy_after` (2), and what is critical is unhealthy, too; set it to 2 at least
    patient already has a health check "mine"; give this one another name
    patient already has a health check "pulse"; give this one another name
    no plugin patjent is loaded, so there is no health to watch; write one of patient
    no plugin patjent is loaded, so there is no health to watch; write one of patient
    no plugin patjent is loaded, so there is no health to watch; write one of patient
    "#);
    // The options are still the old ones.
    feel(&stage, "fail");
    assert_eq!(check(&monitor).0, HealthLevel::Degraded);
    assert_eq!(check(&monitor).0, HealthLevel::Unhealthy);
    let report = monitor.health_report();
    let names = report.plugins[0].checks.iter();
    let names: Vec<_> = names.map(|check| &*check.name).collect();
    assert_eq!(names, ["mine", "pulse", "sense"]);
    drop(monitor);
    stage.close();
}

#[test]
fn bad_input_is_refused_before_a_monitor_starts() {
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let well = || Ok::<_, String>(Health::Healthy);
    let mut zero = by_hand();
    zero.interval = Duration::ZERO;
    let mut contradiction = by_hand();
    contradiction.critical_after = 1;
    type With<'a> = dyn Fn(HealthMonitorBuilder) -> HealthMonitorBuilder + 'a;
    let withs: [&With<'_>; 7] = [
        &|builder| builder.options(zero.clone()),
        &|builder| builder.options_of("patient", contradiction.clone()),
        &|builder| builder.host_options(zero.clone()),
        &|builder| builder.check("disk", well).check("disk", well),
        &|builder| builder.check_of("patient", "pulse", well),
        &|builder| builder.check_of("patjent", "mine", well),
        &|builder| builder.options_of("patjent", by_hand()),
    ];
    let errors = withs.map(|with| {
        let error = with(HealthMonitor::builder(&stage.swapper)).start().err();
        error.expect("it is refused").to_string()
    });
    insta::assert_snapshot!(errors.join("\n"), @r#"
    the health options of everything cannot be used: `interval` is zero, and checks would never pause; set it to the time between two checks, such as 5 s
    the health options of patient cannot be used: `critical_after` (1) is less than `unhealthy_after` (2), and what is critical is unhealthy, too; set it to 2 at least
    the health options of the host cannot be used: `interval` is zero, and checks would never pause; set it to the time between two checks, such as 5 s
    the host already has a health check "disk"; give this one another name
    patient already has a health check "pulse"; give this one another name
    no plugin patjent is loaded, so there is no health to watch; write one of patient
    no plugin patjent is loaded, so there is no health to watch; write one of patient
    "#);
    stage.close();
}

#[test]
fn the_report_is_a_text_and_json() {
    let stage = Stage::open(&[("patient", &patient("fail"))]);
    let monitor = HealthMonitor::builder(&stage.swapper)
        .options(by_hand())
        .check("disk", || Err::<Health, _>("it is full"))
        .start()
        .unwrap();
    let failed = |report: &HealthReport| {
        let failed = report.plugins[0].checks.iter().chain(&report.host);
        failed.clone().all(|check| check.last_check.is_some())
    };
    monitor.wait_until(LIMIT, failed).unwrap();
    let report = monitor.check_all_now().unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[\d.]+[mµn]?s\b", "[TIME]");
    settings.add_filter(r"build [0-9a-f]{8}", "build [ID]");
    settings.bind(|| {
        insta::assert_snapshot!(report.to_string(), @r"
        unhealthy, because of patient, the host
        patient (build [ID]): unhealthy: pulse: no pulse
          pulse: unhealthy: no pulse (failed 2 times in a row, took [TIME])
          sense: healthy (took [TIME])
        the host
          disk: unhealthy: it is full (failed 2 times in a row, took [TIME])
        ");
    });
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["level"], "unhealthy");
    assert_eq!(json["decided_by"][1], "the host");
    let pulse = &json["plugins"][0]["checks"][0];
    assert_eq!(pulse["name"], "pulse");
    assert_eq!(pulse["message"], "no pulse");
    assert_eq!(pulse["consecutive_failures"], 2);
    for key in ["last_check", "response_time"] {
        assert!(pulse[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(pulse["running_for"].is_null());
    drop(monitor);
    stage.close();
}

#[test]
fn what_is_out_of_service_is_critical_and_a_new_instance_begins_without_a_past() {
    let stage = Stage::open(&[("patient", &patient("fail"))]);
    let monitor = start(&stage, by_hand());
    assert!(check(&monitor).0 > HealthLevel::Healthy);
    stage.swap("patient", &patient("well"));
    let well = |report: &HealthReport| report.level == HealthLevel::Healthy;
    monitor.wait_until(LIMIT, well).unwrap();
    assert_eq!(check(&monitor).0, HealthLevel::Healthy);
    stage
        .swapper
        .take_out_of_service("patient", "a walk")
        .unwrap();
    let message = "it is out of service: a walk".to_owned();
    assert_eq!(check(&monitor), (HealthLevel::Critical, message));
    stage.swapper.resume("patient").unwrap();
    assert_eq!(check(&monitor).0, HealthLevel::Healthy);
    drop(monitor);
    stage.close();
}

#[test]
fn a_build_that_becomes_unhealthy_in_its_window_is_reverted() {
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.reload_options(window())
    });
    let mut options = by_hand();
    options.interval = Duration::from_millis(1);
    // However late the window opens, the plugin is no more than unhealthy then.
    options.critical_after = u32::MAX;
    let monitor = start(&stage, options);
    let window = stage.swap("patient", &patient("fail")).window.unwrap();
    let Some(WindowOutcome::Reverted { reason }) = window.wait(LIMIT) else {
        panic!("{:?}", window.outcome());
    };
    assert_eq!(
        reason,
        "it has failed once, and the failure limit is 0: patient is unhealthy: pulse: no pulse"
    );
    let orders = stage.swapper.invoke("patient", "orders", &[]).unwrap();
    assert_eq!(orders, "well".into());
    assert!(!window.report_failure("too late"));
    drop(monitor);
    stage.close();
}

#[test]
fn what_was_unhealthy_before_a_reload_does_not_count_against_it() {
    let (well, unwell) = (patient("well"), other("fail"));
    let plugins = [("patient", &*well), ("patjent", &*unwell)];
    let stage = Stage::with(&plugins, |builder| builder.reload_options(window()));
    let monitor = start(&stage, by_hand());
    for _ in 0..2 {
        monitor.check_now("patjent").unwrap();
    }
    assert_eq!(monitor.health_report().decided_by, ["patjent"]);
    until("the monitor has seen it", || {
        monitor.health_report().level.is_bad()
    });
    let window = stage.swap("patient", &patient("well #2")).window.unwrap();
    for _ in 0..3 {
        monitor.check_all_now().unwrap();
    }
    assert_eq!(monitor.health_report().level, HealthLevel::Critical);
    assert_eq!(window.outcome(), None);
    stage.swapper.confirm().unwrap();
    assert_eq!(window.wait(LIMIT), Some(WindowOutcome::Permanent));
    drop(monitor);
    stage.close();
}
