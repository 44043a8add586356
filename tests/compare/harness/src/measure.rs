//! How calls and stalls are measured.
use crate::{Caller, Host};
use std::fs;
use std::hint::black_box;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// The text that is hummed: 32 bytes.
const NAME: &str = "thirty-two bytes of a plain text";

/// The number of calls: so many rounds of so many calls. The fastest round counts.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The number of rounds.
    pub rounds: u64,
    /// The number of calls in a round.
    pub times: u64,
}

impl Timing {
    /// Returns the nanoseconds that a call takes.
    pub fn of(self, mut add: impl FnMut(i64, i64) -> i64) -> f64 {
        self.fastest(|n| add(n, 2))
    }

    fn fastest<R>(self, mut call: impl FnMut(i64) -> R) -> f64 {
        (0..self.rounds)
            .map(|_| self.round(&mut call))
            .fold(f64::INFINITY, f64::min)
    }

    fn round<R>(self, call: &mut impl FnMut(i64) -> R) -> f64 {
        let began = Instant::now();
        for n in 0..self.times.cast_signed() {
            black_box(call(black_box(n)));
        }
        began.elapsed().as_nanos() as f64 / self.times as f64
    }
}

/// Measures a call through a function pointer, without a plugin.
pub fn direct(timing: Timing) -> f64 {
    static ADD: fn(i64, i64) -> i64 = i64::wrapping_add;
    timing.of(|a, b| black_box(&ADD)(a, b))
}

/// Measures `add` on this many threads at once. A round counts with the mean of its threads.
pub fn add<H: Host>(host: &H, threads: u64, timing: Timing) -> f64 {
    let threads = usize::try_from(threads).unwrap_or(1).max(1);
    let ready = Barrier::new(threads);
    let run = || {
        let mut caller = host.caller();
        caller.add(1, 2);
        let rounds = (0..timing.rounds).map(|_| {
            ready.wait();
            timing.round(&mut |n| caller.add(n, 2))
        });
        rounds.collect::<Vec<_>>()
    };
    let rounds: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let ended = running.into_iter().map(ScopedJoinHandle::join);
        ended
            .map(|rounds| rounds.expect("calls do not panic"))
            .collect()
    });
    let mean = |round: usize| rounds.iter().map(|of| of[round]).sum::<f64>() / threads as f64;
    (0..rounds[0].len()).map(mean).fold(f64::INFINITY, f64::min)
}

/// Measures `hum` with a text of 32 bytes.
pub fn hum<H: Host>(host: &H, timing: Timing) -> f64 {
    let mut caller = host.caller();
    timing.fastest(|n| caller.hum(black_box(NAME), n.cast_unsigned()))
}

/// Returns the resident memory in bytes.
pub fn resident() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: Option<u64> = kibibytes.and_then(|number| number.parse().ok());
    let kibibytes = kibibytes.ok_or_else(|| io::Error::other("the status has no VmRSS"))?;
    Ok(kibibytes * 1024)
}

/// Gaps from this many nanoseconds on are counted as if they were this long.
const LONG: usize = 1 << 20;

static ENDED: AtomicBool = AtomicBool::new(false);
static LONGEST: AtomicU64 = AtomicU64::new(0);

/// A thread that calls without a pause, and notes the time between two calls.
pub struct Watch<'s> {
    thread: ScopedJoinHandle<'s, String>,
}

impl<'s> Watch<'s> {
    /// Starts the thread.
    pub fn start<'e, H: Host>(scope: &'s Scope<'s, 'e>, host: &'e H) -> Self {
        ENDED.store(false, Relaxed);
        let thread = scope.spawn(move || watch(&mut host.caller()));
        Watch { thread }
    }

    /// Returns the longest gap since the last call, in nanoseconds.
    pub fn longest(&self) -> u64 {
        LONGEST.swap(0, Relaxed)
    }

    /// Ends the thread, and returns what 999 of a thousand gaps do not exceed, and the number of calls.
    pub fn end(self) -> String {
        ENDED.store(true, Relaxed);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| "failed the caller has panicked".to_owned())
    }
}

fn watch(caller: &mut impl Caller) -> String {
    let mut counts = vec![0_u32; LONG];
    let mut calls = 0_u64;
    // The first call does what a thread does only once.
    caller.add(1, 2);
    let mut before = Instant::now();
    while !ENDED.load(Relaxed) {
        black_box(caller.add(black_box(1), 2));
        let now = Instant::now();
        let gap = nanoseconds(now - before);
        before = now;
        if gap > LONGEST.load(Relaxed) {
            LONGEST.fetch_max(gap, Relaxed);
        }
        counts[usize::try_from(gap).map_or(LONG - 1, |gap| gap.min(LONG - 1))] += 1;
        calls += 1;
    }
    let mut slower = calls / 1000;
    let p999 = (0..LONG).rev().find(|&gap| {
        let count = u64::from(counts[gap]);
        let found = slower < count;
        slower = slower.saturating_sub(count);
        found
    });
    format!("p999 {} {calls}", p999.unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
