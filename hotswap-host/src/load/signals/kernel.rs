//! The dispositions that the kernel has.
use std::ffi::c_int;
use std::ptr::null;

/// Signals have the numbers from 1 to this.
pub(super) const SIGNALS: usize = 64;

/// How a disposition is asked for.
#[derive(Clone, Copy)]
pub(super) enum Call<'a> {
    /// `sigaction`, with these flags and this mask.
    Action(&'a libc::sigaction),
    /// `signal`.
    Signal,
}

// SAFETY: all zero is a valid `sigaction`: no handler, no flags, an empty mask.
pub(super) const DEFAULT: libc::sigaction = unsafe { std::mem::zeroed() };

/// The kernel's disposition of the signal.
pub(super) fn kernel(signal: c_int) -> Option<libc::sigaction> {
    let mut action = DEFAULT;
    // SAFETY: asks only.
    let known = unsafe { libc::sigaction(signal, null(), &mut action) } == 0;
    known.then_some(action)
}

/// Changes the kernel's disposition, and returns the one before.
pub(super) fn set_kernel(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    let mut before = DEFAULT;
    // SAFETY: the handler is the host's, was there before, or is what a plugin asks for.
    let set = unsafe { libc::sigaction(signal, action, &mut before) } == 0;
    set.then_some(before)
}

/// Changes it to this handler as the plugin's call would.
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
            // SAFETY: the handler is the host's, was there before, or is what a plugin asks for.
            let handler = unsafe { libc::signal(signal, handler) };
            // Where another handler was set in between, nobody says whether it takes one argument or three. A function that
            // takes one does not notice two more.
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

/// Whether the handler takes all three arguments.
pub(super) fn has_info(action: &libc::sigaction) -> bool {
    action.sa_flags & libc::SA_SIGINFO != 0
}

/// Whether both are the same in all that counts.
pub(super) fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let is_in = |action: &libc::sigaction, signal| {
        // SAFETY: a set that the system has written.
        unsafe { libc::sigismember(&action.sa_mask, signal) == 1 }
    };
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        && (1..=SIGNALS as c_int).all(|signal| is_in(one, signal) == is_in(other, signal))
}
