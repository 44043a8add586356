//! Takes replaced generations, instances, and libraries out of memory.
//!
//! ```text
//! generation:  grace (no slot) → holds (no counted hold) → free delay → the objects that only it has in slots, and the
//!              instances that only it still had
//! instance:    no other owner → on_free, drop, flush → objects that others have → threads → signal handlers
//!              → destructors → exit functions, and again from the objects → bar → fork handlers → close → is it gone?
//! ```
//! One thread does this and never waits for anything. Each retirement is a small state machine, and the thread steps
//! one after the other, so that none holds up another. For the same reason, code of the plugin (`on_free`, `Drop`) runs
//! on a thread of its own. Each state that lasts longer than the limit names its holders.
//!
//! # Why a closed library is no longer used
//! - *Calls* pin the generation. `Retired::into_inner` returns the generation only when no slot and no hold has it (the
//!   argument is in `pin`), and an instance is freed when this thread is its only owner.
//! - *Other plugins*: an instance owns its imports. They are released after its library has left, and so are the host's
//!   objects.
//! - *Its objects* (`Held`) are counted from before they are handed out until after their drop. The argument is in
//!   `objects`, and in `cycles` for objects that are dropped earlier. Objects in slots are counted for the host.
//! - *Its threads* are counted from before their creation until after their last destructor.
//! - *Destructors on other threads* are listed in the record of the thread, which runs them: see `record`.
//! - *A destructor that spawns, a thread that registers*: all of these are counted. The library is closed after a look
//!   that found no thread, no object, and no destructor, and saw the counts unchanged; the argument is in `activity`.
//!   Then the library is barred: later registrations are refused.
//! - *Its signal handlers* are taken out of the chains before the last look and waited for: see `load::signals`.
//! - *Exit functions* run before the last look, on a thread that is waited for: see `load::exit`.
//! - *Fork handlers*: a fork counts their library as an object. They are taken away at the bar, and another look
//!   follows.
//! - *Things that cannot be watched* (signal handlers that are in no chain, and properties of the file) are checked
//!   before the close, and are a reason to keep the library mapped.
//! - *The end of the process*: nothing is closed any more.
mod close;
mod cycles;
mod free_order;
mod log;
mod own_thread;
mod rescue;
mod settings;
mod state;

use crate::base::fail_point;
use crate::base::lock_order::{Ordered, Rank};
use crate::generation::Generation;
use crate::instance::{Instance, Uses};
use crate::load::library::Library;
use crate::load::objects;
use crate::reclaim::pin::Retired;
use crate::retirement::{Holder, Retirement};
use crate::telemetry::guarded;
use crate::vault::{Contents, TakeBack};
use free_order::FreeOrder;
use log::RetirementLog;
use rescue::Rescue;
pub(crate) use settings::Settings;
pub use settings::UnloadMode;
use state::{Leaving, RetireState, Step, in_turn, let_go};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The pause between two looks: it doubles while nothing happens.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Passes retirements to the retire thread and says how they stand.
pub(crate) struct Retirer {
    jobs: Sender<RetireState>,
    log: Arc<RetirementLog>,
    /// The retired generations that still exist.
    generations: Mutex<Vec<Weak<Retired<Generation>>>>,
}

impl Retirer {
    pub(crate) fn start(settings: Settings) -> std::io::Result<Self> {
        let (jobs, inbox) = channel();
        let log = Arc::new(RetirementLog::default());
        let worker = Worker {
            settings,
            log: log.clone(),
            open: Vec::new(),
            resolves: true,
        };
        std::thread::Builder::new()
            .name("hotswap-retire".into())
            .spawn(move || worker.run(&inbox))?;
        Ok(Retirer {
            jobs,
            log,
            generations: Mutex::default(),
        })
    }

    /// Retires a generation. `replaced` lists the instances that the live generation does not share, in the order of
    /// the old one.
    pub(crate) fn generation(
        &self,
        generation: Retired<Generation>,
        replaced: Vec<Arc<Instance>>,
    ) -> Arc<Retired<Generation>> {
        let generation = Arc::new(generation);
        let mut generations = self.generations();
        generations.retain(|generation| generation.strong_count() != 0);
        generations.push(Arc::downgrade(&generation));
        drop(generations);
        for instance in &replaced {
            objects::set_replaced(instance.library());
            self.log
                .open(instance.library(), Some(generation.get().number));
        }
        self.send(RetireState::Grace(Leaving {
            generation: generation.clone(),
            replaced,
        }));
        generation
    }

    /// Returns the retired generations that still exist. The caller keeps them for as long as it has them.
    pub(crate) fn leaving(&self) -> Vec<Arc<Retired<Generation>>> {
        self.generations()
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn generations(&self) -> Ordered<'_, Vec<Weak<Retired<Generation>>>> {
        Ordered::lock(Rank::Generations, &self.generations)
    }

    /// Retires instances of a generation that has left already. No generation that anybody can enter has them.
    pub(crate) fn instances(&self, generation: u64, replaced: Vec<Arc<Instance>>) {
        for instance in &replaced {
            objects::set_replaced(instance.library());
            self.log.open(instance.library(), Some(generation));
        }
        in_turn(replaced)
            .into_iter()
            .for_each(|state| self.send(state));
    }

    /// Frees an instance that never became live, and retires its library.
    pub(crate) fn free_now(&self, instance: Arc<Instance>) {
        objects::set_replaced(instance.library());
        self.log.open(instance.library(), None);
        self.send(RetireState::Shared {
            instance,
            order: FreeOrder::first(),
        });
    }

    /// Releases what plugins have put into a generation that never became live.
    pub(crate) fn let_go(&self, contents: Arc<Contents>) {
        let states = let_go(contents);
        states.into_iter().for_each(|state| self.send(state));
    }

    /// Retires a library without an instance. Threads that it has started, and its objects, may still use `uses`.
    pub(crate) fn library(&self, library: Arc<Library>, uses: Uses) {
        self.log.open(&library, None);
        objects::set_replaced(&library);
        self.send(RetireState::Objects { library, uses });
    }

    /// Names a library whose plugin has a hook that does not return. The thread that runs the hook owns it.
    pub(crate) fn hangs(&self, library: Arc<Library>) {
        self.log.open(&library, None);
        self.send(RetireState::Hanging { library });
    }

    fn send(&self, job: RetireState) {
        // The thread lives as long as there is a sender. If it has panicked, the retirement is leaked, and stays
        // mapped.
        if let Err(unsent) = self.jobs.send(job) {
            std::mem::forget(unsent);
        }
    }

    pub(crate) fn list(&self) -> Vec<Retirement> {
        self.log.list()
    }

    /// Waits until every retirement has ended, with its library gone or kept. Returns those that have not when the time
    /// is up.
    pub(crate) fn wait(&self, timeout: Duration) -> Vec<Retirement> {
        self.log.wait(timeout, |_| true)
    }

    /// Waits in the same way, but only for retirements of builds that never became live.
    pub(crate) fn wait_unlive(&self, timeout: Duration) {
        self.log
            .wait(timeout, |retirement| retirement.generation.is_none());
    }
}

impl TakeBack for Retirer {
    fn announce(&self, library: &Arc<Library>) {
        self.log.open(library, None);
    }

    fn take(&self, library: Arc<Library>) {
        self.library(library, Uses::default());
    }
}

/// One retirement, in one of its states.
struct Work {
    state: RetireState,
    since: Instant,
    /// The time at which the holders of this state were last named.
    named: Option<Instant>,
    /// Only its own threads keep this retirement and others that wait for each other: see `cycles`.
    by_threads: bool,
}

impl Work {
    fn new(state: RetireState) -> Self {
        Work {
            state,
            since: Instant::now(),
            named: None,
            by_threads: false,
        }
    }

    /// Returns true if the holders are to be named: when the limit has passed, and then each time it has passed again.
    fn is_late(&self, limit: Duration) -> bool {
        self.named.unwrap_or(self.since).elapsed() > limit
    }
}

/// The retire thread and its work.
struct Worker {
    settings: Settings,
    log: Arc<RetirementLog>,
    open: Vec<Work>,
    /// False after a look for cycles has panicked, until there is something new.
    resolves: bool,
}

impl Worker {
    /// Works until all senders are gone and all retirements have ended.
    fn run(mut self, inbox: &Receiver<RetireState>) {
        let mut pause = SHORTEST_PAUSE;
        let mut senders = true;
        while senders || !self.open.is_empty() {
            let job = match (senders, self.open.is_empty()) {
                (true, true) => inbox.recv().map_err(RecvTimeoutError::from),
                (true, false) => inbox.recv_timeout(pause),
                (false, _) => {
                    std::thread::sleep(pause);
                    Err(RecvTimeoutError::Timeout)
                }
            };
            let mut moved = true;
            match job {
                Ok(state) => {
                    self.open.push(Work::new(state));
                    self.resolves = true;
                }
                Err(RecvTimeoutError::Disconnected) => senders = false,
                Err(RecvTimeoutError::Timeout) => moved = false,
            }
            moved |= self.step_all();
            if self.resolves {
                let resolved = guarded("hotswap-retire", || cycles::resolve(&mut self.open));
                self.resolves = resolved.is_ok();
                moved |= resolved.unwrap_or(false);
            }
            pause = if moved {
                SHORTEST_PAUSE
            } else {
                (2 * pause).min(LONGEST_PAUSE)
            };
        }
    }

    /// Steps each retirement as far as it gets. Returns true if one got further.
    fn step_all(&mut self) -> bool {
        let mut moved = false;
        let mut queue: VecDeque<Work> = std::mem::take(&mut self.open).into();
        while let Some(work) = queue.pop_front() {
            let late = work.is_late(self.settings.limit);
            let Work {
                state,
                since,
                mut named,
                by_threads,
            } = work;
            let rescue = Rescue::of(&state);
            let step = || {
                fail_point::reach("hotswap-retire");
                state.step(since.elapsed(), &self.settings, &self.log)
            };
            let step = guarded("hotswap-retire", step).unwrap_or_else(|message| {
                rescue.keep(&message, &self.log);
                Step::Next(Vec::new())
            });
            match step {
                Step::Wait(state, mut holders) => {
                    if late
                        && holders.is_empty()
                        && let RetireState::Shared { instance, .. } = &state
                    {
                        let others = self.open.iter().chain(&queue);
                        holders = others
                            .flat_map(|other| other.state.holders_of(instance))
                            .collect();
                        if holders.is_empty() && !instance.library().is_linked() {
                            // A hook of theirs that has not returned still uses it.
                            let users = instance.users().into_iter().map(|user| Holder::User {
                                plugin: user.to_string(),
                            });
                            holders.extend(users);
                        }
                        if holders.is_empty() && instance.library().is_linked() {
                            let reason =
                                "an import of it that a thread or a static of another plugin has";
                            holders.push(Holder::Other {
                                reason: reason.into(),
                            });
                        }
                    }
                    if late && by_threads {
                        let libraries = state.libraries();
                        let names = libraries.iter().flat_map(|library| library.thread_names());
                        let names: Vec<_> = names.collect();
                        holders.extend((!names.is_empty()).then_some(Holder::Threads { names }));
                    }
                    if late && !holders.is_empty() {
                        self.log.name(&state.libraries(), &holders);
                        named = Some(Instant::now());
                    }
                    self.open.push(Work {
                        state,
                        since,
                        named,
                        by_threads,
                    });
                }
                Step::Next(more) => {
                    moved = true;
                    queue.extend(more.into_iter().map(Work::new));
                }
            }
        }
        moved
    }
}
