//! Signal handlers of plugins.
//!
//! Who installs a handler may ask for the one that was there before, keep it, and call it from his own: signal-hook does, and
//! with it `tokio::signal`. So an address of a handler may be called long after another one was installed, and by somebody
//! else. No handler of a plugin's is ever handed out, to the kernel or to another plugin: each is in a [slot](slots), and what
//! is handed out is [a function of the host's](entrances) for that slot. It runs the slot's handler if it is still there, and
//! otherwise what was there [before](chains) it was installed. The kernel decides as ever what is on top.
//!
//! ```text
//! kernel ──> function of slot 2 ──> handler of the live build ── "the one before" ──> function of slot 1
//!                 handler of the build before (gone) <── otherwise below it <──────────────┘
//!                                                               └──> the host's own handler, or none
//! ```
//! A plugin that asks gets its own handler, the function of another plugin's, or what is no plugin's as it is. When it sets
//! such a function back, the kernel gets that, with the flags and the mask that its plugin had asked for.
//!
//! # A library leaves
//! [`withdraw`] gives the kernel what is below the library's handlers, where it still has their functions, takes the handlers
//! out of their slots, and says whether one is running. It is called again until none is. Why none runs afterwards: who runs
//! a slot *counts* himself there, then *reads* the handler, runs it, and counts himself out. `withdraw` *clears* the handler,
//! and then *looks* at the count. These four are sequentially consistent. If the count comes before the look, the look sees
//! it, or sees that he is out, and then all that the handler did has happened before. If it comes after the look, the reading
//! comes after the clearing, and finds no handler.
//!
//! A handler may be run by the kernel, at any time and on any thread, and by handlers above it. None of this is counted as an
//! entrance (see `live::activity`), so the last look begins after the withdrawal: what a handler has begun was begun before. A
//! handler that is installed later is installed by code of the library, and counted (`Library::handlers`). That count is
//! compared when the look has found that no such code runs; if it has changed, all of it begins anew.
//!
//! A handler that is left by `longjmp`, or whose thread ends in it, counts as running for ever, and so keeps its library.
//!
//! # A slot is used again
//! once nobody can call it: the kernel does not have its function, no library knows it that has not left, it is below no other,
//! and nobody is in it. It is used for the same signal only. A thread that the kernel has sent to it and that has not got
//! there yet finds what the kernel had when the slot was freed, or the next handler of that signal. Where the kernel has
//! something else than was last put there, somebody whom nobody watches has replaced it, and may keep it: that slot is never
//! used again.
//!
//! # What is not in a chain
//! A handler that the kernel is to remove when it is called (`SA_RESETHAND`, `sysv_signal`), that `sigset` installs, or for
//! which no slot is left, is installed as it is, and keeps its library, by name. So does a handler that the host meets where
//! it was told of none: one installed by a system call, or by a library that the plugin needs.
//!
//! `SIG_DFL`, `SIG_IGN`, and what is no code of the plugin's, are set as the plugin says, for the whole process.
//!
//! # In a forked child
//! another thread may have held the lock, and nothing is unmapped. All goes to the kernel as it is; so `Command` may set
//! `SIGPIPE` between `fork` and `exec`.
mod chains;
mod entrances;
mod kernel;
mod slots;
#[cfg(test)]
mod tests;

use super::exit;
use super::library::Library;
use crate::platform;
use crate::reclaim::code::Code;
use chains::{Installed, Owner, locked};
use hotswap_plugin::contract::shim::{SignalCall, Token};
use kernel::Call;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr::{null, null_mut};
use std::sync::Arc;

/// A library's handlers are in no chain any more, and none of them runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawn {
    /// How many it had installed by then.
    handlers: usize,
}

impl Withdrawn {
    /// Of a library that has never installed one, or that is not to leave memory.
    pub(crate) fn nothing() -> Self {
        Withdrawn { handlers: 0 }
    }

    /// Whether it has installed none since.
    pub(crate) fn are_all_of(self, library: &Library) -> bool {
        self.handlers == library.handlers()
    }
}

/// Takes the library's handlers out of all chains.
///
/// # Errors
/// The signal of one that still runs.
pub(crate) fn withdraw(library: &Arc<Library>) -> Result<Withdrawn, c_int> {
    locked(|chains| match chains.withdraw(owner(library)) {
        Some(signal) => Err(signal),
        None => Ok(Withdrawn {
            handlers: library.handlers(),
        }),
    })
}

/// The library has left memory: it knows nothing any more of what it was told.
pub(crate) fn forget(library: &Arc<Library>) {
    locked(|chains| chains.forget(owner(library)));
}

/// Whether a handler in this range that is in no chain is below one that was installed later.
pub(crate) fn is_below_others(range: &Range<usize>) -> bool {
    locked(|chains| chains.is_below_others(range))
}

fn owner(library: &Arc<Library>) -> Owner {
    Owner(library.token().addr())
}

/// Whether this is a handler in the library's own code.
fn is_own(library: &Library, handler: usize) -> bool {
    let is_handler = ![libc::SIG_DFL, libc::SIG_IGN, libc::SIG_ERR].contains(&handler);
    is_handler && entrances::slot_of(handler).is_none() && library.is_own_handler(handler)
}

/// `sigaction`.
///
/// # Safety
/// As the function, called by code of the library that the token names.
pub(super) unsafe extern "C" fn signal_action(
    token: Token,
    signal: c_int,
    action: *const c_void,
    before: *mut c_void,
) -> c_int {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    // SAFETY: null, or what the caller lends.
    let action = unsafe { action.cast::<libc::sigaction>().as_ref() }.copied();
    let own = action.filter(|action| is_own(&library, action.sa_sigaction));
    if exit::is_forked() {
        if own.is_some() {
            library.add_handler(signal);
        }
        let action = action.as_ref().map_or(null(), |action| action);
        // SAFETY: the caller's promises.
        return unsafe { libc::sigaction(signal, action, before.cast()) };
    }
    let done = match (own, action) {
        (Some(_), _) if library.activity().is_barred() => refuse(),
        (Some(action), _) if action.sa_flags & libc::SA_RESETHAND == 0 => {
            install(&library, signal, Call::Action(&action), action.sa_sigaction)
        }
        (Some(action), _) => {
            install_beside(&library, signal, Call::Action(&action), action.sa_sigaction)
        }
        (None, Some(action)) => locked(|chains| {
            let call = Call::Action(&action);
            chains.pass(owner(&library), signal, call, action.sa_sigaction)
        }),
        (None, None) => locked(|chains| chains.ask(owner(&library), signal)),
    };
    let Some(done) = done else { return -1 };
    if !before.is_null() {
        // SAFETY: where the caller wants it.
        unsafe { before.cast::<libc::sigaction>().write(done) };
    }
    0
}

/// `signal` and its sisters.
///
/// # Safety
/// As the function, called by code of the library that the token names.
pub(super) unsafe extern "C" fn signal(
    token: Token,
    call: SignalCall,
    signal: c_int,
    handler: usize,
) -> usize {
    // SAFETY: called by the library's code.
    let library = unsafe { Library::of(token) };
    let is_own = is_own(&library, handler);
    let is_forked = exit::is_forked();
    if is_own && !is_forked && library.activity().is_barred() {
        refuse();
        return libc::SIG_ERR;
    }
    if is_forked || call != SignalCall::Bsd {
        if is_own {
            library.add_handler(signal);
        }
        // SAFETY: the caller's promises. Not under the lock: `sigset` changes what the thread blocks.
        let before = unsafe { platform::signal(call, signal, handler) };
        if is_forked || before == libc::SIG_ERR {
            return before;
        }
        return locked(|chains| chains.tell_handler(owner(&library), signal, before));
    }
    let done = match is_own {
        true => install(&library, signal, Call::Signal, handler),
        false => locked(|chains| chains.pass(owner(&library), signal, Call::Signal, handler)),
    };
    done.map_or(libc::SIG_ERR, |before| chains::plain(&before))
}

/// Installs a handler of the library's own, and returns what was there before.
fn install(
    library: &Arc<Library>,
    signal: c_int,
    call: Call<'_>,
    handler: usize,
) -> Option<libc::sigaction> {
    let installed = locked(|chains| {
        // Under the lock: what was counted before a withdrawal is withdrawn.
        library.count_handler();
        chains.install(owner(library), signal, call, handler)
    });
    match installed {
        Installed::Done(before) => Some(before),
        Installed::Refused => None,
        Installed::Full => install_beside(library, signal, call, handler),
    }
}

/// Installs a handler as it is. It keeps its library.
fn install_beside(
    library: &Arc<Library>,
    signal: c_int,
    call: Call<'_>,
    handler: usize,
) -> Option<libc::sigaction> {
    // Before anybody can be told of it.
    library.add_handler(signal);
    locked(|chains| chains.pass(owner(library), signal, call, handler))
}

/// An error, as of a signal that does not exist.
fn refuse() -> Option<libc::sigaction> {
    // SAFETY: there is no such signal; sets `errno`.
    unsafe { libc::sigaction(0, null(), null_mut()) };
    None
}
