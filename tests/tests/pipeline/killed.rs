//! Hosts that are killed at every step of a reload. The next start is on what was permanent.
use crate::support::checked;
use hotswap_host::prelude::*;
use hotswap_host::{
    Journal, JournalError, ReloadEvent, ReloadEventKind, ReloadOptions, Start, Trial,
};
use hotswap_operate::{EntryResult, History};
use hotswap_tests::{Desk, LIMIT, fixture};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A state directory and a plugin directory, for one host after the other.
struct Place {
    state: TempDir,
    plugins: TempDir,
}

/// A host in a process of its own.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Place {
    /// Runs a host with this build until it is permanent.
    fn new(build: &[u8]) -> Self {
        let place = Place {
            state: tempfile::tempdir().unwrap(),
            plugins: tempfile::tempdir().unwrap(),
        };
        place.install(build);
        let mut first = place.start("nowhere", "60");
        assert_eq!(first.says(), "live first");
        first.end();
        place
    }

    fn install(&self, build: &[u8]) {
        fixture::install(build, "checked", self.plugins.path());
    }

    /// Starts a host that stops at this point, and whose reloads are permanent after this number of seconds.
    fn start(&self, point: &str, healthy: &str) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "killed::host", "--ignored", "--nocapture"]);
        command.env("HOTSWAP_TEST_STATE", self.state.path());
        command.env("HOTSWAP_TEST_PLUGINS", self.plugins.path());
        command.env("HOTSWAP_TEST_POINT", point);
        command.env("HOTSWAP_TEST_HEALTHY", healthy);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        Process {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn history(&self) -> Arc<History> {
        History::open(self.state.path()).unwrap()
    }
}

impl Process {
    /// Returns the next line of the host, or nothing if it has ended.
    fn says(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return "nothing".into();
            }
            // The test harness has words of its own, on the same line.
            if let Some((_, said)) = line.trim_end().split_once("host: ") {
                return said.to_owned();
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in an orderly way.
    fn end(&mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A journal that stops after it was told of a trial.
struct Stopping(Arc<History>, String);

impl Journal for Stopping {
    fn start(&self) -> Result<Option<Start>, JournalError> {
        self.0.start()
    }
    fn misfit(&self, reason: &str) -> Result<(), JournalError> {
        self.0.misfit(reason)
    }
    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError> {
        self.0.trying(trial)?;
        stop_at(&self.1, trial.attempt, "tried");
        Ok(())
    }
    fn event(&self, event: &ReloadEvent<'_>) {
        self.0.event(event);
    }
    fn shut_down(&self) {
        self.0.shut_down();
    }
}

fn stop_at(point: &str, attempt: u64, here: &str) {
    if attempt > 0 && point == here {
        say(&format!("at {here}"));
        loop {
            std::thread::park();
        }
    }
}

fn say(text: &str) {
    println!("host: {text}");
    std::io::stdout().flush().unwrap();
}

#[test]
#[ignore = "runs in a process of its own, which other tests start"]
fn host() {
    let set = |name: &str| std::env::var(format!("HOTSWAP_TEST_{name}")).unwrap();
    let (point, healthy): (_, f64) = (set("POINT"), set("HEALTHY").parse().unwrap());
    let history = History::open(set("STATE")).unwrap();
    let of_observer = point.clone();
    let observe = move |event: &ReloadEvent<'_>| {
        let here = match &event.kind {
            ReloadEventKind::Step(step) => step.step.to_string(),
            ReloadEventKind::Completed(_) => "completed".into(),
            ReloadEventKind::WindowClosed(_) => "closed".into(),
            _ => return,
        };
        stop_at(&of_observer, event.attempt, &here);
    };
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs_f64(healthy);
    let swapper = Swapper::builder()
        .plugin_dir(set("PLUGINS"))
        .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        .reload_options(options)
        .journal(Arc::new(Stopping(history, point)))
        .observe(observe)
        .open()
        .unwrap();
    match swapper.invoke("checked", "orders", &[]).unwrap() {
        Value::Str(orders) => say(&format!("live {orders}")),
        other => panic!("{other:?}"),
    }
    // The end of the input is the order to end.
    std::io::stdin().lines().for_each(drop);
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
}

/// Kills a host at this point of trying the second build. Returns what the next one is on.
fn killed_at(point: &str, healthy: &str) -> (String, Place) {
    let place = Place::new(&checked("first"));
    place.install(&checked("second"));
    let mut host = place.start(point, healthy);
    let said = match host.says() {
        live if live.starts_with("live ") => host.says(),
        said => said,
    };
    assert_eq!(said, format!("at {point}"));
    host.kill();
    let mut next = place.start("nowhere", "600");
    let live = next.says();
    next.end();
    check(place.state.path());
    (live, place)
}

/// The store has what the database names, and it is whole.
fn check(state: &Path) {
    let history = History::open(state).unwrap();
    assert_eq!(history.verify().unwrap(), []);
    let stored = history.builds().unwrap();
    let sets = history.sets().unwrap();
    assert!(sets.iter().any(|set| set.steps == 0));
    let kept = sets
        .iter()
        .filter(|set| set.steps > -(History::KEPT_SETS as i64));
    for build in kept.flat_map(|set| set.builds.values()) {
        assert!(stored.contains(build), "{build}");
    }
}

#[test]
fn before_the_window_has_closed_the_next_start_is_on_the_permanent_build() {
    for point in [
        "tried",
        "validate",
        "smoke",
        "stage",
        "switch",
        "start",
        "completed",
    ] {
        let (live, place) = killed_at(point, "600");
        // Where nothing of the build was tried yet, it is tried now.
        let expected = if point == "validate" {
            "second"
        } else {
            "first"
        };
        assert_eq!(live, format!("live {expected}"), "killed after {point}");
        let history = place.history();
        let died = history.entries(100).unwrap();
        let died = died.iter().any(|entry| entry.result == EntryResult::Died);
        assert_eq!(died, point != "validate", "killed after {point}");
        assert_eq!(history.held().unwrap().is_empty(), point == "validate");
    }
}

#[test]
fn once_the_build_is_permanent_the_next_start_is_on_it() {
    let (live, place) = killed_at("closed", "0.01");
    assert_eq!(live, "live second");
    assert!(place.history().held().unwrap().is_empty());
}

#[test]
fn a_build_that_kills_the_host_does_so_once() {
    let place = Place::new(&checked("first"));
    for how in [
        "segfault on_start",
        "abort smoke",
        "overflow smoke",
        "exit smoke",
    ] {
        place.install(&checked(how));
        let mut host = place.start("nowhere", "600");
        assert_eq!(host.says(), "nothing", "{how}");
        drop(host);
        // The killer is still in the plugin directory.
        for _ in 0..3 {
            let mut host = place.start("nowhere", "600");
            assert_eq!(host.says(), "live first", "{how}");
            host.end();
        }
    }
    assert_eq!(place.history().held().unwrap().len(), 4);
}

#[test]
fn one_that_is_released_is_tried_again() {
    let (live, place) = killed_at("stage", "600");
    assert_eq!(live, "live first");
    let history = place.history();
    assert_eq!(history.unhold(Some("zz")).unwrap(), 0);
    assert_eq!(history.unhold(None).unwrap(), 1);
    drop(history);
    let mut host = place.start("nowhere", "600");
    assert_eq!(host.says(), "live second");
    host.end();
}

/// `HOTSWAP_TEST_KILLS=500` kills so many hosts, each after another time.
#[test]
fn whenever_it_happens() {
    let kills = std::env::var("HOTSWAP_TEST_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let place = Place::new(&checked("first"));
    for n in 0..kills {
        place.install(&checked(&format!("build {n}")));
        let mut host = place.start("nowhere", if n % 2 == 0 { "600" } else { "0.001" });
        std::thread::sleep(Duration::from_micros((n * 7919 % 120_000) as u64));
        host.kill();
        drop(host);
        check(place.state.path());
    }
    let mut host = place.start("nowhere", "600");
    assert!(host.says().starts_with("live "));
    host.end();
}
