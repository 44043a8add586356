//! Tests the demo `livex`: a later version does the jobs that an earlier one has queued, and the queue survives a
//! killed host.
use hotswap_tests::fixture::{Build, demo_host, install};
use hotswap_tests::until;
use livex::queue::Jobs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The number of jobs that wait at any time.
const BACKLOG: u64 = 20;

/// A plugin directory and a queue, which outlive their hosts.
struct Office {
    dir: TempDir,
    host: PathBuf,
}

impl Office {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["plugins", "hosts"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Office {
            dir,
            host: demo_host("livex"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn install(&self, library: &[u8]) {
        install(library, "livex-office", &self.path("plugins"));
    }

    /// Starts a host that runs until it is killed, or until it has done this many jobs in all.
    fn open(&self, days: Option<u64>) -> Running {
        let mut command = Command::new(&self.host);
        command.arg("--queue").arg(self.path("queue"));
        command.args(["--interval", "1", "--backlog", &BACKLOG.to_string()]);
        command.args(days.map(|days| format!("--days={days}")));
        command.env("HOTSWAP_PLUGIN_DIR", self.path("plugins"));
        command.env("HOTSWAP_RUNTIME_DIR", self.path("hosts"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Running(command.spawn().unwrap())
    }

    /// Reads the journal, which would show it if a job was done twice.
    fn jobs(&self) -> Jobs {
        read(&self.path("queue"))
    }

    /// Returns once a job has this result.
    fn until_done(&self, what: &str, is: impl Fn(u64, &str) -> bool) {
        until(what, || {
            let done = self.jobs().done;
            done.iter().any(|(number, result)| is(*number, result))
        });
    }
}

fn read(journal: &Path) -> Jobs {
    let bytes = fs::read(journal).unwrap_or_default();
    Jobs::read(&bytes).expect("the journal can be parsed").0
}

/// A running host. It is killed when a test fails.
struct Running(Child);

impl Running {
    fn reload(&self) {
        // SAFETY: `kill` has no preconditions. The child was not waited for, so its process id was not reused.
        let sent = unsafe { libc::kill(self.0.id().cast_signed(), libc::SIGUSR1) };
        assert_eq!(sent, 0);
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn end(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The versions that have queued and done a job.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    FirstAndFirst,
    FirstAndLater,
    LaterAndLater,
}

/// Returns true if the job of this day has to wait for its time.
fn is_delayed(day: u64) -> bool {
    day % 3 == 2
}

/// Checks the result of a day's job, and returns the versions that have queued and done it.
fn check(day: u64, result: &str) -> By {
    if day % 3 == 1 {
        // The job names a function, and the newest one was called.
        let call = |department: &str, answer: &str| {
            format!("day {day}: roll_call of the {department}: {answer}")
        };
        return if result == call("library", "Cleo") {
            By::FirstAndFirst
        } else if result == call("library", "all of the library") {
            By::FirstAndLater
        } else if result == call("tower", "all of the tower") {
            By::LaterAndLater
        } else {
            panic!("day {day}: {result}")
        };
    }
    let place = ["kitchen", "library", "tower"][day as usize % 3];
    let of_the_first = ["Ada and Ben", "Cleo", "nobody"][day as usize % 3];
    let by = |place: &str, alarms: u32| {
        format!("day {day}: {alarms} alarms in the {place}, all of the {place} left")
    };
    if result == format!("day {day}: fire in the {place}, {of_the_first} left") {
        By::FirstAndFirst
    } else if result == by(place, 1) {
        By::FirstAndLater
    } else if result == by("tower", 3) {
        By::LaterAndLater
    } else {
        panic!("day {day}: {result}")
    }
}

#[test]
fn no_job_is_lost_or_done_twice_over_a_swap_and_over_kills() {
    let office = Office::new();
    let builds = [
        Build::Livex.bytes("livex-office"),
        Build::LivexLater.bytes("livex-later"),
    ];
    office.install(&builds[0]);
    let host = office.open(None);
    office.until_done("some jobs", |number, _| number > 40);
    office.install(&builds[1]);
    host.reload();
    // By then, all jobs that the first version has queued are done.
    office.until_done("a job of the later version", |number, result| {
        check(number, result) == By::LaterAndLater
    });
    host.kill();
    // The next host starts with waiting jobs that another process has queued.
    let before = office.jobs().queued();
    let host = office.open(None);
    office.until_done("more jobs", |number, _| number > before + BACKLOG);
    host.kill();
    let days = office.jobs().queued() + BACKLOG;
    office.open(Some(days)).end();

    let Jobs { waiting, done } = office.jobs();
    assert!(waiting.is_empty(), "{waiting:?}");
    assert!(done.keys().copied().eq(1..=days), "{:?}", done.keys());
    let by: Vec<_> = done
        .iter()
        .map(|(day, result)| check(*day, result))
        .collect();
    // Jobs without a delay are done in the order in which they were queued.
    let at_once = (1..).zip(&by).filter(|(day, _)| !is_delayed(*day));
    assert!(at_once.map(|(_, by)| by).is_sorted(), "{by:?}");
    assert!(by.is_sorted_by_key(|by| *by == By::LaterAndLater), "{by:?}");
    let count = |which| by.iter().filter(|by| **by == which).count();
    // These jobs were waiting at the swap.
    let waited = count(By::FirstAndLater) as u64;
    assert!((1..=BACKLOG).contains(&waited), "{waited}");
    // At least 41 jobs were queued at the swap, and at most `BACKLOG` of them were waiting.
    assert!(count(By::FirstAndFirst) as u64 + BACKLOG > 40);
}
