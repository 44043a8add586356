//! The plugin's allocator: the system's allocator, with a count of the memory in use.
//!
//! # Why it is correct and cheap
//! The host gives each living thread a number ([`thread_index`]), and so each has a counter here that it alone writes:
//! with a load and a store, without a locked instruction. A counter may go below zero, since one thread frees what
//! another allocated. Only the sum has a meaning. Threads with a number beyond the table share the last counter, with
//! locked additions, which is slower.
//!
//! The number lies in a const thread-local without a destructor. So it can be read while a thread ends, and while the
//! registration of a destructor allocates.
//!
//! # The buffer of stdout
//! std allocates a buffer when stdout is first used, which may be the flush before the library leaves memory, and never
//! frees it. While a thread flushes, its number is one that makes it allocate aside, where the buffer is noted for the
//! host to free. So no other allocation has anything more to do.
//!
//! [`thread_index`]: crate::contract::HostTable::thread_index
#![allow(unsafe_code, reason = "it is the plugin's global allocator")]
use crate::contract::{Memory, Remains};
use crate::host;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, AtomicPtr, Ordering::Relaxed};

/// The number of counters. The threads with the first numbers have one each, and all others share the last one.
const COUNTERS: usize = 256;
const SHARED: u32 = COUNTERS as u32 - 1;

#[repr(align(128))]
struct Counter {
    bytes: AtomicI64,
    blocks: AtomicI64,
}

static TABLE: [Counter; COUNTERS] = [const {
    Counter {
        bytes: AtomicI64::new(0),
        blocks: AtomicI64::new(0),
    }
}; COUNTERS];

const UNKNOWN: u32 = u32::MAX;
/// In place of its number, what a thread has while it flushes stdout.
const FLUSHING: u32 = UNKNOWN - 1;

thread_local! {
    static MINE: Cell<u32> = const { Cell::new(UNKNOWN) };
}

/// The layout of the buffer that std allocates for stdout. If another version of std has another one, the buffer stays
/// allocated.
const BUFFER: Layout = Layout::new::<[u8; 1024]>();

/// The buffer, if it was allocated during a flush.
static BUFFERED: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// Counts, and calls [`System`].
pub struct Counting;

#[inline]
fn count(bytes: i64, blocks: i64) {
    let mine = MINE.get();
    if mine < SHARED {
        let counter = &TABLE[mine as usize];
        counter
            .bytes
            .store(counter.bytes.load(Relaxed) + bytes, Relaxed);
        counter
            .blocks
            .store(counter.blocks.load(Relaxed) + blocks, Relaxed);
    } else {
        count_shared(mine, bytes, blocks);
    }
}

/// Runs `flush`, which returns true if it did not panic, and returns the buffer of stdout if it was allocated meanwhile.
///
/// A flush that does not panic runs no code but std's, and what std allocates there, it keeps. A panic runs the author's
/// hook, which may allocate and free a block of that size. Then nothing is returned.
pub fn flushing(flush: impl FnOnce() -> bool) -> Remains {
    let mine = MINE.replace(FLUSHING);
    let is_whole = flush();
    MINE.set(mine);
    let buffer = BUFFERED.swap(null_mut(), Relaxed);
    Remains {
        at: if is_whole { buffer } else { null_mut() },
        size: BUFFER.size(),
        align: BUFFER.align(),
    }
}

/// # Safety
/// As for [`GlobalAlloc::alloc`].
#[cold]
unsafe fn alloc_aside(layout: Layout) -> *mut u8 {
    let mine = MINE.get();
    count_shared(mine, layout.size() as i64, 1);
    // SAFETY: the caller guarantees the same.
    let at = unsafe { System.alloc(layout) };
    if mine == FLUSHING && layout == BUFFER {
        BUFFERED.store(at, Relaxed);
    }
    at
}

#[cold]
fn count_shared(mine: u32, bytes: i64, blocks: i64) {
    if mine == UNKNOWN
        && let Some(index) = host::thread_index()
    {
        MINE.set(index.min(SHARED));
    }
    TABLE[SHARED as usize].bytes.fetch_add(bytes, Relaxed);
    TABLE[SHARED as usize].blocks.fetch_add(blocks, Relaxed);
}

// SAFETY: every request goes to `System` unchanged. Counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if MINE.get() >= SHARED {
            // SAFETY: the caller of this function keeps the contract of `alloc`, which is the same.
            return unsafe { alloc_aside(layout) };
        }
        count(layout.size() as i64, 1);
        // SAFETY: the caller of this function keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64, 1);
        // SAFETY: the caller of this function keeps the contract of `alloc_zeroed`, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as i64), -1);
        // SAFETY: the caller of this function keeps the contract of `dealloc`, which is the same.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64, 0);
        // SAFETY: the caller of this function keeps the contract of `realloc`, which is the same.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Returns the memory in use. `counted` is false if the plugin has another allocator.
pub fn memory() -> Memory {
    let sum = |of: fn(&Counter) -> &AtomicI64| {
        TABLE
            .iter()
            .map(|counter| of(counter).load(Relaxed))
            .sum::<i64>()
            .max(0) as u64
    };
    let (bytes, blocks) = (sum(|c| &c.bytes), sum(|c| &c.blocks));
    Memory {
        bytes,
        blocks,
        counted: blocks != 0,
    }
}

/// Makes [`Counting`] the allocator of the crate that uses this macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __allocator {
    () => {
        #[global_allocator]
        static HOTSWAP_ALLOCATOR: $crate::expand::alloc::Counting = $crate::expand::alloc::Counting;
    };
}
