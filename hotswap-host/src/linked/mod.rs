//! Plugins that are linked into the program, for a debugger, or where nothing can be loaded.
//!
//! `cargo hotswap build --static` compiles them and the host. [`linked_plugins!`](crate::linked_plugins) then lists
//! them, and from there on each is treated as a library that is already open: it has the same metadata, checks, order,
//! hooks, and errors. It has no private copy, no thread functions, and no way out of memory, and it cannot be reloaded.
//!
//! A swapper has either linked or loaded plugins, and never both. Whether a reload is possible is a property of the
//! host, and not of each plugin and its imports.
mod lend;
mod set;

pub(crate) use lend::Lent;
pub(crate) use set::{Claim, LinkedCode, LinkedSet};

/// The plugins that are linked into this program, for [`Builder::linked`](crate::Builder::linked).
/// [`linked_plugins!`](crate::linked_plugins) makes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkedPlugins(&'static [LinkedPlugin]);

impl LinkedPlugins {
    /// Makes the list that `cargo hotswap build --static` writes.
    #[doc(hidden)]
    pub const fn new(plugins: &'static [LinkedPlugin]) -> Self {
        LinkedPlugins(plugins)
    }

    /// Returns true if there are none, because the program was built to load its plugins.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The packages of the plugins, sorted.
    pub fn packages(self) -> impl ExactSizeIterator<Item = &'static str> {
        self.0.iter().map(|plugin| plugin.package)
    }
}

/// The properties of a linked plugin that the program itself does not know.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct LinkedPlugin {
    /// The package.
    pub package: &'static str,
    /// The hash of the linked code, as hexadecimal digits.
    pub build: &'static str,
    /// The last commit that changed its sources.
    pub commit: &'static str,
    /// True if the sources had changes that were not committed.
    pub dirty: bool,
    /// The crates whose live functions and types the plugin has.
    pub crates: &'static [&'static str],
}

/// Returns the plugins that `cargo hotswap build --static` has linked into this program. In any other build there are
/// none, and plugins are loaded from files as usual.
///
/// ```no_run
/// use hotswap_host::{Swapper, linked_plugins};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let swapper = Swapper::builder().linked(linked_plugins!()).open()?;
/// if swapper.is_static() {
///     println!("a restart, not a reload, replaces these plugins");
/// }
/// # Ok(())
/// # }
/// ```
///
/// Call it in the program itself, in its `main.rs` or a module of it. A library is compiled without the plugins, so a
/// static build refuses the call there; let the program pass the list to the library.
#[macro_export]
macro_rules! linked_plugins {
    () => {
        $crate::__private::linked_plugins!($crate)
    };
}
