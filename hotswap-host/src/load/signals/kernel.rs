//! Reads and changes the kernel's dispositions of signals.
use std::ffi::c_int;
use std::ptr::null;

/// The highest number of a signal. The lowest is 1.
pub(super) const SIGNALS: usize = 64;

/// The call by which a disposition is changed.
#[derive(Clone, Copy)]
pub(super) enum Call<'a> {
    /// `sigaction`, with these flags and this mask.
    Action(&'a libc::sigaction),
    /// `signal`.
    Signal,
}

// SAFETY: all zero is a valid `sigaction`: it has no handler, no flags, and an empty mask.
pub(super) const DEFAULT: libc::sigaction = unsafe { std::mem::zeroed() };

/// Returns the kernel's disposition of the signal.
pub(super) fn kernel(signal: c_int) -> Option<libc::sigaction> {
    let mut action = DEFAULT;
    // SAFETY: this only reads the disposition, into a local variable.
    let known = unsafe { libc::sigaction(signal, null(), &mut action) } == 0;
    known.then_some(action)
}

/// Changes the kernel's disposition and returns the previous one.
pub(super) fn set_kernel(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    let mut before = DEFAULT;
    // SAFETY: the handler belongs to the host, was there before, or is one that a plugin asks for and answers for.
    let set = unsafe { libc::sigaction(signal, action, &mut before) } == 0;
    set.then_some(before)
}

/// Changes the disposition to this handler in the way in which the plugin's call would.
pub(super) fn set_kernel_by(
    call: Call<'_>,
    signal: c_int,
    handler: usize,
) -> Option<libc::sigaction> {
    match call {
        Call::Action(action) => set_kernel(
            signal,
            &libc::sigaction {
                sa_sigaction: handler,
                ..*action
            },
        ),
        Call::Signal => {
            let before = kernel(signal)?;
            // SAFETY: the handler belongs to the host, was there before, or is one that a plugin asks for and answers
            // for.
            let handler = unsafe { libc::signal(signal, handler) };
            // If another handler was set in between, it is not known whether it takes one argument or three. A function
            // that takes one does not notice two more.
            let sa_flags = match handler == before.sa_sigaction {
                true => before.sa_flags,
                false => before.sa_flags | libc::SA_SIGINFO,
            };
            (handler != libc::SIG_ERR).then_some(libc::sigaction {
                sa_sigaction: handler,
                sa_flags,
                ..before
            })
        }
    }
}

/// Returns true if the handler takes all three arguments.
pub(super) fn has_info(action: &libc::sigaction) -> bool {
    action.sa_flags & libc::SA_SIGINFO != 0
}

/// Returns true if the handler, the flags, and the mask of both are the same.
pub(super) fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let is_in = |action: &libc::sigaction, signal| {
        // SAFETY: the system has written the set.
        unsafe { libc::sigismember(&action.sa_mask, signal) == 1 }
    };
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        && (1..=SIGNALS as c_int).all(|signal| is_in(one, signal) == is_in(other, signal))
}
