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
//!
//! # Lists of statics from many crates
//! The linker lays the statics side by side, so that all of them are found without their names. On Linux, each static
//! lies in a section whose name is also a C identifier, and the linker defines symbols for its beginning and end. On
//! other systems, [`linkme`] does the same in the way of each system.
//!
//! `linkme` is not used everywhere, since it takes two lists of one name for a mistake and panics. In a program that
//! contains this crate more than once, each copy finds the items of all copies. That is right if they have one layout,
//! so the names of the sections carry the contract's version, or the layout is the same in all versions. On other
//! systems, such a program panics with `linkme`'s message when its plugins are opened.
#![allow(unsafe_code, reason = "it reads what the linker has laid side by side")]
use crate::telemetry::{self, Facades};
use abi_stable::library::{AbiHeaderRef, LibHeader};
use std::fmt;

/// Declares a list, and a function that returns it.
macro_rules! collected {
    (
        $(#[$attr:meta])*
        $vis:vis static $list:ident: [$item:ty] in $section:literal;
        $(#[$get_attr:meta])*
        $get_vis:vis fn $get:ident
    ) => {
        $(#[$attr])*
        #[doc(hidden)]
        #[cfg(not(target_os = "linux"))]
        #[linkme::distributed_slice]
        $vis static $list: [$item];

        $(#[$get_attr])*
        #[cfg(not(target_os = "linux"))]
        $get_vis fn $get() -> &'static [$item] {
            $list.static_slice()
        }

        $(#[$get_attr])*
        #[cfg(target_os = "linux")]
        $get_vis fn $get() -> &'static [$item] {
            unsafe extern "Rust" {
                #[link_name = concat!("__start_", $section)]
                static START: [$item; 0];
                #[link_name = concat!("__stop_", $section)]
                static STOP: [$item; 0];
            }
            // The section has to exist even without items. It is writable, like the sections of items, which the linker
            // relocates.
            #[used]
            #[unsafe(link_section = $section)]
            static mut NONE: [$item; 0] = [];
            let (start, stop) = (&raw const START, &raw const STOP);
            let count = (stop.addr() - start.addr()) / size_of::<$item>();
            // SAFETY: the linker lays the items, which all have one type, side by side between the two symbols.
            unsafe { std::slice::from_raw_parts(start.cast(), count) }
        }
    };
}

pub(super) use collected;

/// Puts a static into a list. Takes the name of the list's section, the list, and the static.
#[macro_export]
#[doc(hidden)]
macro_rules! __collect {
    ($section:literal, $list:path, static $name:ident: $ty:ty = $value:expr;) => {
        #[cfg_attr(target_os = "linux", used, unsafe(link_section = $section))]
        #[cfg_attr(
            not(target_os = "linux"),
            $crate::__private::linkme::distributed_slice($list)
        )]
        #[cfg_attr(not(target_os = "linux"), linkme(crate = $crate::__private::linkme))]
        static $name: $ty = $value;
    };
}

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
