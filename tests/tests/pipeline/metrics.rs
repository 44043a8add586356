//! The metrics of a host: what is counted is what the callers have counted, and Prometheus can read it.
use crate::health::patient;
use crate::support::window;
use hotswap_host::prelude::*;
use hotswap_operate::{HealthMonitor, HostMetrics};
use hotswap_tests::{LIMIT, Stage, fixture, until};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};

/// Returns a plugin of this name, which no other test of this program has: counts are those of the process.
fn named(name: &str, orders: &str) -> Vec<u8> {
    fixture::renamed(&patient(orders), "patient", name)
}

/// Publishes metrics for an exporter of its own.
struct Page {
    metrics: HostMetrics,
    recorder: PrometheusRecorder,
}

impl Page {
    fn new(metrics: &HostMetrics) -> Self {
        Page {
            metrics: metrics.clone(),
            recorder: PrometheusBuilder::new().build_recorder(),
        }
    }

    /// Returns the page of the exporter as it is now.
    fn read(&self) -> String {
        metrics::with_local_recorder(&self.recorder, || self.metrics.publish());
        self.recorder.handle().render()
    }

    /// Returns the value of a metric with these labels, if it is on the page.
    fn value(&self, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        value(&self.read(), metric, labels)
    }
}

fn value(page: &str, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
    page.lines().find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, of) = series.split_once('{').unwrap_or((series, ""));
        let has = |(key, value): &(&str, &str)| of.contains(&format!("{key}=\"{value}\""));
        let found = name == metric && labels.iter().all(has);
        found.then(|| value.parse().unwrap())
    })
}

/// What the callers have counted.
#[derive(Default)]
struct Counted {
    calls: AtomicU64,
    errors: AtomicU64,
    panics: AtomicU64,
}

#[test]
fn metrics_are_what_the_callers_have_counted_before_and_after_100_reloads() {
    const THREADS: usize = 8;
    let metrics = HostMetrics::new();
    let build = named("reckons", "well");
    let plugins = [("reckons", &*build)];
    let stage = Stage::with(&plugins, |builder| builder.observe(metrics.observer()));
    metrics.count_calls(&stage.swapper).unwrap();
    let page = Page::new(&metrics);
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&named("summers", "well"), "summers", elsewhere.path());
    let guest = elsewhere.path().join(fixture::file_name("summers"));
    let counted = Counted::default();
    let (done, stopped) = (AtomicBool::new(false), Barrier::new(THREADS + 1));
    let of = [("plugin", "reckons")];
    let compare = || {
        let text = page.read();
        for (metric, expected) in [
            ("hotswap_calls_total", &counted.calls),
            ("hotswap_call_errors_total", &counted.errors),
            ("hotswap_panics_total", &counted.panics),
        ] {
            let expected = expected.load(SeqCst) as f64;
            assert_eq!(value(&text, metric, &of), Some(expected), "{metric}");
        }
        let in_flight = text
            .lines()
            .filter(|line| line.starts_with("hotswap_calls_in_flight"));
        for line in in_flight.filter(|line| line.contains("reckons")) {
            assert!(line.ends_with(" 0"), "{line}");
        }
    };
    let add: Function<fn(u64, u64) -> Result<u64, String>> =
        stage.swapper.function("reckons", "add").unwrap();
    let calls = |thread: u64| {
        let mut n = thread;
        while !done.load(SeqCst) {
            n += 1;
            let (a, b) = match n % 100 {
                0 => (0, 0),
                1 if n % 1000 == 1 => (0, 1),
                _ => (n, thread + 1),
            };
            counted.calls.fetch_add(1, SeqCst);
            match add.call(a, b) {
                Ok(sum) => assert_eq!(sum, a + b),
                Err(CallError::Returned(error)) => {
                    assert_eq!((a, b, &*error), (0, 0, "nothing to add"));
                    counted.errors.fetch_add(1, SeqCst);
                }
                Err(CallError::Panicked { .. }) => {
                    assert_eq!((a, b), (0, 1));
                    counted.panics.fetch_add(1, SeqCst);
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    let under_load = |work: &dyn Fn()| {
        done.store(false, SeqCst);
        std::thread::scope(|scope| {
            for thread in 0..THREADS as u64 {
                let (calls, stopped) = (&calls, &stopped);
                scope.spawn(move || {
                    calls(thread);
                    stopped.wait();
                });
            }
            work();
            done.store(true, SeqCst);
            stopped.wait();
        });
        compare();
    };
    under_load(&|| until("some calls", || counted.errors.load(SeqCst) > 20));
    assert!(counted.panics.load(SeqCst) > 0);
    under_load(&|| {
        for n in 0..100 {
            stage.swap("reckons", &named("reckons", &format!("well #{}", n % 3)));
            if n % 10 == 0 {
                stage.swapper.load(&guest).unwrap();
                stage.swapper.unload("summers").unwrap();
            }
        }
    });
    let text = page.read();
    let count = |metric: &str, labels: &[(&str, &str)]| value(&text, metric, labels).unwrap();
    let swaps = [("plugin", "reckons"), ("kind", "reloaded")];
    assert_eq!(count("hotswap_swaps_total", &swaps), 100.0);
    assert_eq!(count("hotswap_loads_total", &of), 1.0);
    let guest = [("plugin", "summers")];
    assert_eq!(count("hotswap_loads_total", &guest), 10.0);
    assert_eq!(count("hotswap_unloads_total", &guest), 10.0);
    assert_eq!(
        count("hotswap_reloads_total", &[("result", "changed")]),
        121.0
    );
    assert_eq!(count("hotswap_reload_duration_seconds_count", &[]), 121.0);
    assert!(count("hotswap_mean_duration_seconds", &[("of", "load")]) > 0.0);
    stage.settle();
    stage.close();
}

#[test]
fn calls_cost_nothing_and_are_not_counted_unless_that_is_asked_for() {
    let metrics = HostMetrics::new();
    let build = named("numbers", "well");
    let plugins = [("numbers", &*build)];
    let stage = Stage::with(&plugins, |builder| builder.observe(metrics.observer()));
    metrics.watch(&stage.swapper);
    let page = Page::new(&metrics);
    let of = [("plugin", "numbers")];
    let calls = || page.value("hotswap_calls_total", &of).unwrap();
    let visit: Function<fn() -> u64> = stage.swapper.function("numbers", "visit").unwrap();
    visit.call().unwrap();
    assert_eq!(calls(), 0.0);
    stage.swapper.count_calls(true).unwrap();
    visit.call().unwrap();
    stage.swapper.invoke("numbers", "visit", &[]).unwrap();
    let late = stage.swapper.dynamic("numbers", "visit").unwrap();
    late.call(&[]).unwrap();
    assert_eq!(calls(), 3.0);
    stage.swapper.check_health("numbers", "pulse").unwrap();
    stage.swapper.pin().invoke("numbers", "visit", &[]).unwrap();
    assert_eq!(calls(), 3.0, "neither of these counts");
    stage.swapper.restart("numbers").unwrap();
    visit.call().unwrap();
    assert_eq!(calls(), 4.0);
    stage.swapper.count_calls(false).unwrap();
    visit.call().unwrap();
    assert_eq!(calls(), 4.0);
    stage.settle();
    stage.close();
}

#[test]
fn calls_are_counted_over_rollback_windows_that_measure_them_too() {
    let metrics = HostMetrics::new();
    let mut options = window();
    options.max_error_rate = 0.9;
    let build = named("figures", "well");
    let plugins = [("figures", &*build)];
    let stage = Stage::with(&plugins, |builder| {
        builder.observe(metrics.observer()).reload_options(options)
    });
    metrics.count_calls(&stage.swapper).unwrap();
    let page = Page::new(&metrics);
    let visit: Function<fn() -> u64> = stage.swapper.function("figures", "visit").unwrap();
    let mut expected = 0.0;
    let mut call = || {
        visit.call().unwrap();
        expected += 1.0;
        let calls = page.value("hotswap_calls_total", &[("plugin", "figures")]);
        assert_eq!(calls, Some(expected));
    };
    call();
    stage.swap("figures", &named("figures", "well #2"));
    call();
    stage.swapper.rollback().unwrap();
    call();
    let window = stage
        .swap("figures", &named("figures", "well #3"))
        .window
        .unwrap();
    call();
    stage.swapper.confirm().unwrap();
    window.wait(LIMIT).unwrap();
    call();
    let outcomes = ["reverted", "permanent"]
        .map(|outcome| page.value("hotswap_rollback_windows_total", &[("outcome", outcome)]));
    assert_eq!(outcomes, [Some(1.0); 2]);
    stage.close();
}

#[test]
fn failures_have_their_reasons_and_what_is_gone_is_zero() {
    let metrics = HostMetrics::new();
    let build = patient("well");
    let plugins = [("patient", &*build)];
    let stage = Stage::with(&plugins, |builder| builder.observe(metrics.observer()));
    metrics.watch(&stage.swapper);
    let monitor = HealthMonitor::builder(&stage.swapper).start().unwrap();
    metrics.health(&monitor);
    let page = Page::new(&metrics);
    let id = fixture::build_id(&build).short();
    let uptime = [("plugin", "patient"), ("build", &*id)];
    assert!(
        page.value("hotswap_plugin_uptime_seconds", &uptime)
            .unwrap()
            >= 0.0
    );
    assert!(page.value("hotswap_memory_bytes", &uptime).is_some());
    assert_eq!(
        page.value("hotswap_health_level", &[("plugin", "patient")]),
        Some(0.0)
    );
    stage.install("patient", &patient("no new"));
    stage.swapper.reload().unwrap_err();
    let failures = |reason| page.value("hotswap_reload_failures_total", &[("reason", reason)]);
    assert_eq!(failures("hook"), Some(1.0));
    assert_eq!(
        stage.swapper.restart("nobody").unwrap_err().reason(),
        "request"
    );
    let hold = stage.swapper.pin().hold();
    stage.swap("patient", &patient("well #2"));
    assert_eq!(
        page.value("hotswap_plugin_uptime_seconds", &uptime),
        Some(0.0)
    );
    let mapped = || {
        page.value(
            "hotswap_replaced_builds",
            &[("build", &*id), ("why", "pins")],
        )
    };
    until("the pin is named", || mapped() == Some(1.0));
    drop(hold);
    stage.settle();
    assert_eq!(mapped(), Some(0.0));
    stage
        .swapper
        .take_out_of_service("patient", "a walk")
        .unwrap();
    let out = page.value("hotswap_out_of_service", &[("plugin", "patient")]);
    assert_eq!(out, Some(1.0));
    until("the monitor has seen it", || {
        page.value("hotswap_health_level", &[("plugin", "patient")]) == Some(3.0)
    });
    drop(monitor);
    metrics.watch(&stage.swapper);
    stage.close();
}

#[test]
fn prometheus_reads_the_page_of_the_example() {
    let plugins = tempfile::tempdir().unwrap();
    fixture::install(&patient("well"), "patient", plugins.path());
    let mut host = Command::new(fixture::example("prometheus", "metrics"))
        .arg(plugins.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let host = Mutex::new(host);
    let page = Command::new("curl")
        .args(["--silent", &address])
        .output()
        .unwrap();
    host.lock().unwrap().kill().unwrap();
    host.lock().unwrap().wait().unwrap();
    assert!(page.status.success());
    let text = String::from_utf8_lossy(&page.stdout);
    for metric in [
        "hotswap_loads_total",
        "hotswap_calls_total",
        "hotswap_uptime_seconds",
    ] {
        assert!(text.contains(&format!("# TYPE {metric} ")), "{text}");
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: `tests/run --setup` installs it");
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(&page.stdout)
        .unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{told}\n{text}");
    assert_eq!(told, "");
}
