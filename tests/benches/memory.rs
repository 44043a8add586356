//! Measures how much memory plugins need.
use crate::measure::{Comparison, Effort, calls_on_two_threads};
use crate::plugins::{self, ADDER};
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, Stage};
use std::fs;

/// Returns the number of bytes by which the resident memory of a host grows with each swap.
pub fn growth(effort: Effort) -> f64 {
    let builds = [1, 2].map(plugins::adder);
    let stage = plugins::host(&[(ADDER, &builds[1])]);
    let add: Function<fn(i64, i64) -> i64> = stage
        .swapper
        .function(ADDER, "add")
        .expect("the plugin has this function");
    let swaps = |count: usize| {
        for n in 0..count {
            stage.swap(ADDER, &builds[n % 2]);
            assert_eq!(add.call(1, 2), Ok(3));
            let late = stage.swapper.wait_retired(LIMIT);
            assert!(late.is_empty(), "{late:?}");
        }
    };
    let count = effort.pick(1000, 10);
    // The first swaps allocate what is allocated only once, and bring the heap to its usual size.
    swaps(count / 2);
    let before = resident();
    swaps(count);
    let after = resident();
    (after - before) / count as f64
}

/// Returns the resident memory in bytes.
pub fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status can be read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: f64 = kibibytes
        .and_then(|number| number.parse().ok())
        .expect("the line has a number");
    kibibytes * 1024.0
}

/// Measures work that mostly allocates and frees, on two threads, with the allocator of plugins, compared with the
/// allocator of every other program.
pub fn counting(effort: Effort) -> Comparison {
    let hosts = [plugins::heap(), plugins::plain_heap()];
    let hosts = hosts.map(|bytes| plugins::host(&[("bench-heap", &bytes)]));
    let [ours, plain] = hosts.each_ref().map(churn);
    calls_on_two_threads(effort, ours, plain)
}

fn churn(stage: &Stage) -> impl Fn(u64) {
    let churn: Function<fn(u64)> = stage
        .swapper
        .function("bench-heap", "churn")
        .expect("the plugin has this function");
    move |times| churn.call(times).expect("the plugin is loaded")
}
