//! Callers that never stop while plugins are replaced.
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// The number of threads that call.
pub const CALLERS: u64 = 4;

/// The time between the births of two threads.
const BIRTHS: Duration = Duration::from_millis(10);
/// With this many threads alive, none is born before another one has ended.
const ALIVE: u64 = 16;

/// The generations that may be live.
pub struct Window {
    surely: AtomicU64,
    perhaps: AtomicU64,
}

impl Window {
    /// Starts with a generation that is live.
    pub fn new(live: u64) -> Self {
        Window {
            surely: AtomicU64::new(live),
            perhaps: AtomicU64::new(live),
        }
    }

    /// Makes the next generation with `reload`.
    pub fn next<R>(&self, reload: impl FnOnce() -> R) -> R {
        let next = self.perhaps.fetch_add(1, SeqCst) + 1;
        let report = reload();
        self.surely.store(next, SeqCst);
        report
    }

    /// Returns the result of `call`, and the generations of which at least one was live while it ran.
    pub fn during<R>(&self, call: impl FnOnce() -> R) -> (R, RangeInclusive<u64>) {
        let from = self.surely.load(SeqCst);
        let answer = call();
        (answer, from..=self.perhaps.load(SeqCst))
    }

    /// Does the same for a call that is awaited.
    pub async fn during_async<R>(&self, call: impl Future<Output = R>) -> (R, RangeInclusive<u64>) {
        let from = self.surely.load(SeqCst);
        let answer = call.await;
        (answer, from..=self.perhaps.load(SeqCst))
    }
}

/// Runs `work` while [`CALLERS`] threads call. Each call gets the number of its thread, and the number of calls that
/// the thread has made before. Returns the number of calls.
///
/// # Panics
/// Panics if a call or the work does.
pub fn under_load(call: impl Fn(u64, u64) + Sync, work: impl FnOnce()) -> u64 {
    let (done, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (call, done, calls) = (&call, &done, &calls);
            scope.spawn(move || {
                for before in 0.. {
                    if done.load(SeqCst) {
                        break;
                    }
                    call(caller, before);
                    calls.fetch_add(1, SeqCst);
                }
            });
        }
        let _done = SetOnDrop(&done);
        work();
    });
    calls.into_inner()
}

/// Runs `work` while about a hundred threads a second are born. Each of them runs `life` and ends. Returns the number
/// of threads.
///
/// # Panics
/// Panics if a life or the work does.
pub fn with_births(life: impl Fn(u64) + Sync, work: impl FnOnce()) -> u64 {
    let (done, born, ended) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let (life, done, born, ended) = (&life, &done, &born, &ended);
        scope.spawn(move || {
            while !done.load(SeqCst) {
                let number = born.load(SeqCst);
                if number - ended.load(SeqCst) < ALIVE {
                    born.store(number + 1, SeqCst);
                    scope.spawn(move || {
                        life(number);
                        ended.fetch_add(1, SeqCst);
                    });
                }
                std::thread::sleep(BIRTHS);
            }
        });
        let _done = SetOnDrop(done);
        work();
    });
    born.into_inner()
}

/// Tells the callers to stop, also if the work panics.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
