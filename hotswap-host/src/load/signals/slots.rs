//! What runs when a signal arrives. It takes no lock and allocates nothing.
use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

/// How many handlers of plugins there can be at a time.
pub(super) const COUNT: usize = 256;
/// How many different dispositions that are no plugin's can be below them.
pub(super) const OUTSIDERS: usize = 256;

/// What is below a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing that could be called.
    Nothing,
    /// A slot.
    Slot(usize),
    /// A disposition that is no plugin's, by its place in the list.
    Outsider(usize),
}

impl Below {
    const fn to_word(self) -> usize {
        match self {
            Below::Nothing => 0,
            Below::Slot(slot) => 1 + slot,
            Below::Outsider(at) => 1 + COUNT + at,
        }
    }

    const fn from_word(word: usize) -> Self {
        match word {
            0 => Below::Nothing,
            1..=COUNT => Below::Slot(word - 1),
            _ => Below::Outsider(word - 1 - COUNT),
        }
    }
}

/// A place for one handler.
pub(super) struct Slot {
    /// Threads that look at the slot, or run its handler.
    running: AtomicUsize,
    /// The handler's address; 0 when it has none, or none any more.
    handler: AtomicUsize,
    /// Whether the handler takes all three arguments. Changes while there is no handler and nobody runs one.
    has_info: AtomicBool,
    /// What is called instead when there is no handler.
    below: AtomicUsize,
}

/// A disposition that is no plugin's. Written once, before its place in the list is given to anybody.
struct Outsider {
    handler: AtomicUsize,
    has_info: AtomicBool,
}

static SLOTS: [Slot; COUNT] = [const {
    Slot {
        running: AtomicUsize::new(0),
        handler: AtomicUsize::new(0),
        has_info: AtomicBool::new(false),
        below: AtomicUsize::new(0),
    }
}; COUNT];

static LIST: [Outsider; OUTSIDERS] = [const {
    Outsider {
        handler: AtomicUsize::new(0),
        has_info: AtomicBool::new(false),
    }
}; OUTSIDERS];

/// The slot of this number.
pub(super) fn slot(at: usize) -> &'static Slot {
    &SLOTS[at]
}

impl Slot {
    /// Puts a handler in. The slot is free, and whoever calls this has the lock.
    pub(super) fn fill(&self, handler: usize, has_info: bool) {
        self.has_info.store(has_info, Relaxed);
        self.handler.store(handler, SeqCst);
    }

    /// Takes the handler out. It may be running until [`is_idle`](Self::is_idle).
    pub(super) fn empty(&self) {
        self.handler.store(0, SeqCst);
    }

    pub(super) fn is_filled(&self) -> bool {
        self.handler.load(Relaxed) != 0
    }

    /// Whether no handler that was taken out before runs any more.
    pub(super) fn is_idle(&self) -> bool {
        self.running.load(SeqCst) == 0
    }

    pub(super) fn below(&self) -> Below {
        Below::from_word(self.below.load(Relaxed))
    }

    pub(super) fn set_below(&self, below: Below) {
        self.below.store(below.to_word(), Release);
    }
}

/// Writes an entry of the list, which nobody has been told of yet.
pub(super) fn write_outsider(at: usize, handler: usize, has_info: bool) {
    LIST[at].handler.store(handler, Relaxed);
    LIST[at].has_info.store(has_info, Relaxed);
}

/// Runs the handler in the slot, or else the first one below it. A disposition that is no handler is nothing to run.
///
/// There is nothing to drop in this frame: a handler may leave it by `longjmp`, or with its thread. Then it counts as running
/// for ever.
///
/// # Safety
/// The arguments are those of a signal handler; `info` and `context` may be null.
pub(super) unsafe fn run(
    slot: usize,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let mut next = Below::Slot(slot);
    // Each slot is passed once at most; with a bound a mistake of the host's would be no endless loop.
    for _ in 0..=COUNT {
        match next {
            Below::Nothing => return,
            Below::Slot(at) => {
                let Some(slot) = SLOTS.get(at) else { return };
                slot.running.fetch_add(1, SeqCst);
                let handler = slot.handler.load(SeqCst);
                if handler != 0 {
                    let has_info = slot.has_info.load(Relaxed);
                    // SAFETY: a handler that a plugin has installed, with the arguments that it takes. Its library is mapped:
                    // it is not closed before a slot that it was taken out of is idle, and this slot is not; see the
                    // module's documentation.
                    unsafe { call(handler, has_info, signal, info, context) };
                    slot.running.fetch_sub(1, Release);
                    return;
                }
                next = Below::from_word(slot.below.load(Acquire));
                slot.running.fetch_sub(1, Release);
            }
            Below::Outsider(at) => {
                let Some(outsider) = LIST.get(at) else { return };
                let handler = outsider.handler.load(Relaxed);
                if ![libc::SIG_DFL, libc::SIG_IGN].contains(&handler) {
                    let has_info = outsider.has_info.load(Relaxed);
                    // SAFETY: a handler that was installed when the one above it was. Who has installed it keeps it for as
                    // long as the process has handlers that may hand signals on, as ever.
                    unsafe { call(handler, has_info, signal, info, context) };
                }
                return;
            }
        }
    }
}

/// Calls a handler.
///
/// # Safety
/// It is a handler of this kind, mapped, and the other arguments are as with [`run`].
unsafe fn call(
    handler: usize,
    has_info: bool,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let handler = handler as *const ();
    if !has_info {
        // SAFETY: the caller's promise.
        let plain: unsafe extern "C-unwind" fn(c_int) = unsafe { transmute(handler) };
        // SAFETY: the caller's promise.
        unsafe { plain(signal) };
        return;
    }
    // SAFETY: all zero is a valid `siginfo_t`.
    let mut made: libc::siginfo_t = unsafe { std::mem::zeroed() };
    made.si_signo = signal;
    // The one above was called without.
    let info = if info.is_null() { &raw mut made } else { info };
    // SAFETY: the caller's promise.
    let with_info: unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
        unsafe { transmute(handler) };
    // SAFETY: the caller's promise.
    unsafe { with_info(signal, info, context) };
}
