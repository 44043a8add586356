//! Plugins that are linked into the host's program, and what they have in place of the symbols and sections of a
//! library.
//!
//! `cargo hotswap build --static` compiles each plugin with `--cfg hotswap_static`. Then `#[plugin]` emits a
//! [`Linked`], and nothing that only a library of its own needs: no symbols, no thread functions, no allocator, and no
//! panic hook. The linker lists all of them, and the host takes those that `linked_plugins!` names. From there on, such
//! a plugin is a library that is open already: its metadata is read, its layouts are compared, and its
//! [`PluginEntry`](super::PluginEntry) is called.
//!
//! Only these tables cross here, too. Cargo builds host and plugins apart, so this crate may be in the program more
//! than once, with the features or dependencies of each.
use super::collected::collected;
use crate::telemetry::{self, Facades};
use abi_stable::library::{AbiHeaderRef, LibHeader};
use std::fmt;

collected! {
    /// All plugins that are linked into the program. An element is a pointer in every version of the contract.
    pub static HOTSWAP_LINKED: [&'static Linked] in "hotswap_linked";
    /// Returns the items of the list.
    pub fn all
}

/// A plugin that is linked into the program.
///
/// The fields before [`header`](Self::header) are the same in every version of the contract.
#[repr(C)]
pub struct Linked {
    /// [`VERSION`](super::VERSION) of the plugin's copy of this crate.
    pub contract: u32,
    package: Bytes,
    metadata: Bytes,
    /// The library header to which the symbol [`ROOT_SYMBOL`](super::entry::ROOT_SYMBOL) of a library leads.
    header: *const LibHeader,
    /// Returns which copies of the log crates the plugin was built with.
    pub facades: extern "C" fn() -> Facades,
    /// Sends the plugin's logs (if the first argument is true) and its traces (if the second is) to the host. For
    /// copies of the log crates that are not the host's own. Called after [`connect`](super::PluginEntry::connect).
    pub forward: extern "C" fn(log: bool, trace: bool),
}

/// A `&'static [u8]`, as `repr(C)`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    first: *const u8,
    len: usize,
}

// SAFETY: the fields are constants, and functions that may be called from any thread.
unsafe impl Send for Linked {}
// SAFETY: the fields are constants, and functions that may be called from several threads at once.
unsafe impl Sync for Linked {}

impl Bytes {
    const fn new(bytes: &'static [u8]) -> Self {
        Bytes {
            first: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    const fn get(self) -> &'static [u8] {
        // SAFETY: the address and length are those of a slice, or of constant bytes, as the caller of `Linked::new`
        // guarantees.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }
}

impl Linked {
    /// Returns the entry of a plugin of this package. `M` is the type of its metadata section.
    ///
    /// # Safety
    /// The metadata consists of constant bytes without padding. The header leads to the entry points of the plugin that
    /// the metadata describes.
    pub const unsafe fn new<M>(
        package: &'static str,
        metadata: &'static M,
        header: &'static LibHeader,
    ) -> Self {
        Linked {
            contract: super::VERSION,
            package: Bytes::new(package.as_bytes()),
            metadata: Bytes {
                first: (&raw const *metadata).cast(),
                len: size_of::<M>(),
            },
            header,
            facades: telemetry::facades,
            forward: telemetry::forward,
        }
    }

    /// Returns the name of the plugin's package.
    pub fn package(&self) -> &'static str {
        str::from_utf8(self.package.get()).unwrap_or_default()
    }

    /// Returns the bytes that a library has in its [section](super::metadata::SECTION).
    pub fn metadata(&self) -> &'static [u8] {
        self.metadata.get()
    }

    /// Returns the library header.
    ///
    /// # Safety
    /// [`contract`](Self::contract) is the version of this crate's contract.
    pub unsafe fn header(&self) -> AbiHeaderRef {
        // SAFETY: an `AbiHeaderRef` is a pointer to the front of a `LibHeader`: see `LibHeader::from_constructor`. The
        // caller guarantees that the header has this crate's layout.
        unsafe { std::mem::transmute(self.header) }
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked")
            .field("package", &self.package())
            .finish_non_exhaustive()
    }
}
