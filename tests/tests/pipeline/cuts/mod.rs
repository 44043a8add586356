//! Power failures. A host does everything that changes its state directory, and strace records it. Whenever the power
//! fails, and whatever has reached the disk by then, the next start is on what was permanent.
//!
//! `HOTSWAP_TEST_CUTS` sets the number of power failures, and `HOTSWAP_TEST_SEED` chooses them.
mod model;
mod trace;

use crate::support::{checked, window};
use hotswap_host::artifact::{Artifact, BuildId};
use hotswap_host::prelude::*;
use hotswap_host::{
    Journal, JournalError, ReloadEvent, ReloadOptions, Start, Trial, WindowOutcome,
};
use hotswap_operate::History;
use hotswap_tests::{Desk, LIMIT, fixture, setting};
use model::{Disk, Left, Numbers};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use trace::{Change, recorded};

/// The permanent sets whose builds the host keeps.
const KEPT: usize = 2;

/// The host, which says what it is about to do and what it has done.
struct Host {
    history: Arc<History>,
    swapper: Swapper,
    root: PathBuf,
}

/// Says something in the record: `will fifth` before a build may become permanent, `is fifth` once it is, `tried fifth`
/// once the journal has noted it, and `held fifth` once it was reverted.
fn mark(root: &Path, text: &str) {
    let mut marks = File::options();
    let marks = marks.append(true).create(true).open(root.join("marks"));
    marks.unwrap().write_all(text.as_bytes()).unwrap();
}

/// A journal that marks each trial.
struct Marking(Arc<History>, PathBuf);

impl Journal for Marking {
    fn start(&self) -> Result<Option<Start>, JournalError> {
        self.0.start()
    }
    fn misfit(&self, reason: &str) -> Result<(), JournalError> {
        self.0.misfit(reason)
    }
    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError> {
        self.0.trying(trial)?;
        mark(&self.1, &format!("tried {}", trial.builds[0].build_id));
        Ok(())
    }
    fn event(&self, event: &ReloadEvent<'_>) {
        self.0.event(event);
    }
    fn shut_down(&self) {
        self.0.shut_down();
        mark(&self.1, "shut down");
    }
}

impl Host {
    fn start(root: &Path) -> Self {
        let history = History::open_keeping(root.join("above/state"), KEPT).unwrap();
        let builder = Swapper::builder()
            .plugin_dir(plugins(root))
            .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
            .journal(Arc::new(Marking(history.clone(), root.to_owned())));
        Host {
            swapper: builder.open().unwrap(),
            history,
            root: root.to_owned(),
        }
    }

    fn mark(&self, text: &str) {
        mark(&self.root, text);
    }

    fn will(&self, build: &str) {
        self.mark(&format!("will {}", id(build)));
    }

    fn is(&self, build: &str) {
        self.mark(&format!("is {}", id(build)));
    }

    fn reload(&self, build: &str, options: ReloadOptions) -> Report {
        install(&self.root, build);
        let reload = self.swapper.prepare_reload().options(options);
        reload.run().unwrap()
    }

    /// Reloads with a build that is permanent at once.
    fn replace(&self, build: &str) {
        self.will(build);
        self.reload(build, ReloadOptions::development());
        self.is(build);
    }
}

/// The plugins are not part of what is recorded.
fn plugins(root: &Path) -> PathBuf {
    root.with_extension("plugins")
}

fn install(root: &Path, build: &str) {
    fixture::install(&checked(build), "checked", &plugins(root));
}

fn id(build: &str) -> BuildId {
    id_of(&checked(build))
}

fn id_of(build: &[u8]) -> BuildId {
    let artifact = Artifact::from_bytes(Path::new("build"), build);
    artifact.unwrap().build_id
}

#[test]
#[ignore = "runs in a process of its own, which the test below starts and records"]
fn host() {
    let Some(root) = std::env::var_os("HOTSWAP_TEST_ROOT").map(PathBuf::from) else {
        return;
    };
    install(&root, "first");
    mark(&root, &format!("will {}", id("first")));
    let host = Host::start(&root);
    host.is("first");
    host.replace("second");
    host.reload("third", window());
    host.swapper.rollback().unwrap();
    host.mark(&format!("held {}", id("third")));
    host.is("second");
    let opened = host.reload("fourth", window()).window.unwrap();
    host.will("fourth");
    host.swapper.confirm().unwrap();
    assert_eq!(opened.wait(LIMIT), Some(WindowOutcome::Permanent));
    host.is("fourth");
    host.will("second");
    host.history.rollback(&host.swapper, 1).unwrap();
    host.is("second");
    // The first build leaves the store, and comes back.
    host.replace("fifth");
    host.replace("first");
    let Host {
        history, swapper, ..
    } = host;
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
    drop((history, swapper));
    // The second start finds a directory that was closed.
    let host = Host::start(&root);
    host.replace("second");
    host.reload("fourth", window());
    // It ends as if it were killed.
    std::process::exit(0);
}

/// What has to be so after a power failure.
#[derive(Clone, Debug, Default)]
struct Truth {
    /// The build that is permanent.
    is: Option<BuildId>,
    /// The build that may have become permanent.
    may_be: Option<BuildId>,
    /// The build of which the host would have died.
    tried: Option<BuildId>,
    /// The builds that were reverted.
    held: BTreeSet<BuildId>,
}

impl Truth {
    fn note(&mut self, mark: &str) {
        match mark.split_once(' ').unwrap() {
            ("will", build) => self.may_be = build.parse().ok(),
            ("is", build) => {
                let build = build.parse().unwrap();
                (self.is, self.may_be, self.tried) = (Some(build), None, None);
                self.held.remove(&build);
            }
            ("tried", build) => self.tried = build.parse().ok(),
            ("held", build) => drop(self.held.insert(build.parse().unwrap())),
            ("shut", _) => self.tried = None,
            _ => panic!("{mark}"),
        }
    }

    /// Starts a host, but for its plugins, in a directory after a power failure.
    fn check(&self, state: &Path) {
        let history = History::open_keeping(state, KEPT).unwrap();
        let start = history.start().unwrap();
        let is = start.map(|start| id_of(&start.builds[0].bytes));
        assert!(is == self.is || is == self.may_be && is.is_some(), "{is:?}");
        let held = history.held().unwrap().into_iter();
        let held: BTreeSet<_> = held.flat_map(|set| set.builds.into_values()).collect();
        let dead = self
            .tried
            .filter(|build| self.is.is_some() && is != Some(*build));
        for build in self.held.iter().copied().chain(dead) {
            assert!(held.contains(&build), "{build} is tried again");
        }
        // The store has what the database names, and it is whole.
        assert_eq!(history.verify().unwrap(), []);
        let stored = history.builds().unwrap();
        let sets = history.sets().unwrap();
        assert_eq!(sets.iter().any(|set| set.steps == 0), is.is_some());
        // Older sets have left it before a rollback.
        let kept = sets.iter().filter(|set| set.steps >= 0);
        for build in kept.flat_map(|set| set.builds.values()) {
            assert!(stored.contains(build), "{build} is gone");
        }
        history.entries(usize::MAX >> 1).unwrap();
        history.summary(Duration::MAX).unwrap();
        let names = fs::read_dir(state.join("builds")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let odd: Vec<_> = names
            .filter(|name| name.parse::<BuildId>().is_err())
            .collect();
        assert_eq!(odd, [""; 0], "files that nobody removes");
    }
}

/// Fails if a start is not as it should be after this power failure.
fn start_after(disk: &Disk, truth: &Truth, left: Left, numbers: &mut Numbers) {
    // This directory is in memory if there is such a place, because each start syncs what it writes.
    let memory = Path::new("/dev/shm");
    let dir = match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    disk.cut(left, numbers, dir.path());
    let state = dir.path().join("above/state");
    truth.check(&state);
    // The power may fail again at once, and then nothing has changed.
    truth.check(&state);
}

#[test]
fn whenever_the_power_fails_the_next_start_is_on_what_was_permanent() {
    let dir = tempfile::tempdir().unwrap();
    // Links are not part of the paths that are recorded.
    let root = dir.path().canonicalize().unwrap().join("root");
    fs::create_dir_all(&root).unwrap();
    fs::create_dir(plugins(&root)).unwrap();
    let record = dir.path().join("record");
    let mut host = recorded(&record);
    host.args(["--exact", "cuts::host", "--ignored", "--nocapture"]);
    let output = host.env("HOTSWAP_TEST_ROOT", &root).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let changes = trace::read(&record, &root);

    let seed = setting("HOTSWAP_TEST_SEED", 1);
    let wanted = setting("HOTSWAP_TEST_CUTS", 150) as usize;
    let kinds = [Left::Nothing, Left::Some, Left::All, Left::Some];
    let all = changes.len() * kinds.len();
    println!("HOTSWAP_TEST_SEED={seed} HOTSWAP_TEST_CUTS={wanted}, of {all}");
    let mut chosen = Numbers(seed);
    let mut disk = Disk::new();
    let mut truth = Truth::default();
    let mut marks = 0;
    for (at, change) in changes.iter().enumerate() {
        let is_mark = match change {
            Change::Create { path, .. } | Change::Write { path, .. } => path == "marks",
            _ => false,
        };
        if let Change::Write { bytes, .. } = change
            && is_mark
        {
            truth.note(std::str::from_utf8(bytes).unwrap());
            marks += 1;
        }
        if !is_mark {
            disk.change(change);
        }
        for (n, left) in kinds.into_iter().enumerate() {
            // What is synced, and no more, has to be enough whenever the host says what it has done.
            let certain = is_mark && left == Left::Nothing;
            if certain || chosen.below(all) < wanted {
                let numbers = seed
                    .wrapping_mul(1 << 32)
                    .wrapping_add((at * kinds.len() + n) as u64);
                let start = || start_after(&disk, &truth, left, &mut Numbers(numbers));
                let started = std::panic::catch_unwind(std::panic::AssertUnwindSafe(start));
                assert!(
                    started.is_ok(),
                    "after change {at} ({}), with {left:?} left: {truth:?}",
                    change.name()
                );
            }
        }
    }
    assert!(marks >= 24, "the host has said only {marks} things");
}
