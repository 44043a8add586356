//! The two views that everything else is made of, and the memory for arrays of views.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use abi_stable::StableAbi;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::ptr::{NonNull, null_mut};

/// A borrowed text, without its lifetime.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct StrView {
    ptr: *const u8,
    len: usize,
}

impl StrView {
    /// A view of `text`.
    #[inline]
    pub const fn new(text: &str) -> Self {
        StrView {
            ptr: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The text.
    ///
    /// # Safety
    /// What the view was made of is alive and unchanged for `'a`.
    #[inline]
    pub const unsafe fn get<'a>(self) -> &'a str {
        if self.len == 0 {
            return "";
        }
        // SAFETY: made from a `&str` that is still valid, by the caller's promise.
        unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.ptr, self.len)) }
    }
}

impl fmt::Debug for StrView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrView")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// A borrowed slice, without its lifetime.
#[repr(C)]
pub struct SliceView<T> {
    ptr: *const T,
    len: usize,
}

impl<T> Clone for SliceView<T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for SliceView<T> {}

impl<T> SliceView<T> {
    /// A view of nothing.
    pub const EMPTY: Self = SliceView {
        ptr: NonNull::dangling().as_ptr(),
        len: 0,
    };

    /// A view of `items`.
    #[inline]
    pub const fn new(items: &[T]) -> Self {
        SliceView {
            ptr: items.as_ptr(),
            len: items.len(),
        }
    }

    /// How many items there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The same memory, read as items of another type.
    #[inline]
    pub(crate) const fn cast<U>(self) -> SliceView<U> {
        SliceView {
            ptr: self.ptr.cast(),
            len: self.len,
        }
    }

    /// The items.
    ///
    /// # Safety
    /// What the view was made of is alive and unchanged for `'a`.
    #[inline]
    pub const unsafe fn get<'a>(self) -> &'a [T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: made from a slice that is still valid, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl<T> fmt::Debug for SliceView<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceView")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Memory for the arrays of views that a collection of things which are not plain needs, for as long as one call.
///
/// An empty arena has no memory: a call without such a collection pays nothing for it.
pub struct Arena {
    last: Cell<*mut Block>,
}

/// In front of each array.
struct Block {
    before: *mut Block,
    layout: Layout,
}

impl Arena {
    /// An empty arena.
    #[inline]
    pub const fn new() -> Self {
        Arena {
            last: Cell::new(null_mut()),
        }
    }

    /// An array of the items, alive as long as the arena.
    ///
    /// # Panics
    /// When the array would be larger than the address space.
    pub fn slice<T: Copy>(&self, items: impl ExactSizeIterator<Item = T>) -> SliceView<T> {
        let room = items.len();
        if room == 0 {
            return SliceView::EMPTY;
        }
        let array = self.room::<T>(room);
        let mut len = 0;
        // `take`, since an iterator may give more items than it said.
        for item in items.take(room) {
            // SAFETY: there is room for `room` items, and `len` is below that.
            unsafe { array.add(len).write(item) };
            len += 1;
        }
        SliceView { ptr: array, len }
    }

    /// A copy of the text, alive as long as the arena.
    pub fn text(&self, text: &str) -> StrView {
        let bytes = self.slice(text.as_bytes().iter().copied());
        StrView {
            ptr: bytes.ptr,
            len: bytes.len,
        }
    }

    fn room<T>(&self, len: usize) -> *mut T {
        let (layout, offset) = Layout::array::<T>(len)
            .and_then(|array| Layout::new::<Block>().extend(array))
            .expect("an array of views larger than the address space");
        // SAFETY: the layout has the size of a `Block` at least.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout)
        }
        // SAFETY: fresh memory, which begins with room for a `Block`; the array lies at `offset` within it.
        unsafe {
            block.cast::<Block>().write(Block {
                before: self.last.get(),
                layout,
            });
            self.last.set(block.cast());
            block.add(offset).cast()
        }
    }
}

impl Default for Arena {
    fn default() -> Self {
        Arena::new()
    }
}

impl Drop for Arena {
    #[inline]
    fn drop(&mut self) {
        if !self.last.get().is_null() {
            free(self.last.get());
        }
    }
}

#[cold]
fn free(mut block: *mut Block) {
    while !block.is_null() {
        // SAFETY: the list holds each block once; it was allocated with the layout it carries.
        unsafe {
            let Block { before, layout } = block.read();
            dealloc(block.cast(), layout);
            block = before;
        }
    }
}
