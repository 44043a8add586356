//! The threads that run the hooks of plugins, and the limit of each hook.
//!
//! Hooks do not run on the thread that asks for a reload. That thread may sleep until the next one, and would keep the
//! values that hooks have left in its thread-locals, and so their builds, in memory. Moreover, a hook may never return.
//! The waiting thread gives up after the limit and leaves the hook's thread to itself, with everything that its job
//! owns. So a job owns only what its hook needs: the instance whose hook is running, and nothing of the generation that
//! is being made. The job learns that it was given up when its hook returns: no other hook begins, and the job's result
//! goes to `too_late`.
//!
//! # Threads that never end
//! Libraries are opened on these threads, too. A constructor of a library may remember the thread that opens it as the
//! first one, as if that thread lived as long as the process; allocators do this. So these threads never end. A job
//! takes an idle thread, or starts another one. The values that plugins have left on an idle thread are dropped when
//! the retiring side [asks for it](run_pending_destructors_on_all).
use crate::base::fail_point;
use crate::base::lock_order::{Ordered, Rank};
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::error::Hook;
use crate::load::library::Library;
use crate::reclaim::record;
use crate::telemetry::{caught, guarded};
use hotswap_plugin::boundary::{HookError, attempt};
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;
use std::time::{Duration, Instant};

thread_local! {
    /// On a thread that runs hooks: the wait for them.
    static WATCH: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
    /// True while this thread runs hooks, or a callback of a reload.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The library whose hook this thread is running.
    static HERE: RefCell<Option<Arc<Library>>> = const { RefCell::new(None) };
}

/// Returns true on a thread that runs hooks, or a callback of a reload.
pub(crate) fn is_running_here() -> bool {
    RUNNING.get()
}

/// Returns true on a thread that runs a hook of one of these libraries.
pub(crate) fn runs_hook_of(libraries: &[Arc<Library>]) -> bool {
    let among = |here: &Arc<Library>| libraries.iter().any(|library| Arc::ptr_eq(library, here));
    // A thread that ends may no longer have this value, and runs no hook.
    let here = HERE.try_with(|here| here.borrow().as_ref().is_some_and(among));
    here.unwrap_or(false)
}

/// Runs hooks or callbacks on the calling thread. A reload that they ask for is refused, because it would wait for
/// itself.
pub(crate) fn run_here<R>(run: impl FnOnce() -> R) -> R {
    /// Restores the previous value.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _before = Restore(RUNNING.replace(true));
    run()
}

/// Runs the check of a reload, on a thread that ends with it, because the check may call the new plugins.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn check<R: Send>(run: impl FnOnce() -> R + Send) -> io::Result<R> {
    std::thread::scope(|scope| {
        let run = || {
            RUNNING.set(true);
            fail_point::reach("hotswap-check");
            run()
        };
        let thread = Builder::new().name("hotswap-check".into());
        // The join waits for the end of the thread, including its destructors.
        let checked = thread.spawn_scoped(scope, run)?.join();
        Ok(checked.unwrap_or_else(|payload| resume_unwind(payload)))
    })
}

/// Runs a callback of a reload on the calling thread.
///
/// # Errors
/// The callback returned an error or panicked.
pub(crate) fn callback(
    run: impl FnOnce() -> Result<(), hotswap_plugin::Error>,
) -> Result<(), HookError> {
    run_here(|| attempt(run))
}

/// A hook that is running.
#[derive(Debug)]
pub(crate) struct HookRun {
    pub(crate) library: Arc<Library>,
    pub(crate) plugin: PluginName,
    pub(crate) file: PathBuf,
    pub(crate) hook: Hook,
    since: Instant,
}

/// A job whose hooks are waited for.
#[derive(Default)]
struct Watch {
    state: Mutex<HookState>,
    changed: Condvar,
}

#[derive(Default)]
struct HookState {
    /// True once the job has begun.
    begun: bool,
    now: Option<HookRun>,
    /// True once the job has delivered its result.
    finished: bool,
    /// True once the wait for the job has been given up.
    given_up: bool,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, HookState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the job. Returns false if it has been given up.
    fn begin(&self) -> bool {
        let mut state = self.state();
        state.begun = !state.given_up;
        state.begun
    }
}

/// Interrupts a wait for hooks.
#[derive(Default)]
pub(crate) struct Interrupt {
    wanted: AtomicBool,
    /// The current wait, if there is one.
    watch: Mutex<Weak<Watch>>,
}

impl Interrupt {
    fn watch(&self) -> MutexGuard<'_, Weak<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets whether waits for hooks are interrupted. If they are, a current wait ends.
    pub(crate) fn set(&self, wanted: bool) {
        self.wanted.store(wanted, SeqCst);
        if let Some(watch) = self.watch().upgrade() {
            // The lock is held, so that a thread that has looked before is already waiting.
            let _state = watch.state();
            watch.changed.notify_all();
        }
    }

    /// Returns true if waits are interrupted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(SeqCst)
    }
}

/// A hook that is running, until this is dropped.
pub(crate) struct Running<'l> {
    library: &'l Library,
    hook: Hook,
    /// The library of the outer hook on this thread.
    around: Option<Arc<Library>>,
}

/// The job was given up before this hook.
pub(crate) struct GivenUp;

/// Returns true if the wait for the job on the calling thread has been given up. This does not change between two
/// hooks: a job is given up while one of its hooks runs, or before it begins, and then it does not begin.
pub(crate) fn is_given_up() -> bool {
    let watch = WATCH.with_borrow(Clone::clone);
    watch.is_some_and(|watch| watch.state().given_up)
}

/// Begins a hook on the thread that runs it.
///
/// # Errors
/// The wait for the job has been given up.
pub(crate) fn begin<'l>(
    library: &'l Arc<Library>,
    plugin: &PluginName,
    file: &Path,
    hook: Hook,
) -> Result<Running<'l>, GivenUp> {
    if let Some(watch) = WATCH.with_borrow(Clone::clone) {
        let mut state = watch.state();
        if state.given_up {
            return Err(GivenUp);
        }
        state.now = Some(HookRun {
            library: library.clone(),
            plugin: plugin.clone(),
            file: file.to_owned(),
            hook,
            since: Instant::now(),
        });
    }
    library.hook_begins(hook);
    let around = HERE.replace(Some(library.clone()));
    Ok(Running {
        library,
        hook,
        around,
    })
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        HERE.set(self.around.take());
        self.library.hook_ended(self.hook);
        if let Some(watch) = WATCH.with_borrow(Clone::clone) {
            let ended = watch.state().now.take();
            drop(ended);
        }
    }
}

/// The reason why a job has no result.
#[derive(Debug)]
pub(crate) enum NotRun {
    /// One of its hooks has not returned within the limit.
    Late(HookRun),
    /// The wait for this hook was interrupted.
    Interrupted(HookRun),
    /// There is no thread to run it on, or the thread did not begin within the limit. To begin, a thread may need the
    /// dynamic linker, whose lock a constructor may hold.
    NoThread(io::Error),
    /// The host's own code has panicked in it, with this message.
    Panicked(String),
}

/// A thread that runs hooks.
#[derive(Clone)]
struct Worker {
    messages: Sender<Message>,
    /// True from the moment when the thread is asked to run destructors until it has run them. They may never return.
    asked: Arc<AtomicBool>,
}

enum Message {
    Run(Job),
    /// Run the destructors that retired libraries have left on this thread.
    RunDestructors,
}

type Job = Box<dyn FnOnce() + Send>;

/// All threads that run hooks.
struct Pool {
    all: Vec<Worker>,
    idle: Vec<Worker>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    all: Vec::new(),
    idle: Vec::new(),
});

fn pool() -> Ordered<'static, Pool> {
    Ordered::lock(Rank::HookThreads, &POOL)
}

/// Asks all threads that run hooks to run the destructors that retired libraries have left on them.
pub(crate) fn run_pending_destructors_on_all() {
    for worker in &pool().all {
        if !worker.asked.swap(true, SeqCst) {
            // The threads never end. A forked child has none of them, and nothing leaves memory there.
            let _ = worker.messages.send(Message::RunDestructors);
        }
    }
}

impl Worker {
    /// Returns an idle thread, or a new one.
    fn take() -> io::Result<Self> {
        let mut pool = pool();
        if let Some(at) = pool.idle.iter().rposition(Worker::is_free) {
            return Ok(pool.idle.swap_remove(at));
        }
        let (messages, inbox) = channel();
        let asked = Arc::new(AtomicBool::new(false));
        let of_thread = asked.clone();
        let thread = Builder::new().name("hotswap-hooks".into());
        thread.spawn(move || Worker::serve(&inbox, &of_thread))?;
        let worker = Worker { messages, asked };
        pool.all.push(worker.clone());
        Ok(worker)
    }

    /// Returns false while the thread has destructors to run, which may never return.
    fn is_free(&self) -> bool {
        !self.asked.load(SeqCst)
    }

    fn give_back(self) {
        pool().idle.push(self);
    }

    fn serve(inbox: &Receiver<Message>, asked: &AtomicBool) {
        RUNNING.set(true);
        // The pool keeps a sender, so there is always another message.
        let mut ran = false;
        while let Some(message) = next_message(inbox, ran) {
            ran = matches!(message, Message::Run(_));
            match message {
                Message::Run(job) => {
                    let run = || {
                        fail_point::reach("hotswap-hooks");
                        job();
                    };
                    // The job has told whoever waits for it.
                    let _ = guarded("hotswap-hooks", run);
                }
                Message::RunDestructors => {
                    let _ = guarded("hotswap-hooks", || record::mine().run_pending_destructors());
                    asked.store(false, SeqCst);
                }
            }
        }
    }
}

/// Ends the wait for a job when it is dropped, even if the job's thread has panicked before the job began. After a wait
/// that was given up, it gives the thread back.
struct Ending {
    watch: Arc<Watch>,
    worker: Option<Worker>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let given_up = {
            let mut state = self.watch.state();
            state.finished |= !state.given_up;
            state.given_up
        };
        self.watch.changed.notify_all();
        if given_up {
            self.worker.take().into_iter().for_each(Worker::give_back);
        }
    }
}

/// Returns the next message for a thread that runs hooks. Most often, another job follows at once.
fn next_message(inbox: &Receiver<Message>, ran: bool) -> Option<Message> {
    let soon = Instant::now() + SOON;
    while ran && Instant::now() < soon {
        match inbox.try_recv() {
            Ok(message) => return Some(message),
            Err(_) => std::thread::yield_now(),
        }
    }
    inbox.recv().ok()
}

/// The time for which a thread looks for a message before it sleeps. Waking a sleeping thread takes longer than most
/// hooks.
const SOON: Duration = Duration::from_micros(100);

/// Runs jobs one after the other.
pub(crate) struct HookThread {
    limit: Duration,
    /// The time from which every hook is late.
    end: Option<Instant>,
    interrupt: Option<Arc<Interrupt>>,
    worker: Option<Worker>,
}

impl HookThread {
    /// Makes a runner of jobs with this limit for each hook. It takes a thread when it needs one.
    pub(crate) fn new(limit: Duration) -> Self {
        HookThread {
            limit,
            end: None,
            interrupt: None,
            worker: None,
        }
    }

    /// Allows `interrupt` to end the waits.
    pub(crate) fn interrupted_by(mut self, interrupt: &Arc<Interrupt>) -> Self {
        self.interrupt = Some(interrupt.clone());
        self
    }

    /// Sets the time from which every hook is late.
    pub(crate) fn set_end(&mut self, end: Option<Instant>) {
        self.end = end;
    }

    /// Returns true once every hook counts as late.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// The limit of each hook.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Runs a job and waits for its result. If the result comes after the wait was given up, `too_late` gets it, on the
    /// job's thread.
    ///
    /// # Errors
    /// See [`NotRun`].
    pub(crate) fn run<R: Send + 'static>(
        &mut self,
        job: impl FnOnce() -> R + Send + 'static,
        too_late: impl FnOnce(R) + Send + 'static,
    ) -> Result<R, NotRun> {
        let worker = match self.worker.take() {
            Some(worker) if worker.is_free() => worker,
            busy => {
                busy.into_iter().for_each(Worker::give_back);
                Worker::take().map_err(NotRun::NoThread)?
            }
        };
        let watch = Arc::new(Watch::default());
        if let Some(interrupt) = &self.interrupt {
            *interrupt.watch() = Arc::downgrade(&watch);
        }
        let (reply, given) = channel();
        let ending = Ending {
            watch: watch.clone(),
            worker: Some(worker.clone()),
        };
        let job = move || {
            // It is dropped after everything else.
            let ending = ending;
            if !ending.watch.begin() {
                return drop(job);
            }
            WATCH.set(Some(ending.watch.clone()));
            let result = caught(job);
            WATCH.set(None);
            let late = {
                // The lock is held, so either the waiting thread gets the result, or it has given up.
                let mut state = ending.watch.state();
                state.finished = !state.given_up;
                match state.given_up {
                    true => Some(result),
                    false => reply.send(result).err().map(|unsent| unsent.0),
                }
            };
            if let Some(result) = late {
                drop(result.map(too_late));
            }
        };
        if worker.messages.send(Message::Run(Box::new(job))).is_err() {
            let reason = "the thread that runs hooks has ended";
            return Err(NotRun::NoThread(io::Error::other(reason)));
        }
        self.wait(&watch)?;
        self.worker = Some(worker);
        // If the thread has panicked outside of the job, there is no result.
        let lost = |_| Err("its thread has lost it".to_owned());
        given.recv().unwrap_or_else(lost).map_err(NotRun::Panicked)
    }

    /// Waits until the job has finished.
    fn wait(&self, watch: &Watch) -> Result<(), NotRun> {
        let asked = Instant::now();
        while asked.elapsed() < SOON {
            if watch.state().finished {
                return Ok(());
            }
            std::thread::yield_now();
        }
        let mut state = watch.state();
        while !state.finished {
            let now = Instant::now();
            // Before the first hook, and between two hooks, there is no hook that could be late.
            let late_at = |since: Instant| {
                let late = after(since, self.limit);
                self.end.map_or(late, |end| end.min(late))
            };
            let begins_by = late_at(asked).max(asked + TO_BEGIN);
            if !state.begun && begins_by <= now {
                state.given_up = true;
                let reason = format!("it has not begun within {:?}", self.limit);
                return Err(NotRun::NoThread(io::Error::other(reason)));
            }
            let running = state.now.as_ref().map(|run| late_at(run.since));
            let late = running.is_some_and(|late| late <= now);
            let interrupted = self.interrupt.as_ref().is_some_and(|i| i.is_wanted());
            if (late || interrupted)
                && let Some(run) = state.now.take()
            {
                state.given_up = true;
                return Err(match late {
                    true => NotRun::Late(run),
                    false => NotRun::Interrupted(run),
                });
            }
            // Hooks begin without a notification, so if none is running, look again after the limit. If the next hook
            // is late as soon as it begins, look again at once.
            let next = if state.begun { late_at(now) } else { begins_by };
            let look_at = running.unwrap_or(next);
            let wait = match interrupted {
                true => NO_TIME_LEFT,
                false => look_at.saturating_duration_since(now).max(NO_TIME_LEFT),
            };
            let waited = watch.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

/// The time that a thread may take to begin, even if no time is left for hooks.
const TO_BEGIN: Duration = Duration::from_millis(100);

/// The interval between two looks for the next hook, if every hook is late as soon as it begins.
const NO_TIME_LEFT: Duration = Duration::from_millis(1);

impl Drop for HookThread {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Returns a thread that is busy until the sender is dropped.
    fn busy_thread() -> (HookThread, Sender<()>) {
        let mut hooks = HookThread::new(Duration::MAX);
        assert!(hooks.run(|| {}, drop).is_ok());
        let (go_on, wait) = channel();
        let worker = hooks.worker.as_ref().expect("it has run a job");
        let job = Box::new(move || _ = wait.recv());
        assert!(worker.messages.send(Message::Run(job)).is_ok());
        (hooks, go_on)
    }

    #[test]
    fn a_job_that_is_given_up_before_it_begins_does_not_run() {
        let (mut hooks, go_on) = busy_thread();
        hooks.limit = Duration::ZERO;
        let owned = Arc::new(());
        let ran = Arc::new(AtomicUsize::new(0));
        let (of_job, runs) = (owned.clone(), ran.clone());
        let job = move || {
            runs.fetch_add(1, SeqCst);
            drop(of_job);
        };
        let runs = ran.clone();
        let too_late = move |()| _ = runs.fetch_add(1, SeqCst);
        assert!(matches!(hooks.run(job, too_late), Err(NotRun::NoThread(_))));
        assert_eq!(Arc::strong_count(&owned), 2);
        drop(go_on);
        while Arc::strong_count(&owned) != 1 {
            std::thread::yield_now();
        }
        assert_eq!(ran.load(SeqCst), 0);
    }

    #[test]
    fn hooks_that_run_here_are_known_to_run() {
        assert!(!is_running_here());
        run_here(|| {
            run_here(|| assert!(is_running_here()));
            assert!(is_running_here());
        });
        assert!(!is_running_here());
    }

    #[test]
    fn a_thread_that_has_destructors_to_run_gets_no_other_job() {
        let (mut hooks, go_on) = busy_thread();
        let busy = hooks.worker.clone().expect("it has run a job");
        busy.asked.store(true, SeqCst);
        assert!(hooks.run(|| {}, drop).is_ok(), "another thread runs it");
        busy.asked.store(false, SeqCst);
        drop(go_on);
    }
}
