//! Measures how the costs grow with the number of plugins and of calling threads: `cargo bench -- growth`.
use crate::measure::{Effort, median, processor_time, seconds};
use crate::memory::resident;
use crate::plugins::{self, ADDER};
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, Stage};
use std::fmt;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// The numbers of calling threads.
const THREADS: [usize; 4] = [1, 2, 4, 8];
/// How much more a plugin may cost among ten times as many.
const LINEAR: f64 = 1.25;

/// What a number of plugins costs. Times are in seconds, and memory is in bytes.
struct Costs {
    plugins: usize,
    load: f64,
    reload_one: f64,
    reload_all: f64,
    memory: f64,
    calls: [f64; THREADS.len()],
}

/// Measures each number of plugins, and returns a table with what grows faster than the number of plugins.
pub fn measure(effort: Effort) -> impl fmt::Display {
    let counts: &[usize] = effort.pick(&[1, 10, 100, 1000], &[1, 3]);
    Growth(counts.iter().map(|&count| costs(effort, count)).collect())
}

fn name(n: usize) -> String {
    format!("{}{n:03}", ADDER.trim_end_matches('0'))
}

fn costs(effort: Effort, count: usize) -> Costs {
    // The host has a plugin already, so what it does only once is not measured.
    let stage = plugins::host(&[("bench-heap", &plugins::heap())]);
    let before = resident();
    let mut builds = [1, 2].into_iter().cycle();
    let mut all = || {
        let build = builds.next().expect("they take turns");
        for n in 0..count {
            stage.install(&name(n), &plugins::adder_named(&name(n), build));
        }
        reload(&stage)
    };
    let load = all();
    let memory = (resident() - before) / count as f64;
    let reload_all = median((0..effort.pick(3, 1)).map(|_| all()).collect());
    // The files of the others are not looked at again once they are a while old.
    thread::sleep(Duration::from_millis(effort.pick(2500, 0)));
    stage.swapper.reload().expect("nothing has changed");
    let one = name(count / 2);
    let reload_one = (0..effort.pick(9, 1)).map(|n| {
        stage.install(&one, &plugins::adder_named(&one, 3 + n));
        reload(&stage)
    });
    let reload_one = median(reload_one.collect());
    let calls = THREADS.map(|threads| call(effort, &stage, &one, threads));
    Costs {
        plugins: count,
        load,
        reload_one,
        reload_all,
        memory,
        calls,
    }
}

/// Returns how long a reload takes. What it replaces has left memory when this returns.
fn reload(stage: &Stage) -> f64 {
    let (taken, report) = seconds(|| stage.swapper.reload());
    assert!(report.expect("the builds can be loaded").changed());
    let late = stage.swapper.wait_retired(LIMIT);
    assert!(late.is_empty(), "{late:?}");
    taken
}

/// Returns how long a call takes while so many threads call at once.
fn call(effort: Effort, stage: &Stage, plugin: &str, threads: usize) -> f64 {
    let add: Function<fn(i64, i64) -> i64> = stage
        .swapper
        .function(plugin, "add")
        .expect("the plugin has this function");
    let times: u32 = effort.pick(2_000_000, 100);
    let ready = Barrier::new(threads);
    let run = || {
        add.call(1, 2).expect("no call fails");
        let slices = (0..effort.pick(15, 1)).map(|_| {
            ready.wait();
            let taken = processor_time(|| {
                for n in 0..times {
                    std::hint::black_box(add.call(n.into(), 2).expect("no call fails"));
                }
            });
            taken.as_secs_f64() / f64::from(times)
        });
        median(slices.collect())
    };
    let taken = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let taken = threads.into_iter().map(|thread| thread.join());
        taken
            .map(|taken| taken.expect("no call fails"))
            .collect::<Vec<_>>()
    });
    median(taken)
}

struct Growth(Vec<Costs>);

impl Growth {
    /// Names what costs more for each plugin than with a tenth of the plugins, and calls that take longer.
    fn faster_than_linear(&self) -> Vec<String> {
        let each: [(&str, fn(&Costs) -> f64); 4] = [
            ("load", |costs| costs.load / costs.plugins as f64),
            ("reload of one", |costs| {
                costs.reload_one / costs.plugins as f64
            }),
            ("reload of all", |costs| {
                costs.reload_all / costs.plugins as f64
            }),
            ("memory", |costs| costs.memory),
        ];
        // More threads than processors say nothing.
        let calls: [(&str, fn(&Costs) -> f64); 2] = [
            ("a call", |costs| costs.calls[0]),
            ("a call on two threads", |costs| costs.calls[1]),
        ];
        let mut found = Vec::new();
        for (what, of) in each.into_iter().chain(calls) {
            for pair in self.0.windows(2) {
                let ratio = of(&pair[1]) / of(&pair[0]);
                if ratio > LINEAR {
                    let (few, many) = (pair[0].plugins, pair[1].plugins);
                    found.push(format!("{what}: {ratio:.2} times from {few} to {many}"));
                }
            }
        }
        found
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "plugins        load  reload one  reload all  memory each"
        )?;
        for threads in THREADS {
            write!(f, "  call/{threads}")?;
        }
        for costs in &self.0 {
            write!(
                f,
                "\n{:7}  {:7.2} ms  {:7.2} ms  {:7.2} ms  {:8.0} kB",
                costs.plugins,
                costs.load * 1e3,
                costs.reload_one * 1e3,
                costs.reload_all * 1e3,
                costs.memory / 1024.0
            )?;
            for call in costs.calls {
                write!(f, "  {:3.1} ns", call * 1e9)?;
            }
        }
        for line in self.faster_than_linear() {
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}
