//! A plugin that is linked into its host's program: what it offers in place of the symbols and sections of a library.
//!
//! `cargo hotswap build --static` compiles each plugin with `--cfg hotswap_static`. Then `#[plugin]` emits a [`Linked`], and
//! none of what only a library of its own needs: no symbols, no thread functions, no allocator, no panic hook. The linker
//! lists them all, and the host takes those that `linked_plugins!` names. From there on such a plugin is a library that is
//! open already: its metadata is read, its layouts are compared, and its [`PluginEntry`](super::PluginEntry) is called.
//!
//! Only these tables cross, here too: cargo builds host and plugins apart, so that this crate may be in the program more than
//! once, with the features or dependencies of each.
use super::collected::collected;
use crate::telemetry::{self, Facades};
use abi_stable::library::{AbiHeaderRef, LibHeader};
use std::fmt;

collected! {
    /// All plugins that are linked into the program. An element is a pointer in every version of the contract.
    pub static HOTSWAP_LINKED: [&'static Linked] in "hotswap_linked";
    /// Those that are in the list.
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
    /// What the symbol [`ROOT_SYMBOL`](super::entry::ROOT_SYMBOL) of a library leads to.
    header: *const LibHeader,
    /// Which copies of the log crates it was built with.
    pub facades: extern "C" fn() -> Facades,
    /// Has what it logs (the first), traces (the second) go to the host: for copies that are not the host's own. Called
    /// after [`connect`](super::PluginEntry::connect).
    pub forward: extern "C" fn(log: bool, trace: bool),
}

/// `&'static [u8]`
#[repr(C)]
#[derive(Clone, Copy)]
struct Bytes {
    first: *const u8,
    len: usize,
}

// SAFETY: constants, and functions that may be called from any thread.
unsafe impl Send for Linked {}
// SAFETY: as above.
unsafe impl Sync for Linked {}

impl Bytes {
    const fn new(bytes: &'static [u8]) -> Self {
        Bytes {
            first: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    const fn get(self) -> &'static [u8] {
        // SAFETY: made of a slice, or of the constant bytes that the caller of `Linked::new` has promised.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }
}

impl Linked {
    /// A plugin of this package. `M` is the type of its metadata section.
    ///
    /// # Safety
    /// The metadata is bytes, without padding, which nobody changes. The header leads to the entry points of the plugin that
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

    /// The package that it is.
    pub fn package(&self) -> &'static str {
        str::from_utf8(self.package.get()).unwrap_or_default()
    }

    /// The bytes that a library has in its [section](super::metadata::SECTION).
    pub fn metadata(&self) -> &'static [u8] {
        self.metadata.get()
    }

    /// The library header.
    ///
    /// # Safety
    /// [`contract`](Self::contract) is this crate's version.
    pub unsafe fn header(&self) -> AbiHeaderRef {
        // SAFETY: an `AbiHeaderRef` is a pointer to the front of a `LibHeader`; see `LibHeader::from_constructor`.
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
