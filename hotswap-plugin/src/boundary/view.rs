//! The two basic views, `StrView` and `SliceView`, and the memory for arrays of views.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
#![allow(unsafe_code, reason = "it reads views, and has the memory for them")]
use abi_stable::StableAbi;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::ptr::{NonNull, null_mut};

/// A borrowed string, without its lifetime.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct StrView {
    ptr: *const u8,
    len: usize,
}

impl StrView {
    /// Returns a view of `text`.
    #[inline]
    pub const fn new(text: &str) -> Self {
        StrView {
            ptr: text.as_ptr(),
            len: text.len(),
        }
    }

    /// Returns the string.
    ///
    /// # Safety
    /// The string that the view was made of is alive and unchanged for `'a`.
    #[inline]
    pub const unsafe fn get<'a>(self) -> &'a str {
        if self.len == 0 {
            return "";
        }
        // SAFETY: the view was made from a `&str`, which the caller guarantees to be alive for `'a`.
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
    /// A view of an empty slice.
    pub const EMPTY: Self = SliceView {
        ptr: NonNull::dangling().as_ptr(),
        len: 0,
    };

    /// Returns a view of `items`.
    #[inline]
    pub const fn new(items: &[T]) -> Self {
        SliceView {
            ptr: items.as_ptr(),
            len: items.len(),
        }
    }

    /// Returns the number of items.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns true if there are no items.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns a view of the same memory, read as items of another type.
    #[inline]
    pub(crate) const fn cast<U>(self) -> SliceView<U> {
        SliceView {
            ptr: self.ptr.cast(),
            len: self.len,
        }
    }

    /// Returns the items.
    ///
    /// # Safety
    /// The slice that the view was made of is alive and unchanged for `'a`.
    #[inline]
    pub const unsafe fn get<'a>(self) -> &'a [T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the view was made from a slice, which the caller guarantees to be alive for `'a`.
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

/// Memory for arrays of views, for the duration of one call. Collections of items that are not plain need it.
///
/// An empty arena has no memory, so a call without such a collection does not pay for it.
pub struct Arena {
    last: Cell<*mut Block>,
}

/// The header in front of each array.
struct Block {
    before: *mut Block,
    layout: Layout,
}

impl Arena {
    /// Returns an empty arena.
    #[inline]
    pub const fn new() -> Self {
        Arena {
            last: Cell::new(null_mut()),
        }
    }

    /// Returns an array of the items, which lives as long as the arena.
    ///
    /// # Panics
    /// Panics if the array would be larger than the address space.
    pub fn slice<T: Copy>(&self, items: impl ExactSizeIterator<Item = T>) -> SliceView<T> {
        let room = items.len();
        if room == 0 {
            return SliceView::EMPTY;
        }
        let array = self.room::<T>(room);
        let mut len = 0;
        // `take`, since an iterator may yield more items than it announced.
        for item in items.take(room) {
            // SAFETY: there is room for `room` items, and `len` is less than that.
            unsafe { array.add(len).write(item) };
            len += 1;
        }
        SliceView { ptr: array, len }
    }

    /// Returns a copy of the string, which lives as long as the arena.
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
        // SAFETY: the size of the layout is not zero, since it includes a `Block`.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout)
        }
        // SAFETY: the memory is fresh, and begins with room for a `Block`. The array lies at `offset` within it.
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
        // SAFETY: the list has each block once, and the block was allocated with the layout in its header.
        unsafe {
            let Block { before, layout } = block.read();
            dealloc(block.cast(), layout);
            block = before;
        }
    }
}
