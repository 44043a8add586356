//! The way out of memory.
//!
//! ```text
//! generation:  grace (no slot) → holds (no counted hold) → free delay → its instances, if no other generation has them
//! instance:    on_free, drop, flush → threads → destructors → bar → close → look whether it is gone
//! ```
//! One thread does this, and never waits for anything: each retirement is a small state machine, stepped in turn, so
//! none holds up another. Code of the plugin (`on_free`, `Drop`) runs on a thread of its own for the same reason. Each
//! state that lasts longer than the limit names its holders.
//!
//! # Why a library that is closed is not used any more
//! - *Calls*: they pin the generation. `Retired::into_inner` gives the generation out only when no slot and no hold
//!   has it (the argument is in `pin`), and an instance only when no generation has it.
//! - *Other plugins*: an instance owns its imports; they are released after its library has left.
//! - *Its threads*: counted from before their creation until after their last destructor.
//! - *Destructors on other threads*: listed in the thread's record, run by that thread; see `record`.
//! - *A destructor that spawns, a thread that registers*: both count as activity. The library is closed after a look
//!   that found no thread and no destructor and saw the activity unchanged: whatever could still start something was
//!   itself found. Then the library is barred: later registrations would be refused.
//! - *What the shim does not see* (signal handlers, early registrations, what the file declares): checked before the
//!   close, and reason to keep the library mapped.
use crate::artifact::hindrances;
use crate::generation::Generation;
use crate::instance::{Instance, Loaded};
use crate::live::pin::Retired;
use crate::live::record;
use crate::load::library::Library;
use crate::platform;
use crate::retirement::{Holder, Retirement, RetirementState};
use crate::telemetry;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is done with libraries that nobody uses any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnloadMode {
    /// They leave memory.
    #[default]
    Unload,
    /// They leave memory, and their addresses stay reserved without access for ever, so that a stale use crashes
    /// instead of running other code. For tests.
    Quarantine,
    /// They stay mapped; their instances are dropped all the same.
    Keep,
}

/// How retirements behave.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: UnloadMode,
    /// How long a replaced instance is kept after its last use.
    pub(crate) free_delay: Duration,
    /// How long a state may last before its holders are named.
    pub(crate) limit: Duration,
    /// After the limit, skip destructors of threads that do not come back.
    pub(crate) skip_destructors: bool,
}

/// Finished retirements that are remembered.
const REMEMBERED: usize = 64;
/// The pause between two looks: it doubles while nothing happens.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Hands retirements to the retire thread, and tells how they stand.
pub(crate) struct Retirer {
    jobs: Sender<Job>,
    board: Arc<Board>,
}

enum Job {
    Generation(Retired<Generation>),
    Library {
        library: Arc<Library>,
        imports: Vec<Arc<Instance>>,
    },
}

impl Retirer {
    pub(crate) fn start(settings: Settings) -> std::io::Result<Self> {
        let (jobs, inbox) = channel();
        let board = Arc::new(Board::default());
        let worker = Worker {
            settings,
            board: board.clone(),
            open: Vec::new(),
        };
        std::thread::Builder::new()
            .name("hotswap-retire".into())
            .spawn(move || worker.run(inbox))?;
        Ok(Retirer { jobs, board })
    }

    /// Retires a generation. `replaced` are the instances that the live generation does not share.
    pub(crate) fn generation(&self, generation: Retired<Generation>, replaced: &[Arc<Instance>]) {
        for instance in replaced {
            self.board
                .open(instance.library(), Some(generation.get().number));
        }
        self.send(Job::Generation(generation));
    }

    /// Frees an instance that never became live, on this thread, and retires its library.
    pub(crate) fn free_now(&self, instance: Instance) {
        self.board.open(instance.library(), None);
        // SAFETY: it never was live, so nobody uses it.
        let (loaded, imports) = unsafe { free(instance) };
        self.send(Job::Library {
            library: loaded.library,
            imports,
        });
    }

    /// Retires a library without an instance.
    pub(crate) fn library(&self, library: Arc<Library>) {
        self.board.open(&library, None);
        self.send(Job::Library {
            library,
            imports: Vec::new(),
        });
    }

    fn send(&self, job: Job) {
        // The thread lives as long as there is a sender. Should it have panicked, what it was to free stays mapped.
        if let Err(unsent) = self.jobs.send(job) {
            std::mem::forget(unsent);
        }
    }

    pub(crate) fn list(&self) -> Vec<Retirement> {
        self.board.list()
    }

    /// Waits until every retirement has come to an end: gone, or kept. Returns those that have not when time is up.
    pub(crate) fn wait(&self, timeout: Duration) -> Vec<Retirement> {
        self.board.wait(timeout, |_| true)
    }

    /// Waits likewise for what never became live.
    pub(crate) fn wait_unlive(&self, timeout: Duration) {
        self.board
            .wait(timeout, |retirement| retirement.generation.is_none());
    }
}

/// # Safety
/// Nobody uses the instance any more.
unsafe fn free(instance: Instance) -> (Loaded, Vec<Arc<Instance>>) {
    // SAFETY: the caller's promise.
    let (loaded, imports, failures) = unsafe { instance.destroy() };
    for failure in failures {
        tracing::error!(target: "hotswap", "{failure}");
    }
    (loaded, imports)
}

/// How all retirements stand, for those who ask.
#[derive(Default)]
struct Board {
    entries: Mutex<Entries>,
    changed: Condvar,
}

#[derive(Default)]
struct Entries {
    open: Vec<(*const Library, Retirement)>,
    finished: VecDeque<Retirement>,
}

// SAFETY: the addresses are compared, never followed.
unsafe impl Send for Entries {}

impl Board {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, library: &Arc<Library>, generation: Option<u64>) {
        let retirement = Retirement::new(library.plugin(), library.build_id(), generation);
        self.entries().open.push((Arc::as_ptr(library), retirement));
    }

    fn update(&self, library: &Arc<Library>, change: impl FnOnce(&mut Retirement)) {
        let mut entries = self.entries();
        let Some(at) = entries
            .open
            .iter()
            .position(|(of, _)| *of == Arc::as_ptr(library))
        else {
            return;
        };
        change(&mut entries.open[at].1);
        if entries.open[at].1.state.is_end() {
            let (_, finished) = entries.open.remove(at);
            // What is kept stays listed: it is still there.
            let kept = |r: &Retirement| r.state == RetirementState::Kept;
            let gone = entries.finished.iter().filter(|r| !kept(r)).count();
            if gone >= REMEMBERED
                && let Some(oldest) = entries.finished.iter().position(|r| !kept(r))
            {
                entries.finished.remove(oldest);
            }
            entries.finished.push_back(finished);
            self.changed.notify_all();
        }
    }

    /// Names what holds these libraries up, as far as they are retired; says so where it is new.
    fn name(&self, libraries: &[Arc<Library>], holders: &[Holder]) {
        for library in libraries {
            let mut news = None;
            self.update(library, |retirement| {
                if retirement.held_by != holders {
                    retirement.held_by = holders.to_vec();
                    news = Some(retirement.clone());
                }
            });
            if let Some(retirement) = news {
                tracing::warn!(target: "hotswap", "{retirement}");
            }
        }
    }

    fn list(&self) -> Vec<Retirement> {
        let entries = self.entries();
        entries
            .finished
            .iter()
            .chain(entries.open.iter().map(|(_, r)| r))
            .cloned()
            .collect()
    }

    fn wait(&self, timeout: Duration, which: impl Fn(&Retirement) -> bool) -> Vec<Retirement> {
        let entries = self.entries();
        let open = |entries: &mut Entries| entries.open.iter().any(|(_, r)| which(r));
        let waited = self.changed.wait_timeout_while(entries, timeout, open);
        let (entries, _) = waited.unwrap_or_else(PoisonError::into_inner);
        entries
            .open
            .iter()
            .map(|(_, r)| r)
            .filter(|r| which(r))
            .cloned()
            .collect()
    }
}

struct Worker {
    settings: Settings,
    board: Arc<Board>,
    open: Vec<Work>,
}

impl Worker {
    fn run(mut self, inbox: Receiver<Job>) {
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
                Ok(job) => self.open.push(Work::from(job)),
                Err(RecvTimeoutError::Disconnected) => senders = false,
                Err(RecvTimeoutError::Timeout) => moved = false,
            }
            moved |= self.step_all();
            pause = if moved {
                SHORTEST_PAUSE
            } else {
                (2 * pause).min(LONGEST_PAUSE)
            };
        }
    }

    /// Steps each retirement as far as it gets. Returns whether one got further.
    fn step_all(&mut self) -> bool {
        let mut moved = false;
        let mut next = Vec::with_capacity(self.open.len());
        let mut queue: VecDeque<Work> = std::mem::take(&mut self.open).into();
        while let Some(work) = queue.pop_front() {
            let late = work.is_late(&self.settings);
            let Work {
                state,
                since,
                named,
            } = work;
            match state.step(since.elapsed(), &self.settings, &self.board) {
                Step::Wait(state, holders) => {
                    let named = if late {
                        self.board.name(&state.libraries(), &holders);
                        Some(Instant::now())
                    } else {
                        named
                    };
                    next.push(Work {
                        state,
                        since,
                        named,
                    });
                }
                Step::Next(more) => {
                    moved = true;
                    queue.extend(more.into_iter().map(Work::new));
                }
            }
        }
        self.open = next;
        moved
    }
}

/// One retirement, in one of its states.
struct Work {
    state: State,
    since: Instant,
    /// When the holders of this state were named last.
    named: Option<Instant>,
}

enum State {
    Grace(Retired<Generation>),
    Holds(Retired<Generation>),
    Delay(Retired<Generation>),
    Free(Box<Instance>),
    Freeing {
        library: Arc<Library>,
        thread: JoinHandle<Vec<Arc<Instance>>>,
    },
    Threads {
        library: Arc<Library>,
        imports: Vec<Arc<Instance>>,
    },
    Destructors {
        library: Arc<Library>,
        imports: Vec<Arc<Instance>>,
    },
}

enum Step {
    /// It has to wait, for what the holders say once it has waited for long.
    Wait(State, Vec<Holder>),
    /// What is to be done instead; nothing when it is done.
    Next(Vec<State>),
}

impl From<Job> for Work {
    fn from(job: Job) -> Self {
        Work::new(match job {
            Job::Generation(generation) => State::Grace(generation),
            Job::Library { library, imports } => State::Threads { library, imports },
        })
    }
}

impl Work {
    fn new(state: State) -> Self {
        Work {
            state,
            since: Instant::now(),
            named: None,
        }
    }

    /// Whether the holders are to be named: after the limit, and from then on as often.
    fn is_late(&self, settings: &Settings) -> bool {
        self.named.unwrap_or(self.since).elapsed() > settings.limit
    }
}

impl State {
    fn step(self, waited: Duration, settings: &Settings, board: &Board) -> Step {
        match self {
            State::Grace(generation) => match slot_holders(generation.address()) {
                holders if holders.is_empty() => next(State::Holds(generation)),
                holders => Step::Wait(State::Grace(generation), holders),
            },
            State::Holds(generation) => match generation.holds() {
                0 => next(State::Delay(generation)),
                count => Step::Wait(State::Holds(generation), vec![Holder::Holds { count }]),
            },
            State::Delay(generation) if waited < settings.free_delay => {
                let delay = settings.free_delay;
                Step::Wait(
                    State::Delay(generation),
                    vec![Holder::Other {
                        reason: format!("the free delay of {delay:?}"),
                    }],
                )
            }
            State::Delay(generation) => match generation.into_inner() {
                Ok(generation) => Step::Next(release(generation.plugins.into_iter().rev())),
                // Cannot be: nobody can pin or hold it again.
                Err(generation) => next(State::Grace(generation)),
            },
            State::Free(instance) => start_freeing(instance, board),
            State::Freeing { library, thread } if !thread.is_finished() => {
                Step::Wait(State::Freeing { library, thread }, vec![Holder::Drop])
            }
            // Joined, so the destructors of its own thread-locals have run too.
            State::Freeing { library, thread } => next(State::Threads {
                library,
                imports: thread.join().unwrap_or_default(),
            }),
            State::Threads { library, imports } if library.thread_count() != 0 => {
                let holders = vec![Holder::Threads {
                    names: library.thread_names(),
                }];
                Step::Wait(State::Threads { library, imports }, holders)
            }
            State::Threads { library, imports } => {
                library.set_retiring();
                next(State::Destructors { library, imports })
            }
            State::Destructors { library, imports } => {
                let before = library.activity();
                let skip = settings.skip_destructors && waited > settings.limit;
                let pending = record::pending_destructors(&library, skip);
                let quiet = pending.destructors == 0
                    && library.thread_count() == 0
                    && library.activity() == before;
                if !quiet {
                    let holders = late_destructors(&library, &pending);
                    return Step::Wait(State::Destructors { library, imports }, holders);
                }
                close(&library, settings, board);
                Step::Next(release(imports.into_iter()))
            }
        }
    }

    fn libraries(&self) -> Vec<Arc<Library>> {
        match self {
            State::Grace(generation) | State::Holds(generation) | State::Delay(generation) => {
                generation
                    .get()
                    .plugins
                    .iter()
                    .map(|plugin| plugin.library().clone())
                    .collect()
            }
            State::Free(instance) => vec![instance.library().clone()],
            State::Freeing { library, .. }
            | State::Threads { library, .. }
            | State::Destructors { library, .. } => vec![library.clone()],
        }
    }
}

fn next(state: State) -> Step {
    Step::Next(vec![state])
}

/// Frees the instances that nobody else has, in this order.
fn release(instances: impl Iterator<Item = Arc<Instance>>) -> Vec<State> {
    let last = instances.filter_map(Arc::into_inner);
    last.map(|instance| State::Free(Box::new(instance)))
        .collect()
}

fn start_freeing(instance: Box<Instance>, board: &Board) -> Step {
    let library = instance.library().clone();
    board.update(&library, |r| r.advance(RetirementState::Freeing));
    // SAFETY: no generation has the instance, and so no call and no pin.
    let run = move || unsafe { free(*instance) }.1;
    match std::thread::Builder::new()
        .name("hotswap-free".into())
        .spawn(run)
    {
        Ok(thread) => next(State::Freeing { library, thread }),
        Err(error) => {
            let reason = format!("no thread to free it on: {error}; its instance is leaked");
            keep(&library, vec![Holder::Other { reason }], board);
            Step::Next(Vec::new())
        }
    }
}

fn slot_holders(address: *const ()) -> Vec<Holder> {
    let holders = record::slot_holders(address).into_iter();
    holders
        .map(|holder| Holder::slot(holder.thread.to_string(), holder.pinned_at))
        .collect()
}

fn late_destructors(library: &Library, pending: &record::Pending) -> Vec<Holder> {
    let mut holders = Vec::new();
    if pending.destructors != 0 {
        let threads = pending.threads.iter().map(ToString::to_string).collect();
        holders.push(Holder::Destructors {
            count: pending.destructors,
            threads,
        });
    }
    if library.thread_count() != 0 {
        holders.push(Holder::Threads {
            names: library.thread_names(),
        });
    }
    holders
}

fn close(library: &Arc<Library>, settings: &Settings, board: &Board) {
    library.bar();
    let reasons = reasons_to_keep(library, settings);
    if !reasons.is_empty() {
        return keep(library, reasons, board);
    }
    let range = library.range().clone();
    // SAFETY: see the module's documentation; the reasons that it does not cover were just looked for.
    if !unsafe { library.close() } {
        return keep(library, vec![Holder::StillMapped], board);
    }
    if settings.mode == UnloadMode::Quarantine {
        let lost = platform::quarantine(range);
        if lost != 0 {
            tracing::debug!(target: "hotswap", "{lost} bytes could not be quarantined: another thread has taken them");
        }
    }
    telemetry::close_all_of(library.token());
    library.remove_copy();
    let (run, skipped) = library.destructor_counts();
    board.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.advance(RetirementState::Gone);
    });
}

fn reasons_to_keep(library: &Library, settings: &Settings) -> Vec<Holder> {
    let other = |reason: String| Holder::Other { reason };
    if settings.mode == UnloadMode::Keep {
        return vec![other("the unload mode, which is keep".into())];
    }
    if let Some(reason) = platform::cannot_unmap() {
        return vec![other(reason)];
    }
    let mut reasons = Vec::new();
    if !library.early().is_none() {
        reasons.push(Holder::Early(library.early()));
    }
    if let Some(signal) = platform::signal_handler_in(library.range()) {
        reasons.push(Holder::SignalHandler { signal });
    }
    match std::fs::read(library.path()) {
        Ok(bytes) => reasons.extend(hindrances(&bytes).iter().map(|h| other(h.to_string()))),
        Err(error) => reasons.push(other(format!("its private copy cannot be read: {error}"))),
    }
    reasons
}

/// Leaves the library mapped for ever, and says why.
fn keep(library: &Arc<Library>, reasons: Vec<Holder>, board: &Board) {
    // Its code may still be called with its token: the `Library` stays too.
    std::mem::forget(library.clone());
    let (run, skipped) = library.destructor_counts();
    board.update(library, |r| {
        (r.destructors_run, r.destructors_skipped) = (run, skipped);
        r.held_by = reasons;
        r.advance(RetirementState::Kept);
    });
}
