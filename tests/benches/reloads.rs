//! Measures reloads, and how they affect callers.
use crate::measure::{Comparison, Effort, each, seconds};
use crate::plugins::{self, ADDER};
use hotswap_host::Builder;
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, Stage, process};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A plugin of which two builds take turns.
pub struct Changing {
    pub stage: Stage,
    name: String,
    pub builds: [Vec<u8>; 2],
    next: usize,
}

impl Changing {
    /// Opens a host with this many plugins, of which one changes.
    pub fn one_of(count: usize) -> Self {
        Changing::with(count, |builder| builder)
    }

    /// Does the same with other settings of the host.
    pub fn with(count: usize, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let name = |n: usize| format!("bench-{n:03}");
        let all: Vec<_> = (0..count)
            .map(|n| (name(n), plugins::adder_named(&name(n), 1)))
            .collect();
        let all: Vec<_> = all
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        let name = name(count / 2);
        Changing {
            stage: plugins::host_with(&all, settings),
            builds: [1, 2].map(|build| plugins::adder_named(&name, build)),
            name,
            next: 1,
        }
    }

    /// Returns how long a reload with the other build takes. The replaced build has left memory when this returns.
    pub fn reload(&mut self) -> f64 {
        self.install();
        let before = self.stage.swapper.generation();
        let (taken, report) = seconds(|| self.stage.swapper.reload());
        let report = report.expect("the build can be loaded");
        assert_eq!(report.generation, before + 1);
        let late = self.stage.swapper.wait_retired(LIMIT);
        assert!(late.is_empty(), "{late:?}");
        taken
    }
}

impl Changing {
    /// Puts the other build into the plugin directory.
    pub fn install(&mut self) {
        self.stage.install(&self.name, &self.builds[self.next]);
        self.next = 1 - self.next;
    }
}

/// Measures a reload that replaces the only plugin, compared with the work that no loader can avoid.
pub fn changed(effort: Effort) -> Comparison {
    let mut changing = Changing::one_of(1);
    let file = changing.stage.file(ADDER);
    // The directory is beside the private copies, on the same file system.
    let copies = process::host_dir_of(changing.stage.dir());
    let dir = tempfile::tempdir_in(copies).expect("a temporary directory can be made");
    each(
        effort,
        || changing.reload(),
        || load_by_hand(&file, dir.path()),
    )
}

/// Reads a library, writes it to a path that was never used before, opens it, looks up a symbol, and closes it.
fn load_by_hand(file: &Path, dir: &Path) -> f64 {
    let copy = tempfile::Builder::new()
        .suffix(".so")
        .tempfile_in(dir)
        .expect("a temporary file can be made")
        .into_temp_path();
    fs::remove_file(&copy).expect("the file can be removed");
    let (taken, ()) = seconds(|| {
        let bytes = fs::read(file).expect("the library is there");
        fs::write(&copy, bytes).expect("the copy can be written");
        // SAFETY: the library is a plugin's, whose constructors are those of the standard library.
        let library =
            unsafe { libloading::Library::new(&*copy) }.expect("the library can be opened");
        // SAFETY: the symbol is never used.
        let symbol = unsafe { library.get::<*const ()>(b"hotswap_root_module\0") };
        symbol.expect("every plugin has the symbol");
        library.close().expect("the library can be closed");
    });
    taken
}

/// Measures a reload that finds nothing new, compared with one that finds a new build.
pub fn unchanged(effort: Effort) -> Comparison {
    let mut changing = Changing::one_of(1);
    let still = plugins::host(&[(ADDER, &plugins::adder(1))]);
    settle(effort, &still);
    let reload = || {
        let (taken, report) = seconds(|| still.swapper.reload());
        assert_eq!(report.expect("nothing has changed").generation, 1);
        taken
    };
    each(effort, reload, || changing.reload())
}

/// Measures a reload with one new build among 200 loaded plugins, compared with one where it is the only plugin.
pub fn one_of_many(effort: Effort) -> Comparison {
    let mut many = Changing::one_of(effort.pick(200, 10));
    let mut single = Changing::one_of(1);
    settle(effort, &many.stage);
    each(effort, || many.reload(), || single.reload())
}

/// Waits until the files are so old that the host need not read them again to recognise them, as in a host that has run
/// for a while.
fn settle(effort: Effort, stage: &Stage) {
    std::thread::sleep(Duration::from_millis(effort.pick(2500, 0)));
    let report = stage.swapper.reload().expect("nothing has changed");
    assert_eq!(report.generation, 1);
}

/// Measures the slowest of a thousand calls while builds are replaced one after the other, compared with the same calls
/// without a swap.
pub fn stall(effort: Effort) -> Comparison {
    let mut changing = Changing::one_of(1);
    let add: Function<fn(i64, i64) -> i64> = changing
        .stage
        .swapper
        .function(ADDER, "add")
        .expect("the plugin has this function");
    let call = || add.call(1, 2).expect("no call fails");
    let phase = Duration::from_millis(effort.pick(100, 5));
    let ours = || {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let swaps = scope.spawn(|| {
                while !done.load(Relaxed) {
                    changing.reload();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            let slowest = slowest_of_a_thousand(phase, call);
            done.store(true, Relaxed);
            swaps.join().expect("every reload succeeds");
            slowest
        })
    };
    each(effort, ours, || slowest_of_a_thousand(phase, call))
}

/// Returns the time that 999 of a thousand calls do not exceed, in seconds.
pub fn slowest_of_a_thousand<R>(phase: Duration, call: impl Fn() -> R) -> f64 {
    let mut counts = vec![0_u32; 1 << 20];
    let until = Instant::now() + phase;
    let (mut before, mut calls) = (Instant::now(), 0_u64);
    while before < until {
        call();
        let after = Instant::now();
        let taken = (after - before).as_nanos() as usize;
        counts[taken.min((1 << 20) - 1)] += 1;
        calls += 1;
        before = after;
    }
    let mut slower = calls / 1000;
    let at = counts.iter().enumerate().rev().find_map(|(taken, count)| {
        let count = u64::from(*count);
        if slower < count {
            return Some(taken);
        }
        slower -= count;
        None
    });
    at.unwrap_or_default() as f64 * 1e-9
}
