//! Installs the signal handlers of plugins, and takes them out when a library leaves.
//!
//! A program that installs a handler may ask for the previous one, keep it, and call it from its own: signal-hook does
//! this, and so does `tokio::signal` by way of it. So the address of a handler may be called by other code long after
//! another handler was installed. The host never hands out a plugin's handler, neither to the kernel nor to another
//! plugin. Each handler is in a [slot](slots), and the host hands out a function of its own for that slot.
//! That function runs the handler in the slot if it is still there, and otherwise the one that was there
//! [before](chains) it was installed. As always, the kernel decides which one is on top.
//!
//! ```text
//! kernel ──> function of slot 2 ──> handler of the live build ── "the one before" ──> function of slot 1
//!                 handler of the build before (gone) <── otherwise below it <──────────────┘
//!                                                               └──> the host's own handler, or none
//! ```
//! A plugin that asks gets its own handler, the host's function for another plugin's handler, or a handler that belongs
//! to no plugin as it is. When it sets such a function back, the kernel gets that function, with the flags and the mask
//! that its plugin had asked for.
//!
//! # How a library leaves
//! [`withdraw`] gives the kernel the handlers that are below those of the library, wherever the kernel still has the
//! library's functions. It takes the library's handlers out of their slots, and says whether one of them is running. It
//! is called again until none is. None runs afterwards, for this reason: a thread that runs a slot *counts* itself
//! there, then *reads* the handler, runs it, and subtracts itself. `withdraw` *clears* the handler, and then *looks* at
//! the count. These four accesses are sequentially consistent. If the count comes before the look, the look sees it, or
//! it sees that the thread has left, in which case everything that the handler did has happened before. If the count
//! comes after the look, the read comes after the clearing and finds no handler.
//!
//! A handler may be run by the kernel, at any time and on any thread, and by handlers above it. None of this is counted
//! as an entrance (see `reclaim::activity`), so the last look begins after the withdrawal: whatever a handler has begun
//! was begun before it. A handler that is installed later is installed by code of the library, and counted
//! (`Library::handlers`). That count is compared when the look has found that no such code runs; if it has changed,
//! everything begins again.
//!
//! A handler that is left by `longjmp`, or whose thread ends in it, counts as running for ever, and so keeps its
//! library.
//!
//! # When a slot is used again
//! A slot is used again when it can no longer be called: the kernel does not have its function, no library that is
//! still mapped knows it, it is below no other, and no thread is in it. It is used for the same signal only. A thread
//! that the kernel has sent to it and that has not arrived yet finds the handler that the kernel had when the slot was
//! freed, or the next handler of that signal. If the kernel has another function than the one that was last put there,
//! code that the host does not watch has replaced it, and may keep it. That slot is never used again.
//!
//! # Handlers that are in no chain
//! A handler that the kernel removes when it calls it (`SA_RESETHAND`, `sysv_signal`), that `sigset` installs, or for
//! which no slot is left, is installed as it is. It keeps its library, by name. So does a handler that the host finds
//! without having been told of it: one that was installed by a system call, or by a library that the plugin needs.
//!
//! `SIG_DFL`, `SIG_IGN`, and functions that are not code of the plugin are set as the plugin says, for the whole
//! process.
//!
//! # In a forked child
//! In a forked child, another thread may have held the lock, and nothing is unmapped. So all calls go to the kernel as
//! they are, and `Command` may set `SIGPIPE` between `fork` and `exec`.
mod chains;
mod kernel;
mod slots;
#[cfg(test)]
mod tests;

use super::exit;
use super::library::Library;
use crate::reclaim::code::Code;
use chains::{Installed, Owner, locked};
use hotswap_plugin::contract::shim::SignalCall;
use kernel::{Call, kernel, set_kernel};
use std::ffi::c_int;
use std::ops::Range;
use std::sync::Arc;

/// Proof that a library's handlers are in no chain any more, and that none of them runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawn {
    /// The number of handlers that the library had installed by then.
    handlers: usize,
}

impl Withdrawn {
    /// The proof for a library that has never installed a handler, or that is not to leave memory.
    pub(crate) fn nothing() -> Self {
        Withdrawn { handlers: 0 }
    }

    /// Returns true if the library has installed no handler since.
    pub(crate) fn are_all_of(self, library: &Library) -> bool {
        self.handlers == library.handlers()
    }
}

/// Takes the library's handlers out of all chains.
///
/// # Errors
/// A handler is still running. The error is its signal.
pub(crate) fn withdraw(library: &Arc<Library>) -> Result<Withdrawn, c_int> {
    locked(|chains| match chains.withdraw(owner(library)) {
        Some(signal) => Err(signal),
        None => Ok(Withdrawn {
            handlers: library.handlers(),
        }),
    })
}

/// Forgets what the library was told, because it has left memory.
pub(crate) fn forget(library: &Arc<Library>) {
    locked(|chains| chains.forget(owner(library)));
}

/// Returns true if a handler in this range that is in no chain is below one that was installed later.
pub(crate) fn is_below_others(range: &Range<usize>) -> bool {
    locked(|chains| chains.is_below_others(range))
}

fn owner(library: &Arc<Library>) -> Owner {
    Owner(library.token().addr())
}

/// Returns true if this is a handler in the library's own code.
fn is_own(library: &Library, handler: usize) -> bool {
    let is_handler = ![libc::SIG_DFL, libc::SIG_IGN, libc::SIG_ERR].contains(&handler);
    is_handler && slots::slot_of(handler).is_none() && library.is_own_handler(handler)
}

/// Does what `sigaction` does for code of the library. Returns the previous disposition, or `None` if there is an error,
/// and then `errno` says why.
pub(super) fn signal_action(
    library: &Arc<Library>,
    signal: c_int,
    action: Option<libc::sigaction>,
) -> Option<libc::sigaction> {
    let own = action.filter(|action| is_own(library, action.sa_sigaction));
    if exit::is_forked() {
        if own.is_some() {
            library.add_handler(signal);
        }
        return match action {
            Some(action) => set_kernel(signal, &action),
            None => kernel(signal),
        };
    }
    match (own, action) {
        (Some(_), _) if library.activity().is_barred() => refuse(),
        (Some(action), _) if action.sa_flags & libc::SA_RESETHAND == 0 => {
            install(library, signal, Call::Action(&action), action.sa_sigaction)
        }
        (Some(action), _) => {
            install_beside(library, signal, Call::Action(&action), action.sa_sigaction)
        }
        (None, Some(action)) => locked(|chains| {
            let call = Call::Action(&action);
            chains.pass(owner(library), signal, call, action.sa_sigaction)
        }),
        (None, None) => locked(|chains| chains.ask(owner(library), signal)),
    }
}

/// Does what `signal` and its variants do for code of the library.
pub(super) fn signal(
    library: &Arc<Library>,
    call: SignalCall,
    signal: c_int,
    handler: usize,
) -> usize {
    let is_own = is_own(library, handler);
    let is_forked = exit::is_forked();
    if is_own && !is_forked && library.activity().is_barred() {
        refuse();
        return libc::SIG_ERR;
    }
    if is_forked || call != SignalCall::Bsd {
        if is_own {
            library.add_handler(signal);
        }
        // The call is not made under the lock, because `sigset` changes the signals that the thread blocks.
        let before = kernel::signal(call, signal, handler);
        if is_forked || before == libc::SIG_ERR {
            return before;
        }
        return locked(|chains| chains.tell_handler(owner(library), signal, before));
    }
    let done = match is_own {
        true => install(library, signal, Call::Signal, handler),
        false => locked(|chains| chains.pass(owner(library), signal, Call::Signal, handler)),
    };
    done.map_or(libc::SIG_ERR, |before| chains::plain(&before))
}

/// Installs a handler of the library's own and returns the previous one.
fn install(
    library: &Arc<Library>,
    signal: c_int,
    call: Call<'_>,
    handler: usize,
) -> Option<libc::sigaction> {
    let installed = locked(|chains| {
        // This happens under the lock, so that a handler that was counted before a withdrawal is withdrawn.
        library.count_handler();
        chains.install(owner(library), signal, call, handler)
    });
    match installed {
        Installed::Done(before) => Some(before),
        Installed::Refused => None,
        Installed::Full => install_beside(library, signal, call, handler),
    }
}

/// Installs a handler as it is. The handler keeps its library.
fn install_beside(
    library: &Arc<Library>,
    signal: c_int,
    call: Call<'_>,
    handler: usize,
) -> Option<libc::sigaction> {
    // This happens before other code can learn of the handler.
    library.add_handler(signal);
    locked(|chains| chains.pass(owner(library), signal, call, handler))
}

/// Returns the error that a signal that does not exist causes.
fn refuse() -> Option<libc::sigaction> {
    // There is no signal 0, so this only sets `errno`.
    kernel(0)
}
