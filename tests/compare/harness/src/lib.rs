//! The part of a peer's host that is the same for all: the protocol with the driver, and the measurements.
//!
//! The driver writes one command a line to stdin, and the host answers with one line on stdout, which begins with
//! [`MARK`]. Other lines on stdout are not answers.
//!
//! | command | answer |
//! |---|---|
//! | `version` | `is VERSION` |
//! | `await VERSION` | `live` once a call returns this version |
//! | `reload PATH` | `took NANOSECONDS VERSION`: the time until the first call of the new build has returned, and what it returned |
//! | `direct ROUNDS TIMES` | `ns NUMBER` for a call through a function pointer within the host |
//! | `add THREADS ROUNDS TIMES` | `ns NUMBER` for a call with two integers |
//! | `held ROUNDS TIMES` | the same on a build that is held for all calls, or `none` |
//! | `hum ROUNDS TIMES` | the same for a call with a text of 32 bytes and an integer |
//! | `watch` | `watching`: from now on, a thread calls without a pause |
//! | `longest` | `ns NUMBER`: the longest time between two of its calls since the last question |
//! | `watched` | `p999 NANOSECONDS CALLS`: the thread has ended, and this is how it fared |
//! | `rss` | `bytes NUMBER`: the resident memory |
//!
//! A command that fails is answered with `failed WHY`. The host ends when its stdin does.

mod measure;

pub use measure::Timing;

use measure::Watch;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

/// The first word of each answer.
pub const MARK: &str = "peer:";

/// The time for which a version is awaited. The driver waits a little longer for the answer.
const LIMIT: Duration = Duration::from_secs(50);

/// The way in which one thread calls the plugin.
pub trait Caller {
    /// Calls `add`, which adds two numbers.
    fn add(&mut self, a: i64, b: i64) -> i64;
    /// Calls `hum`, which returns the number of bytes of a name that is hummed so many times.
    fn hum(&mut self, name: &str, times: u64) -> u64;
    /// Calls `version`, which returns the number that the driver wrote into the source of the plugin.
    fn version(&mut self) -> u64;
}

/// A host whose threads call through a shared reference.
pub trait Calls: Sync {
    /// See [`Caller::add`].
    fn add(&self, a: i64, b: i64) -> i64;
    /// See [`Caller::hum`].
    fn hum(&self, name: &str, times: u64) -> u64;
    /// See [`Caller::version`].
    fn version(&self) -> u64;
    /// Measures `add` on a build that is held for all calls, if that differs from [`Calls::add`].
    fn hold(&self, _timing: Timing) -> Option<f64> {
        None
    }
}

impl<C: Calls> Caller for &C {
    fn add(&mut self, a: i64, b: i64) -> i64 {
        Calls::add(*self, a, b)
    }

    fn hum(&mut self, name: &str, times: u64) -> u64 {
        Calls::hum(*self, name, times)
    }

    fn version(&mut self) -> u64 {
        Calls::version(*self)
    }
}

/// A host, each of whose threads has a caller of its own.
pub trait Host: Sync {
    /// The handle through which a thread calls.
    type Caller<'h>: Caller
    where
        Self: 'h;
    /// Makes the caller of a thread.
    fn caller(&self) -> Self::Caller<'_>;
    /// See [`Calls::hold`].
    fn hold(&self, timing: Timing) -> Option<f64>;
}

impl<C: Calls> Host for C {
    type Caller<'h>
        = &'h C
    where
        C: 'h;

    fn caller(&self) -> &C {
        self
    }

    fn hold(&self, timing: Timing) -> Option<f64> {
        Calls::hold(self, timing)
    }
}

/// Answers the driver until it has no more commands. `reload` makes the build at a path live, and returns when calls go
/// there.
///
/// # Errors
/// Returns an error if stdin cannot be read or stdout cannot be written.
pub fn serve<H: Host>(
    host: &H,
    mut reload: impl FnMut(&Path) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    thread::scope(|scope| {
        let mut watch: Option<Watch<'_>> = None;
        for line in io::stdin().lock().lines() {
            let line = line?;
            let answer = match line.split_once(' ').unwrap_or((&line, "")) {
                ("watch", _) => {
                    watch = Some(Watch::start(scope, host));
                    Ok("watching".to_owned())
                }
                ("longest", _) => match &watch {
                    Some(watch) => Ok(format!("ns {}", watch.longest())),
                    None => Err("nothing is watched".into()),
                },
                ("watched", _) => match watch.take() {
                    Some(watch) => Ok(watch.end()),
                    None => Err("nothing is watched".into()),
                },
                (command, rest) => answer(host, &mut reload, command, rest),
            };
            let answer = answer.unwrap_or_else(|error| {
                let error = error.to_string();
                format!("failed {}", error.replace('\n', " "))
            });
            let mut out = io::stdout().lock();
            writeln!(out, "{MARK} {answer}")?;
            out.flush()?;
        }
        Ok(())
    })
}

fn answer<H: Host>(
    host: &H,
    reload: &mut impl FnMut(&Path) -> Result<(), Box<dyn Error>>,
    command: &str,
    rest: &str,
) -> Result<String, Box<dyn Error>> {
    let ns = |ns: f64| Ok(format!("ns {ns}"));
    match command {
        "version" => Ok(format!("is {}", host.caller().version())),
        "await" => {
            let [wanted] = numbers(rest)?;
            let mut caller = host.caller();
            let began = Instant::now();
            while caller.version() != wanted {
                if began.elapsed() > LIMIT {
                    return Err(format!("version {wanted} did not become live").into());
                }
                thread::sleep(Duration::from_micros(500));
            }
            Ok("live".to_owned())
        }
        "reload" => {
            let mut caller = host.caller();
            let began = Instant::now();
            reload(Path::new(rest))?;
            let version = caller.version();
            Ok(format!("took {} {version}", began.elapsed().as_nanos()))
        }
        "direct" => {
            let [rounds, times] = numbers(rest)?;
            ns(measure::direct(Timing { rounds, times }))
        }
        "add" => {
            let [threads, rounds, times] = numbers(rest)?;
            ns(measure::add(host, threads, Timing { rounds, times }))
        }
        "held" => {
            let [rounds, times] = numbers(rest)?;
            match host.hold(Timing { rounds, times }) {
                Some(held) => ns(held),
                None => Ok("none".to_owned()),
            }
        }
        "hum" => {
            let [rounds, times] = numbers(rest)?;
            ns(measure::hum(host, Timing { rounds, times }))
        }
        "rss" => Ok(format!("bytes {}", measure::resident()?)),
        _ => Err(format!("unknown command `{command}`").into()),
    }
}

fn numbers<const N: usize>(text: &str) -> Result<[u64; N], Box<dyn Error>> {
    let numbers = text.split_whitespace().map(u64::from_str);
    let numbers: Vec<_> = numbers.collect::<Result<_, _>>()?;
    let found = numbers.len();
    let exact = numbers.try_into();
    exact.map_err(|_| format!("expected {N} numbers, found {found}").into())
}
