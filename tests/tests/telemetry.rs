//! Tests the log records and spans of a plugin, as the host's logger and subscriber see them.
use hotswap_host::prelude::*;
use hotswap_host::telemetry::{Backtraces, PANIC_TARGET, set_backtraces};
use hotswap_host::{RetirementState, UnloadMode};
use hotswap_tests::fixture;
use std::io;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tracing::Metadata;
use tracing::span::{Attributes, Id};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::{Context, Layer, Layered, SubscriberExt};
use tracing_subscriber::{EnvFilter, Registry, reload};

/// The lines that the logger and the formatting subscriber of this process wrote.
#[derive(Clone, Copy)]
struct Written;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Written {
    /// Returns the lines that contain this text.
    fn with(text: &str) -> Vec<String> {
        let lines = LINES.lock().unwrap();
        lines
            .iter()
            .filter(|line| line.contains(text))
            .cloned()
            .collect()
    }
}

impl log::Log for Written {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let file = record.file().unwrap_or_default();
        let place = format!(
            "{:?} {file}:{}",
            record.module_path(),
            record.line().is_some()
        );
        let line = format!(
            "{} {} {place} {}",
            record.level(),
            record.target(),
            record.args()
        );
        LINES.lock().unwrap().push(line);
    }
    fn flush(&self) {}
}

impl io::Write for Written {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).trim().to_owned();
        LINES.lock().unwrap().push(text);
        Ok(line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the metadata of all spans and events, as some subscribers do.
struct Stateful;

static KEPT: Mutex<Vec<&'static Metadata<'static>>> = Mutex::new(Vec::new());

impl Layer<Registry> for Stateful {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, Registry>) {
        KEPT.lock().unwrap().push(attributes.metadata());
    }
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, Registry>) {
        KEPT.lock().unwrap().push(event.metadata());
    }
}

type Kept = Layered<Stateful, Registry>;

/// Sets up log and tracing for this process, once. The handle changes the filter.
fn set_up() -> &'static reload::Handle<EnvFilter, Kept> {
    static FILTER: OnceLock<reload::Handle<EnvFilter, Kept>> = OnceLock::new();
    FILTER.get_or_init(|| {
        log::set_logger(&Written).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        let (filter, handle) = reload::Layer::new(EnvFilter::new("info"));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| Written)
            .with_ansi(false)
            .without_time()
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE);
        let subscriber = Registry::default().with(Stateful).with(filter).with(lines);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        handle
    })
}

/// A host with the talker as its only plugin.
struct Talker {
    swapper: Swapper,
    dir: TempDir,
    library: Vec<u8>,
}

impl Talker {
    fn open() -> Talker {
        let library = std::fs::read(fixture::library("talker")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        fixture::install(&library, "talker", dir.path());
        let swapper = Swapper::builder()
            .plugin_dir(dir.path())
            .unload_mode(UnloadMode::Quarantine)
            .open()
            .unwrap();
        Talker {
            swapper,
            dir,
            library,
        }
    }

    fn say(&self, function: &str, text: &str) {
        let function: Function<fn(&str)> = self.swapper.function("talker", function).unwrap();
        function.call(text).unwrap();
    }

    fn run(&self, function: &str) -> Result<(), CallError> {
        let function: Function<fn()> = self.swapper.function("talker", function).unwrap();
        function.call()
    }

    /// Replaces the build, and waits until the old one has left memory.
    fn replace(&self, number: u8) {
        let text = format!("the build number is {number:02}");
        let next = fixture::variant(&self.library, "the build number is 00", &text);
        fixture::install(&next, "talker", self.dir.path());
        self.swapper.reload().unwrap();
        let build: Function<fn() -> String> = self.swapper.function("talker", "build").unwrap();
        assert_eq!(build.call().unwrap(), text);
        let retired = self.swapper.wait_retired(Duration::from_secs(30));
        assert!(
            retired
                .iter()
                .all(|retired| retired.state == RetirementState::Gone),
            "{retired:?}"
        );
    }
}

/// Polls for a condition that nothing announces.
fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(
            Instant::now() < end,
            "the condition did not hold within 30 s"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn log_records_arrive_as_they_were_made() {
    set_up();
    Talker::open().say("log", "a record");
    let lines = Written::with("a record");
    assert_eq!(
        lines[0],
        r#"INFO talker::custom Some("talker") talker/src/lib.rs:true a record"#
    );
}

#[test]
fn events_arrive_with_fields_and_in_the_spans_of_the_host() {
    set_up();
    let talker = Talker::open();
    tracing::info_span!("request", id = 5).in_scope(|| talker.say("event", "said"));
    let line =
        r#"INFO request{id=5}: talker: an event number=7 truth=true text="said" seen=Some(1)"#;
    assert_eq!(Written::with(r#"text="said""#), [line]);
}

#[test]
fn spans_live_in_the_host() {
    set_up();
    let talker = Talker::open();
    tracing::info_span!("spanning").in_scope(|| talker.run("spans").unwrap());
    assert_eq!(
        Written::with("spanning"),
        [
            "INFO spanning: telemetry: new",
            "INFO spanning:outer: talker: new",
            r#"INFO spanning:outer{late="now"}: talker: in outer"#,
            r#"INFO spanning:outer{late="now"}:inner: talker: new"#,
            r#"INFO spanning:outer{late="now"}:inner: talker: in inner"#,
            r#"INFO spanning:outer{late="now"}:inner: talker: close"#,
            "INFO spanning: talker: on a thread",
            r#"INFO spanning:outer{late="now"}: talker: close"#,
            "INFO spanning: telemetry: close",
        ]
    );
    assert!(
        Written::with("in none")
            .iter()
            .all(|line| line == "INFO talker: in none")
    );
}

#[test]
fn plugins_follow_the_level_and_the_filter() {
    let filter = set_up();
    let talker = Talker::open();
    talker.say("detail", "quiet");
    talker.say("log", "quiet log");
    assert_eq!(
        Written::with("quiet").len(),
        1,
        "only the record at level info"
    );

    filter.reload(EnvFilter::new("info,talker=debug")).unwrap();
    until(|| {
        talker.say("detail", "loud");
        !Written::with("loud").is_empty()
    });
    // The maximum level stays as it is. Only the filter's answer for one target changes.
    filter.reload(EnvFilter::new("info,another=debug")).unwrap();
    talker.say("detail", "switched off");
    assert_eq!(Written::with("switched off"), [""; 0]);
    filter.reload(EnvFilter::new("info,talker=debug")).unwrap();
    until(|| {
        talker.say("detail", "once more");
        !Written::with("once more").is_empty()
    });
    filter.reload(EnvFilter::new("info")).unwrap();

    log::set_max_level(log::LevelFilter::Debug);
    until(|| {
        talker.say("log", "loud log");
        !Written::with("loud log, in detail").is_empty()
    });
    log::set_max_level(log::LevelFilter::Info);
    talker.say("log", "silent again");
    assert_eq!(Written::with("silent again").len(), 1);
}

#[test]
fn nothing_that_a_subscriber_keeps_lies_in_a_plugin() {
    set_up();
    let talker = Talker::open();
    for number in 1..4 {
        talker.say("event", "kept by the subscriber");
        talker.run("spans").unwrap();
        talker.replace(number);
    }
    // Unmapped addresses stay without access forever, so the use of a stale one ends the process here.
    let kept = KEPT.lock().unwrap();
    let mut events: Vec<_> = kept
        .iter()
        .filter(|kept| kept.fields().field("truth").is_some())
        .collect();
    assert!(
        events
            .iter()
            .all(|event| event.target() == "talker" && event.file().is_some())
    );
    assert!(events.len() >= 3);
    events.dedup_by_key(|event| (**event as *const Metadata<'_>).addr());
    assert_eq!(events.len(), 1, "one copy for all builds");
    drop(kept);
    tracing::callsite::rebuild_interest_cache();
}

#[test]
fn spans_that_a_plugin_leaves_open_are_closed_with_it() {
    set_up();
    let talker = Talker::open();
    tracing::info_span!("leaving").in_scope(|| talker.run("keep").unwrap());
    assert_eq!(
        Written::with("close")
            .iter()
            .filter(|line| line.contains("leaving:"))
            .count(),
        0
    );
    talker.replace(1);
    let closed =
        |name: &str| Written::with(name).contains(&format!("INFO leaving:{name}: talker: close"));
    until(|| closed("kept") && closed("forgotten"));
}

#[test]
fn a_panic_is_reported_once_with_its_place_and_its_stack() {
    set_up();
    set_backtraces(Backtraces::Short);
    let talker = Talker::open();
    let panic: Function<fn(&str)> = talker.swapper.function("talker", "panic").unwrap();
    assert!(matches!(
        panic.call("overheated"),
        Err(CallError::Panicked { .. })
    ));
    let reports = Written::with("overheated");
    assert_eq!(reports.len(), 1, "{reports:?}");
    let build = talker.swapper.listing().plugins[0].build_id.short();
    let start = format!(
        "ERROR {PANIC_TARGET}: plugin talker (build {build}) panicked at talker/src/lib.rs:"
    );
    assert!(reports[0].starts_with(&start), "{}", reports[0]);
    assert!(reports[0].contains("talker::deep::down"), "{}", reports[0]);
    // The stack goes on through the host, up to this test.
    assert!(
        reports[0].contains("a_panic_is_reported_once"),
        "{}",
        reports[0]
    );
}

/// The plugin sets up logging as a program does.
#[test]
fn a_second_logger_or_subscriber_is_told_what_to_do() {
    set_up();
    let talker = Talker::open();
    let advice = "hotswap gives each plugin a logger and a subscriber, which pass everything to the host; remove the call \
                  that installs another, or ignore its error, as in `let _ = tracing_subscriber::fmt::try_init();`";
    let panicked = talker.run("install_a_logger").unwrap_err();
    assert_eq!(
        panicked.to_string(),
        format!(
            "talker.install_a_logger panicked: it should be the first one: SetLoggerError(()); {advice}"
        )
    );
    assert_eq!(
        Written::with(advice).len(),
        1,
        "the log has the advice, too"
    );
    let install: Function<fn() -> hotswap_plugin::Result<()>> = talker
        .swapper
        .function("talker", "install_a_subscriber")
        .unwrap();
    let failed = install.call().unwrap_err().to_string();
    let text = format!("a global default trace dispatcher has already been set; {advice}");
    assert!(failed.ends_with(&text), "{failed}");
    // The host's logger and subscriber still work.
    talker.say("log", "still the host's logger");
    assert_eq!(Written::with("INFO talker::custom").len(), 1);
}

#[test]
fn a_panic_in_debug_is_the_callers_error() {
    set_up();
    let talker = Talker::open();
    assert!(matches!(
        talker.run("panic_while_formatting"),
        Err(CallError::Panicked { .. })
    ));
    assert_eq!(Written::with("no words").len(), 1);
    assert_eq!(Written::with("never seen"), [""; 0]);
}

#[test]
#[ignore = "runs in a process of its own, which the next test starts"]
fn child_without_a_logger() {
    let talker = Talker::open();
    let panic: Function<fn(&str)> = talker.swapper.function("talker", "panic").unwrap();
    panic.call("unheard").unwrap_err();
}

#[test]
fn a_panic_that_nobody_listens_for_goes_to_stderr() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_without_a_logger",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{stderr}");
    assert!(stderr.contains("plugin talker (build "), "{stderr}");
    assert!(stderr.contains(": unheard"), "{stderr}");
}
