//! The threads that run the hooks of plugins, and the limit that each hook has.
//!
//! Hooks do not run on the thread that asks for a reload. It may sleep until the next one, and would keep what hooks have
//! left in its thread-locals, and so their builds, in memory. And a hook may never return: whoever waits for it gives up
//! after the limit, and leaves the thread to itself, with what its job owns. So a job owns only what its hook needs: the
//! instance that runs, and nothing of the generation that is made. The job learns that it was given up when its hook
//! returns: no other hook begins, and what the job gives is handed to `too_late`.
//!
//! # Threads that never end
//! Libraries are opened on these threads, too. A constructor of a library may remember the thread that opens it as the first
//! one, as if that would live as long as the process: allocators do. So the threads are never ended. Who needs one takes one
//! that is idle, or starts one more. What plugins have left on an idle thread is dropped when the retiring side
//! [asks for it](run_pending_destructors_on_all).
use crate::base::name::PluginName;
use crate::error::Hook;
use crate::load::library::Library;
use crate::reclaim::record;
use hotswap_plugin::boundary::{HookError, collect, guard};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;
use std::time::{Duration, Instant};

thread_local! {
    /// Of a thread that runs hooks: who waits for them.
    static WATCH: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
    /// This thread runs hooks, or a callback of a reload.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The library whose hook this thread runs.
    static HERE: RefCell<Option<Arc<Library>>> = const { RefCell::new(None) };
}

/// Returns true on a thread that runs hooks, or a callback of a reload.
pub(crate) fn is_running_here() -> bool {
    RUNNING.get()
}

/// Returns true on a thread that runs a hook of one of these libraries.
pub(crate) fn runs_hook_of(libraries: &[Arc<Library>]) -> bool {
    let among = |here: &Arc<Library>| libraries.iter().any(|library| Arc::ptr_eq(library, here));
    // A thread that ends may have no such value any more, and runs no hook.
    let here = HERE.try_with(|here| here.borrow().as_ref().is_some_and(among));
    here.unwrap_or(false)
}

/// Runs hooks or callbacks on the calling thread, where a reload that they ask for is refused: it would wait for itself.
pub(crate) fn run_here<R>(run: impl FnOnce() -> R) -> R {
    /// Sets what the thread was before.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _before = Restore(RUNNING.replace(true));
    run()
}

/// Runs the check of a reload, on a thread that ends with it: it may call the new plugins.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn check<R: Send>(run: impl FnOnce() -> R + Send) -> io::Result<R> {
    std::thread::scope(|scope| {
        let run = || {
            RUNNING.set(true);
            run()
        };
        let thread = Builder::new().name("hotswap-check".into());
        // Joining waits for the end of the thread, destructors included.
        let checked = thread.spawn_scoped(scope, run)?.join();
        Ok(checked.unwrap_or_else(|payload| resume_unwind(payload)))
    })
}

/// Runs a callback of a reload on the calling thread.
///
/// # Errors
/// The callback returned an error, or panicked.
pub(crate) fn callback(
    run: impl FnOnce() -> Result<(), hotswap_plugin::Error>,
) -> Result<(), HookError> {
    // SAFETY: `collect` makes the sink, which lives as long as this call.
    run_here(|| collect(|sink| unsafe { guard(sink, run) }))
}

/// A hook that runs.
#[derive(Debug)]
pub(crate) struct HookRun {
    pub(crate) library: Arc<Library>,
    pub(crate) plugin: PluginName,
    pub(crate) file: PathBuf,
    pub(crate) hook: Hook,
    since: Instant,
}

/// A job whose hooks somebody waits for.
#[derive(Default)]
struct Watch {
    state: Mutex<HookState>,
    changed: Condvar,
}

#[derive(Default)]
struct HookState {
    /// The job has begun.
    begun: bool,
    now: Option<HookRun>,
    /// The job has given what it gives.
    finished: bool,
    /// The wait for the job has been given up.
    given_up: bool,
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, HookState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the job. Returns false where it has been given up.
    fn begin(&self) -> bool {
        let mut state = self.state();
        state.begun = !state.given_up;
        state.begun
    }
}

/// Has those give up who wait for hooks.
#[derive(Default)]
pub(crate) struct Interrupt {
    wanted: AtomicBool,
    /// The wait that goes on, if one does.
    watch: Mutex<Weak<Watch>>,
}

impl Interrupt {
    fn watch(&self) -> MutexGuard<'_, Weak<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets whether hooks are still waited for. If not, a wait that is going on ends.
    pub(crate) fn set(&self, wanted: bool) {
        self.wanted.store(wanted, SeqCst);
        if let Some(watch) = self.watch().upgrade() {
            // Under the lock: whoever looks before waits already.
            let _state = watch.state();
            watch.changed.notify_all();
        }
    }

    fn is_wanted(&self) -> bool {
        self.wanted.load(SeqCst)
    }
}

/// A hook that runs, until this is dropped.
pub(crate) struct Running<'l> {
    library: &'l Library,
    hook: Hook,
    /// The library whose hook runs around it on this thread.
    around: Option<Arc<Library>>,
}

/// The job was given up before this hook.
pub(crate) struct GivenUp;

/// Returns true if the wait for the job on the calling thread has been given up. Between two hooks that does not change: a job
/// is given up while a hook of it runs, or before it begins, and then it does not begin.
pub(crate) fn is_given_up() -> bool {
    let watch = WATCH.with_borrow(Clone::clone);
    watch.is_some_and(|watch| watch.state().given_up)
}

/// Begins a hook, on the thread that runs it.
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

/// Why a job gives nothing.
#[derive(Debug)]
pub(crate) enum NotRun {
    /// A hook of it has not returned within the limit.
    Late(HookRun),
    /// The wait for this hook was interrupted.
    Interrupted(HookRun),
    /// There is no thread to run it on, or one that does not begin with it within the limit: to begin, a thread may need
    /// the dynamic linker, which a constructor may hold.
    NoThread(io::Error),
}

/// A thread that runs hooks.
#[derive(Clone)]
struct Worker {
    messages: Sender<Message>,
    /// It was asked to attend and has not come to an end with it: what it runs may never return.
    asked: Arc<AtomicBool>,
}

enum Message {
    Run(Job),
    /// Run the destructors that retired libraries have left here.
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

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has all threads that run hooks run the destructors that retired libraries have left on them.
pub(crate) fn run_pending_destructors_on_all() {
    for worker in &pool().all {
        if !worker.asked.swap(true, SeqCst) {
            // The threads never end; in a forked child there are none, and nothing leaves memory.
            let _ = worker.messages.send(Message::RunDestructors);
        }
    }
}

impl Worker {
    /// One that is idle, or another one.
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

    /// Returns false while it has destructors to run, which may never return.
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
                Message::Run(job) => job(),
                Message::RunDestructors => {
                    record::mine().run_pending_destructors();
                    asked.store(false, SeqCst);
                }
            }
        }
    }
}

/// The next message of a thread that runs hooks. After a job there is most often another one at once.
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

/// How long to look for what comes soon, before the thread sleeps: to wake a sleeping thread takes longer than most hooks.
const SOON: Duration = Duration::from_micros(100);

/// Runs jobs one after the other.
pub(crate) struct HookThread {
    limit: Duration,
    /// When every hook is late.
    end: Option<Instant>,
    interrupt: Option<Arc<Interrupt>>,
    worker: Option<Worker>,
}

impl HookThread {
    /// Gives each hook this limit. A thread is taken when it is needed.
    pub(crate) fn new(limit: Duration) -> Self {
        HookThread {
            limit,
            end: None,
            interrupt: None,
            worker: None,
        }
    }

    /// May be interrupted.
    pub(crate) fn interrupted_by(mut self, interrupt: &Arc<Interrupt>) -> Self {
        self.interrupt = Some(interrupt.clone());
        self
    }

    /// From now on a hook is also late at this time.
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

    /// Runs a job, and waits for what it gives. When that comes after the wait was given up, `too_late` gets it, on the
    /// job's thread.
    ///
    /// # Errors
    /// See [`NotRun`].
    ///
    /// # Panics
    /// As the job.
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
        let (of_job, again) = (watch.clone(), worker.clone());
        let job = move || {
            if !of_job.begin() {
                drop(job);
                return again.give_back();
            }
            WATCH.set(Some(of_job.clone()));
            let result = catch_unwind(AssertUnwindSafe(job));
            WATCH.set(None);
            let late = {
                // Under the lock: whoever gives up has not got it, and whoever has got it does not give up.
                let mut state = of_job.state();
                state.finished = !state.given_up;
                match state.given_up {
                    true => Some(result),
                    false => reply.send(result).err().map(|unsent| unsent.0),
                }
            };
            of_job.changed.notify_all();
            if let Some(result) = late {
                drop(result.map(too_late));
                again.give_back();
            }
        };
        if worker.messages.send(Message::Run(Box::new(job))).is_err() {
            let reason = "the thread that runs hooks has ended";
            return Err(NotRun::NoThread(io::Error::other(reason)));
        }
        self.wait(&watch)?;
        self.worker = Some(worker);
        let result: Result<R, Box<dyn Any + Send>> = match given.recv() {
            Ok(result) => result,
            Err(_) => unreachable!("a job that has finished has given something"),
        };
        Ok(result.unwrap_or_else(|payload| resume_unwind(payload)))
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
            // Before the first hook, and between two, there is nobody to wait for in vain.
            let late_at = |since: Instant| {
                let late = since.checked_add(self.limit).unwrap_or(now + A_YEAR);
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
            // Hooks begin without a word, so where none runs, it is looked again after the limit. Where the next one is late as
            // soon as it begins, that has to be noticed at once.
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

/// Where the limit is longer than times can be told, no hook is late.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long a thread may take to begin, also where no time is left for hooks.
const TO_BEGIN: Duration = Duration::from_millis(100);

/// How often to look whether another hook has begun, where each that begins is late.
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

    /// A thread that is kept busy until what comes with it is dropped.
    fn busy_thread() -> (HookThread, Sender<()>) {
        let mut hooks = HookThread::new(A_YEAR);
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
