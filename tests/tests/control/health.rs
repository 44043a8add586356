//! Health, incidents, and metrics at the endpoint.
use crate::stream;
use crate::support::Controlled;
use hotswap_control::Control;
use hotswap_control::api::{EventKind, FailureKind, HealthLevel};
use hotswap_control::{Client, ClientError};
use hotswap_operate::{HealthMonitor, HealthOptions, Recovery};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{LIMIT, Stage, process};
use std::time::Duration;

/// Returns the plugin `patient`, which does as the order says.
fn patient(order: &str) -> Vec<u8> {
    fixture::ordered(&Build::Patient.bytes("patient"), order)
}

/// Options with which only requests make checks run.
fn on_request() -> HealthOptions {
    let mut options = HealthOptions::default();
    options.interval = Duration::from_secs(3600);
    options.limit = LIMIT;
    options.degraded_after = LIMIT;
    options.unhealthy_after = 1;
    options
}

/// A policy that only tells.
fn only_tells() -> Recovery {
    let mut recovery = Recovery::default();
    recovery.restarts = 0;
    recovery.out_of_service = false;
    recovery
}

#[test]
fn the_health_of_plugins_and_what_cannot_be_mended() {
    let control = Control::new();
    let observer = control.observer();
    let stage = Stage::with(&[("patient", &patient("well"))], |builder| {
        builder.observe(observer)
    });
    let monitor = HealthMonitor::builder(&stage.swapper)
        .options(on_request())
        .recovery(only_tells())
        .tell(control.incidents())
        .start()
        .unwrap();
    let serving = control.health(monitor).serve(&stage.swapper).unwrap();
    let client = Client::of_socket(process::host_dir_of(stage.dir()).join("control.sock"));

    let health = client.check_health(None).unwrap();
    assert_eq!(health.level, HealthLevel::Healthy, "{}", health.text);
    let [plugin] = &*health.plugins else {
        panic!("{}", health.text)
    };
    let build = fixture::build_id(&patient("well")).to_string();
    assert_eq!((&*plugin.plugin, &plugin.build_id), ("patient", &build));
    let pulse = plugin.checks.iter().find(|check| check.name == "pulse");
    assert!(pulse.unwrap().last_check.is_some(), "{}", plugin.text);

    let mut events = client.events(None).unwrap();
    let feel = stage.swapper.invoke("patient", "feel", &["fail".into()]);
    feel.unwrap();
    // Nothing is run for those who only look.
    assert_eq!(client.health().unwrap().level, HealthLevel::Healthy);
    let health = client.check_health(Some("patient")).unwrap();
    assert_eq!(health.level, HealthLevel::Unhealthy, "{}", health.text);
    assert_eq!(health.decided_by, ["patient"]);
    let seen = stream::until(&mut events, "incident");
    let incident = seen.last().unwrap();
    assert!(
        matches!(
            &incident.kind,
            EventKind::Incident { plugin, level: HealthLevel::Unhealthy, message, steps }
                if plugin == "patient" && message.contains("no pulse") && steps.is_empty()
        ),
        "{incident:?}"
    );
    assert_eq!(incident.cause, "the health of patient");

    let Err(ClientError::Failure(failure)) = client.check_health(Some("pat & ient")) else {
        panic!("there is no such plugin")
    };
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.message.contains("no plugin pat & ient is loaded"));
    drop(serving);
    stage.close();
}

/// The health check of a container asks so.
#[test]
fn the_exit_code_says_whether_a_host_is_well() {
    let control = Control::new();
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let monitor = HealthMonitor::builder(&stage.swapper).options(on_request());
    let monitor = monitor.start().unwrap();
    let mut host = Controlled {
        serving: Some(control.health(monitor).serve(&stage.swapper).unwrap()),
        stage,
    };
    let well = (Some(0), "", "");
    let ran = host.ran(&["health", "--exit-code", "--now"]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), well);
    for (feels, code) in [
        ("degraded", 0),
        ("unhealthy", 1),
        ("critical", 1),
        ("well", 0),
    ] {
        let feel = host
            .stage
            .swapper
            .invoke("patient", "feel", &[feels.into()]);
        feel.unwrap();
        let ran = host.ran(&["health", "--exit-code", "patient"]);
        assert_eq!(ran.code, Some(code), "{feels}: {ran:?}");
        assert_eq!(ran.stdout.is_empty(), code == 0, "{ran:?}");
    }
    // Errors have no codes of their own.
    let ran = host.ran(&["health", "--exit-code", "patjent"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no plugin patjent"), "{ran:?}");
    host.serving = None;
    let ran = host.ran(&["health", "--exit-code"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // A host that does not tell its health is well as long as it runs.
    host.serving = Some(Control::new().serve(&host.stage.swapper).unwrap());
    let ran = host.ran(&["health", "--exit-code"]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), well);
    host.close();
}

#[test]
fn metrics_are_text_for_a_scraper() {
    let control = Control::new().metrics(|| "hotswap_generation 1\n".into());
    let stage = Stage::open(&[("patient", &patient("well"))]);
    let mut host = Controlled {
        serving: Some(control.serve(&stage.swapper).unwrap()),
        stage,
    };
    let text = host.curl_text(&["--include", "/metrics"]);
    assert!(
        text.contains("content-type: text/plain; version=0.0.4\r\n"),
        "{text}"
    );
    assert!(
        text.ends_with("\r\n\r\nhotswap_generation 1\n\n200"),
        "{text}"
    );
    host.serving = None;
    host.close();
}

#[test]
fn a_host_without_health_and_metrics_says_how_it_gets_them() {
    let host = Controlled::new();
    for (path, way) in [
        ("/v1/health", "`Control::health` gives"),
        ("/v1/log", "`Control::log` gives"),
        ("/metrics", "`Control::metrics` gives"),
    ] {
        let (code, answer) = host.curl(&[path]);
        assert_eq!((&*code, &answer["kind"]), ("404", &"not_found".into()));
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(way), "{message}");
    }
    host.close();
}
