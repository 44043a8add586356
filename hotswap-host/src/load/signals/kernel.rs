//! Reads and changes the kernel's dispositions of signals.
use crate::platform::{self, SIGNAL_FUNCTIONS};
use hotswap_plugin::contract::shim::SignalCall;
use std::ffi::c_int;

pub(super) use crate::platform::{
    DEFAULT_DISPOSITION as DEFAULT, disposition as kernel, set_disposition as set_kernel,
};

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

/// Calls one of the C library's functions that take a signal and a handler.
pub(super) fn signal(call: SignalCall, signal: c_int, handler: usize) -> usize {
    let [bsd, system_v, set] = SIGNAL_FUNCTIONS;
    let by = match call {
        SignalCall::Bsd => bsd,
        SignalCall::SystemV => system_v,
        SignalCall::Set => set,
    };
    platform::set_handler(by, signal, handler)
}

/// Changes the disposition to this handler in the way in which the plugin's call would. Returns the previous one.
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
            let handler = self::signal(SignalCall::Bsd, signal, handler);
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
    let is_in = |action: &libc::sigaction, signal| platform::is_in_set(&action.sa_mask, signal);
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        && (1..=SIGNALS as c_int).all(|signal| is_in(one, signal) == is_in(other, signal))
}
