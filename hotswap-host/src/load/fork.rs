//! Calls the fork handlers of plugins (`pthread_atfork`).
//!
//! The C library knows three handlers of the host, which call those of the plugins: [`prepare`] calls them in reverse
//! order before a fork, and the other two call them in order after it, in the parent and in the child. A handler is
//! code of its library. Each library with handlers is counted as if it had an object, from before the first handler is
//! called until after the last one, so that it stays.
use super::library::Library;
use super::mapped::ForkFunction;
use crate::platform;
use crate::reclaim::code::Code;
use std::cell::RefCell;
use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The fork handlers that a library has registered together.
#[derive(Clone, Copy)]
pub(crate) struct Handlers {
    pub(super) prepare: Option<ForkFunction>,
    pub(super) parent: Option<ForkFunction>,
    pub(super) child: Option<ForkFunction>,
}

/// Handlers with their library, in the order in which they were registered.
type List = Vec<(Arc<Library>, Handlers)>;

static HANDLERS: Mutex<List> = Mutex::new(Vec::new());

thread_local! {
    /// The handlers whose libraries have been counted for the fork that this thread is about to make. It is empty but
    /// during a fork. It has no destructor, so that a thread may also fork while its thread-locals are destroyed, and
    /// afterwards.
    static FORKING: ManuallyDrop<RefCell<List>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

fn handlers() -> MutexGuard<'static, List> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers fork handlers of a library.
pub(super) fn register(library: Arc<Library>, of: Handlers) -> c_int {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    let registered = *REGISTERED.get_or_init(|| platform::at_fork(prepare, in_parent, in_child));
    if registered == 0 {
        handlers().push((library, of));
    }
    registered
}

/// Takes away the handlers of a library that is about to be closed. Forks that have begun have counted the library.
pub(crate) fn take(library: &Arc<Library>) -> Vec<Handlers> {
    let mut taken = Vec::new();
    handlers().retain(|(of, handlers)| {
        let own = Arc::ptr_eq(of, library);
        taken.extend(own.then_some(*handlers));
        !own
    });
    taken
}

/// Gives back the handlers that were [taken](take) from a library that is not closed after all.
pub(crate) fn give_back(library: &Arc<Library>, of: Vec<Handlers>) {
    handlers().extend(of.into_iter().map(|handlers| (library.clone(), handlers)));
}

extern "C" fn prepare() {
    let list = {
        let handlers = handlers();
        // This happens under the lock, so that a thread that takes a library's handlers away afterwards sees the count.
        handlers
            .iter()
            .for_each(|(library, _)| library.activity().object_made());
        handlers.clone()
    };
    for (_, handlers) in list.iter().rev() {
        if let Some(prepare) = handlers.prepare {
            prepare.call();
        }
    }
    FORKING.with(|forking| forking.replace(list));
}

fn after_fork(which: impl Fn(&Handlers) -> Option<ForkFunction>) {
    let list = FORKING.with(|forking| forking.take());
    for (_, handlers) in &list {
        if let Some(handler) = which(handlers) {
            handler.call();
        }
    }
    list.iter()
        .for_each(|(library, _)| library.activity().object_gone());
}

extern "C" fn in_parent() {
    after_fork(|handlers| handlers.parent);
}

extern "C" fn in_child() {
    after_fork(|handlers| handlers.child);
}
