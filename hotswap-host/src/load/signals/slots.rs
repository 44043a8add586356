//! The code that runs when a signal arrives. It takes no lock and allocates nothing.
//!
//! A handler does not learn the address by which it was called, so each slot has functions of its own, which are given to
//! the kernel, and to plugins that ask, in place of the plugins' handlers: one for handlers with `SA_SIGINFO`, and one
//! for handlers that take only the signal.
//!
//! Unsafe code: the kernel calls these functions, and they call handlers by their addresses.
#![allow(unsafe_code)]
use std::ffi::{c_int, c_void};
use std::mem::{transmute, zeroed};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

/// The number of handlers of plugins that can be installed at a time.
pub(super) const COUNT: usize = 256;
/// The number of different dispositions below them that belong to no plugin.
pub(super) const OUTSIDERS: usize = 256;

/// The entry below a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing that could be called.
    Nothing,
    /// A slot.
    Slot(usize),
    /// A disposition that belongs to no plugin, by its place in the list.
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
    /// The number of threads that look at the slot or run its handler.
    running: AtomicUsize,
    /// The handler's address, or 0 if the slot has no handler.
    handler: AtomicUsize,
    /// True if the handler takes all three arguments. This changes only while there is no handler and none is running.
    has_info: AtomicBool,
    /// The entry that is called if there is no handler.
    below: AtomicUsize,
}

/// A disposition that belongs to no plugin. It is written once, before its place in the list is given out.
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

/// Returns the slot with this number.
pub(super) fn slot(at: usize) -> &'static Slot {
    &SLOTS[at]
}

impl Slot {
    /// Puts a handler in. The slot is free, and the caller has the lock.
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

    /// Returns true if no handler that was taken out is still running.
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

/// Writes an entry of the list that has not been given out yet.
pub(super) fn write_outsider(at: usize, handler: usize, has_info: bool) {
    LIST[at].handler.store(handler, Relaxed);
    LIST[at].has_info.store(has_info, Relaxed);
}

/// Runs the handler in the slot, or else the first one below it. If there is a disposition that is not a handler, it
/// does nothing.
///
/// There is nothing to drop in this frame, because a handler may leave it by `longjmp`, or end its thread. Then the
/// handler counts as running for ever.
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
    // Each slot is passed at most once. The bound prevents an endless loop if the host made a mistake.
    for _ in 0..=COUNT {
        match next {
            Below::Nothing => return,
            Below::Slot(at) => {
                let Some(slot) = SLOTS.get(at) else { return };
                slot.running.fetch_add(1, SeqCst);
                let handler = slot.handler.load(SeqCst);
                if handler != 0 {
                    let has_info = slot.has_info.load(Relaxed);
                    // SAFETY: a plugin has installed the handler, and `fill` has noted which arguments it takes. Its
                    // library is mapped: `signals::withdraw` lets no library leave before the slots that its handlers
                    // were taken out of are idle, and this slot is not idle, because this thread is counted in it.
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
                    // SAFETY: the handler was installed when the one above it was. As in any process, the code that
                    // installed it keeps it for as long as there are handlers that may hand signals on to it.
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
/// `handler` is a mapped handler of this kind, and the other arguments are those of [`run`].
unsafe fn call(
    handler: usize,
    has_info: bool,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    type WithInfo = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    let handler = handler as *const ();
    // SAFETY: the caller guarantees that this is the address of a handler, which is mapped, and which arguments it takes.
    // All zero is a valid `siginfo_t`.
    unsafe {
        if !has_info {
            let plain = transmute::<*const (), unsafe extern "C-unwind" fn(c_int)>(handler);
            return plain(signal);
        }
        let mut made: libc::siginfo_t = zeroed();
        made.si_signo = signal;
        // The handler above was called without one.
        let info = if info.is_null() { &raw mut made } else { info };
        let with_info = transmute::<*const (), WithInfo>(handler);
        with_info(signal, info, context);
    }
}

type WithInfo = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);
type Plain = unsafe extern "C-unwind" fn(c_int);

unsafe extern "C-unwind" fn with_info<const AT: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: these are the arguments that the kernel passes to such a handler, or a handler that hands the signal on.
    unsafe { run(AT, signal, info, context) };
}

unsafe extern "C-unwind" fn plain<const AT: usize>(signal: c_int) {
    // SAFETY: this is the argument that the kernel passes to such a handler, or a handler that hands the signal on.
    unsafe { run(AT, signal, null_mut(), null_mut()) };
}

macro_rules! row {
    ($of:ident, $from:literal) => {
        row!(@ $of, $from, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $of:ident, $from:literal, $($more:literal)*) => { [$($of::<{ $from + $more }>),*] };
}
macro_rules! rows {
    ($of:ident: $($from:literal)*) => { [$(row!($of, $from)),*] };
}

const ROWS: usize = COUNT / 16;
// These are statics, so that each function has one address.
static WITH_INFO: [[WithInfo; 16]; ROWS] =
    rows!(with_info: 0 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240);
static PLAIN: [[Plain; 16]; ROWS] =
    rows!(plain: 0 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240);

/// Returns the function of a slot, for a handler with or without `SA_SIGINFO`.
pub(super) fn function_of(slot: usize, has_info: bool) -> usize {
    match has_info {
        true => WITH_INFO.as_flattened()[slot] as usize,
        false => PLAIN.as_flattened()[slot] as usize,
    }
}

/// Returns the slot that a function belongs to, or `None` if the address is not such a function.
pub(super) fn slot_of(address: usize) -> Option<usize> {
    (0..COUNT).find(|slot| {
        [true, false]
            .map(|info| function_of(*slot, info))
            .contains(&address)
    })
}
