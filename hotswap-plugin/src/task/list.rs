//! The list of the tasks that have not ended, and the end of tasks when the plugin is replaced.
use crate::host::Counted;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

static TASKS: Mutex<Tasks> = Mutex::new(Tasks {
    next: 0,
    stopped: None,
    open: BTreeMap::new(),
});
static ENDED: Condvar = Condvar::new();

struct Tasks {
    next: u64,
    /// The time at which the plugin was replaced.
    stopped: Option<Instant>,
    open: BTreeMap<u64, Open>,
}

/// A task that has not ended.
struct Open {
    /// `None` until it is spawned.
    abort: Option<AbortHandle>,
    /// How long it may take to finish.
    limit: Option<Duration>,
}

fn tasks() -> MutexGuard<'static, Tasks> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task's entry in the list. Dropping it says that the task has ended.
pub(super) struct Entry {
    id: u64,
    name: String,
    /// The host's count of the task, which is released after the entry has left the list.
    _count: Option<Counted>,
}

impl Entry {
    pub(super) fn begin(name: &str, limit: Option<Duration>) -> Self {
        let mut tasks = tasks();
        let id = tasks.next;
        tasks.next += 1;
        tasks.open.insert(id, Open { abort: None, limit });
        drop(tasks);
        Entry {
            id,
            name: name.to_owned(),
            _count: Counted::of_task(name),
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the task {} panicked", self.name);
        }
        tasks().open.remove(&self.id);
        ENDED.notify_all();
    }
}

/// Makes it possible to cancel the task.
pub(super) fn set_abort(id: u64, abort: AbortHandle) {
    if let Some(open) = tasks().open.get_mut(&id) {
        open.abort = Some(abort);
    }
}

impl Tasks {
    /// Returns the handles that cancel the tasks for which `which` returns true.
    fn aborts(&self, which: impl Fn(&Open) -> bool) -> Vec<AbortHandle> {
        let open = self.open.values().filter(|open| which(open));
        open.filter_map(|open| open.abort.clone()).collect()
    }
}

/// Begins a plugin, which may use this list after another one.
pub(crate) fn begin() {
    tasks().stopped = None;
}

/// Cancels the tasks that may not finish, since the plugin has been replaced.
pub(crate) fn stop() {
    let mut tasks = tasks();
    tasks.stopped = Some(Instant::now());
    let cancelled = tasks.aborts(|open| open.limit.is_none());
    drop(tasks);
    cancelled.iter().for_each(AbortHandle::abort);
}

/// Waits for the tasks that may finish, each up to its limit, and cancels those that have not.
pub(crate) fn finish() {
    let mut tasks = tasks();
    let stopped = tasks.stopped.unwrap_or_else(Instant::now);
    loop {
        let left = |open: &Open| {
            let end = open.limit.and_then(|limit| stopped.checked_add(limit))?;
            end.checked_duration_since(Instant::now())
        };
        // Tasks are aborted while the lock is held. That only wakes them, and does not drop one.
        let late = tasks.aborts(|open| left(open).is_none());
        late.iter().for_each(AbortHandle::abort);
        let Some(next) = tasks.open.values().filter_map(left).min() else {
            return;
        };
        tasks = match ENDED.wait_timeout(tasks, next) {
            Ok((tasks, _)) => tasks,
            Err(poisoned) => poisoned.into_inner().0,
        };
    }
}
