//! Measures careful reloads: what each step costs, and what calls cost while they are watched.
use crate::measure::{Comparison, Effort, each, seconds};
use crate::plugins::{self, ADDER};
use crate::reloads::{Changing, slowest_of_a_thousand};
use hotswap_host::prelude::*;
use hotswap_host::{
    Drain, Journal, JournalError, ReloadEvent, ReloadEventKind, ReloadOptions, Start, Step, Trial,
};
use hotswap_operate::History;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The variable that makes this program open a library and end.
const OPEN: &str = "HOTSWAP_BENCH_OPEN";

/// Opens the library that the environment names, if this process was started for that.
pub fn open_and_end() {
    if let Some(file) = std::env::var_os(OPEN) {
        // SAFETY: the library is a plugin's, whose constructors are those of the standard library.
        let library = unsafe { libloading::Library::new(file) };
        std::process::exit(library.is_err().into());
    }
}

/// Returns how long it takes to start this program once more, and to open the library there.
fn fork_exec_dlopen(file: &Path) -> f64 {
    let (taken, status) = seconds(|| {
        let mut command = Command::new("/proc/self/exe");
        command.env(OPEN, file).status()
    });
    assert!(status.expect("the program can be started").success());
    taken
}

/// Measures a dry run of a reload, compared with a process that opens the same library.
pub fn validate(effort: Effort) -> Comparison {
    let mut changing = Changing::one_of(1);
    let file = changing.stage.file(ADDER);
    changing.install();
    let dry_run = || {
        let (taken, verdict) = seconds(|| changing.stage.swapper.prepare_reload().validate());
        verdict.expect("the build can be loaded");
        taken
    };
    each(effort, dry_run, || fork_exec_dlopen(&file))
}

/// Measures the probe of a build, compared with a process that opens the same library.
pub fn probe(effort: Effort) -> Comparison {
    let mut options = ReloadOptions::development();
    options.probe = true;
    let mut changing = Changing::with(1, |builder| builder.reload_options(options));
    let file = changing.stage.file(ADDER);
    let ours = || {
        changing.install();
        let report = changing.stage.swapper.reload();
        let report = report.expect("the build can be loaded");
        changing.stage.swapper.wait_retired(hotswap_tests::LIMIT);
        took(&report, Step::Probe)
    };
    each(effort, ours, || fork_exec_dlopen(&file))
}

fn took(report: &Report, step: Step) -> f64 {
    let mut steps = report.steps.iter();
    let step = steps.find(|report| report.step == step);
    step.expect("the step has run").took.as_secs_f64()
}

/// A journal that measures another one.
struct Timed {
    history: Arc<History>,
    /// The time of the last trial, and of the last outcome.
    times: Mutex<(f64, f64)>,
}

impl Journal for Timed {
    fn start(&self) -> Result<Option<Start>, JournalError> {
        self.history.start()
    }
    fn misfit(&self, reason: &str) -> Result<(), JournalError> {
        self.history.misfit(reason)
    }
    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError> {
        let (taken, tried) = seconds(|| self.history.trying(trial));
        self.times.lock().expect("nobody panics").0 = taken;
        tried
    }
    fn event(&self, event: &ReloadEvent<'_>) {
        let (taken, ()) = seconds(|| self.history.event(event));
        if let ReloadEventKind::Completed(_) = event.kind {
            self.times.lock().expect("nobody panics").1 = taken;
        }
    }
    fn shut_down(&self) {
        self.history.shut_down();
    }
}

/// Measures how long the journal takes to keep a new build, compared with a file of the same bytes that is written and
/// synced.
pub fn store(effort: Effort) -> Comparison {
    journal(effort, |times| times.0, |build| build.len())
}

/// Measures how long the journal takes to write an outcome, compared with a file of a kilobyte that is written and synced.
pub fn history(effort: Effort) -> Comparison {
    journal(effort, |times| times.1, |_| 1024)
}

fn journal(effort: Effort, time: fn((f64, f64)) -> f64, bytes: fn(&[u8]) -> usize) -> Comparison {
    let dir = tempfile::tempdir_in(hotswap_tests::fixture::target());
    let dir = dir.expect("a directory can be made");
    let history = History::open_keeping(dir.path().join("state"), 1).expect("it can be opened");
    let times = Mutex::default();
    let timed = Arc::new(Timed { history, times });
    let journal = timed.clone();
    let mut changing = Changing::with(1, |builder| builder.journal(journal));
    let bytes = vec![7; bytes(&changing.builds[0])];
    let ours = || {
        changing.reload();
        time(*timed.times.lock().expect("nobody panics"))
    };
    let baseline = || {
        let file = dir.path().join("file");
        let (taken, ()) = seconds(|| {
            let mut written = File::create(&file).expect("the file can be made");
            written.write_all(&bytes).expect("it can be written");
            written.sync_all().expect("it can be synced");
        });
        fs::remove_file(&file).expect("it can be removed");
        taken
    };
    each(effort, ours, baseline)
}

/// Measures the commit of a staged reload, compared with what a reload does from its switch on.
pub fn commit(effort: Effort) -> Comparison {
    let (mut staged, mut whole) = (Changing::one_of(1), Changing::one_of(1));
    let ours = || {
        staged.install();
        let ready = staged.stage.swapper.prepare_reload().stage();
        let ready = ready.expect("the build can be loaded");
        let (taken, report) = seconds(|| ready.commit());
        report.expect("nothing has overtaken it");
        staged.stage.swapper.wait_retired(hotswap_tests::LIMIT);
        taken
    };
    let rest = || {
        whole.install();
        let (taken, report) = seconds(|| whole.stage.swapper.reload());
        whole.stage.swapper.wait_retired(hotswap_tests::LIMIT);
        let report = report.expect("the build can be loaded");
        taken - took(&report, Step::Validate) - took(&report, Step::Stage)
    };
    each(effort, ours, rest)
}

/// Options with every step but the probe and the wait for a verdict.
fn all() -> ReloadOptions {
    let mut options = ReloadOptions::production();
    options.refuse_breaking = false;
    options.drain = Drain::OrProceed;
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options.min_calls = 1;
    options.latency_factor = 1e9;
    options.supersede = true;
    options
}

/// Measures the slowest of a thousand calls while builds are replaced with the whole pipeline, compared with the same
/// while they are replaced without it.
pub fn stall(effort: Effort) -> Comparison {
    let mut with = Changing::with(1, |builder| {
        builder
            .reload_options(all())
            .smoke("nothing", |_| Ok::<_, String>(()))
    });
    let mut without = Changing::one_of(1);
    let phase = Duration::from_millis(effort.pick(100, 5));
    each(
        effort,
        || slowest_while_swapping(&mut with, phase),
        || slowest_while_swapping(&mut without, phase),
    )
}

fn slowest_while_swapping(changing: &mut Changing, phase: Duration) -> f64 {
    let add: Function<fn(i64, i64) -> i64> = changing
        .stage
        .swapper
        .function(ADDER, "add")
        .expect("the plugin has this function");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let swaps = scope.spawn(|| {
            while !done.load(Relaxed) {
                changing.install();
                changing
                    .stage
                    .swapper
                    .reload()
                    .expect("the build can be loaded");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let slowest = slowest_of_a_thousand(phase, || add.call(1, 2).expect("no call fails"));
        done.store(true, Relaxed);
        swaps.join().expect("every reload succeeds");
        slowest
    })
}

/// Opens a host whose rollback window is open, and whose calls are watched.
pub fn watched_adder() -> hotswap_tests::Stage {
    let stage = plugins::host_with(&[(ADDER, &plugins::adder(1))], |builder| {
        builder.reload_options(all())
    });
    stage.swap(ADDER, &plugins::adder(2));
    stage
}
