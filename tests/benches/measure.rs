//! Compares two ways of doing something.
//!
//! Both run in this process, in short slices that take turns. The result is the median of the ratios of neighbouring
//! slices, so that other work of the machine affects both alike. Calls are measured by the processor time of the
//! calling thread, which does not advance while other threads have its processor.
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// The length of a measurement.
#[derive(Clone, Copy, PartialEq)]
pub enum Effort {
    /// Measures until the figures are steady.
    Full,
    /// Measures until every line of code has run.
    Quick,
}

impl Effort {
    /// Returns the time for one row.
    fn budget(self, full: Duration) -> Duration {
        match self {
            Effort::Full => full,
            Effort::Quick => Duration::ZERO,
        }
    }

    /// Returns one of the two counts.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Effort::Full => full,
            Effort::Quick => quick,
        }
    }
}

/// The results: the medians, in seconds for one time, and the median of the ratios.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The median of the subject.
    pub ours: f64,
    /// The median of the baseline.
    pub baseline: f64,
    /// The number of times that the baseline could run in the time of the subject.
    pub ratio: f64,
}

impl Comparison {
    /// Compares the two measurements of each pair.
    pub fn of_pairs(pairs: Vec<(f64, f64)>) -> Self {
        let median_of = |of: fn(&(f64, f64)) -> f64| median(pairs.iter().map(of).collect());
        Comparison {
            ours: median_of(|pair| pair.0),
            baseline: median_of(|pair| pair.1),
            ratio: median_of(|pair| pair.0 / pair.1),
        }
    }
}

/// The length of a slice of calls: much longer than reading the clock, and short enough for thousands of slices.
const SLICE: Duration = Duration::from_micros(300);
/// Two threads begin a slice together, which takes some time.
const SLICE_OF_THREADS: Duration = Duration::from_millis(2);
/// The least number of pairs of slices.
const PAIRS: usize = 5;

/// Compares calls that take nanoseconds. Each side makes as many calls as it is told.
pub fn calls(effort: Effort, ours: impl Fn(u64), baseline: impl Fn(u64)) -> Comparison {
    slices(
        effort,
        SLICE,
        |times| processor_time(|| ours(times)),
        |times| processor_time(|| baseline(times)),
    )
}

/// Compares calls on two threads at once.
pub fn calls_on_two_threads(
    effort: Effort,
    ours: impl Fn(u64) + Sync,
    baseline: impl Fn(u64) + Sync,
) -> Comparison {
    slices(
        effort,
        SLICE_OF_THREADS,
        |times| on_two_threads(times, &ours),
        |times| on_two_threads(times, &baseline),
    )
}

fn slices(
    effort: Effort,
    slice: Duration,
    ours: impl Fn(u64) -> Duration,
    baseline: impl Fn(u64) -> Duration,
) -> Comparison {
    let (n, m) = (fit(slice, &ours), fit(slice, &baseline));
    let of = |taken: Duration, times: u64| taken.as_secs_f64() / times as f64;
    alternate(
        effort.budget(Duration::from_secs(4)),
        || of(ours(n), n),
        || of(baseline(m), m),
    )
}

/// Returns how often the work has to be done to fill a slice.
fn fit(slice: Duration, work: &impl Fn(u64) -> Duration) -> u64 {
    // This call does the work that happens only once, such as destructors that an earlier row has left.
    work(1);
    let mut times = 1;
    while work(times) < slice {
        times *= 2;
    }
    times
}

/// Does the work on two threads at once, and returns the average time.
fn on_two_threads(times: u64, work: &(impl Fn(u64) + Sync)) -> Duration {
    let ready = Barrier::new(2);
    let run = || {
        // This call does the work that happens only once in a thread.
        work(1);
        ready.wait();
        processor_time(|| work(times))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(run);
        let own = run();
        match other.join() {
            Ok(other) => (own + other) / 2,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Returns how long the calling thread had a processor during the work.
pub fn processor_time(work: impl FnOnce()) -> Duration {
    let began = processor_time_so_far();
    work();
    processor_time_so_far() - began
}

fn processor_time_so_far() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists, and the call only writes to `time`.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "every thread has this clock");
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// Compares work that takes long enough to measure each time. Each side returns its own measurement, in seconds.
pub fn each(
    effort: Effort,
    ours: impl FnMut() -> f64,
    baseline: impl FnMut() -> f64,
) -> Comparison {
    alternate(effort.budget(Duration::from_secs(8)), ours, baseline)
}

fn alternate(
    budget: Duration,
    mut ours: impl FnMut() -> f64,
    mut baseline: impl FnMut() -> f64,
) -> Comparison {
    // The first run is not measured, since it may do work that happens only once.
    ours();
    baseline();
    let mut pairs = Vec::new();
    let began = Instant::now();
    while pairs.len() < PAIRS || began.elapsed() < budget {
        pairs.push(if pairs.len() % 2 == 0 {
            let first = ours();
            (first, baseline())
        } else {
            let first = baseline();
            (ours(), first)
        });
    }
    Comparison::of_pairs(pairs)
}

/// Returns the median.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Returns how long something takes, in seconds, and its result.
pub fn seconds<R>(run: impl FnOnce() -> R) -> (f64, R) {
    let began = Instant::now();
    let result = run();
    (began.elapsed().as_secs_f64(), result)
}
