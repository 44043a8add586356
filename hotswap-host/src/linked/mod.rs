//! Plugins that are linked into the program, for a debugger or where nothing can be loaded.
//!
//! `cargo hotswap build --static` compiles them, and the host with them. [`linked_plugins!`](crate::linked_plugins) then names
//! them, and from there on each is a library that is open already: the same metadata, the same checks, the same order, hooks
//! and errors. What there is not: a private copy, the thread functions, the way out of memory, and reloads.
//!
//! Linked plugins and loaded ones are not mixed in one swapper: whether a reload is possible is a property of the host, not of
//! each plugin and of what imports it.
mod lend;
mod set;

pub(crate) use lend::Lent;
pub(crate) use set::{Claim, LinkedCode, LinkedSet};

/// The plugins that are linked into this program, for [`Builder::linked`](crate::Builder::linked):
/// [`linked_plugins!`](crate::linked_plugins) makes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkedPlugins(&'static [LinkedPlugin]);

impl LinkedPlugins {
    /// What `cargo hotswap build --static` writes.
    #[doc(hidden)]
    pub const fn new(plugins: &'static [LinkedPlugin]) -> Self {
        LinkedPlugins(plugins)
    }

    /// Whether there are none: the program was built to load its plugins.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Their packages, sorted.
    pub fn packages(self) -> impl ExactSizeIterator<Item = &'static str> {
        self.0.iter().map(|plugin| plugin.package)
    }
}

/// What the program itself does not know of a plugin that is linked into it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct LinkedPlugin {
    /// Its package.
    pub package: &'static str,
    /// The hash of what was linked, as hexadecimal digits.
    pub build: &'static str,
    /// The last commit that touched its sources.
    pub commit: &'static str,
    /// Whether they were changed since.
    pub dirty: bool,
    /// The crates whose live functions and types it has.
    pub crates: &'static [&'static str],
}

/// The plugins that `cargo hotswap build --static` has linked into this program, or none in any other build: then they are
/// loaded from files as ever.
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
/// It belongs into the program itself, in its `main.rs` or a module of that. In a library, which is compiled without the
/// plugins, a static build refuses it: let the program hand the list to it.
#[macro_export]
macro_rules! linked_plugins {
    () => {
        $crate::__private::linked_plugins!($crate)
    };
}
