//! Extensions: structs of slots in which plugins register objects with their host.
//!
//! The struct stands in a crate that host and plugins share. The host declares it when it is opened, a plugin fills
//! slots in `on_init`, and the host finds the objects, with their types, in the generation that it has pinned.
//!
//! ```
//! use hotswap_plugin::prelude::*;
//!
//! // In the shared crate:
//! #[interface]
//! pub trait Meow: Send + Sync {
//!     fn meow(&self, times: u32) -> String;
//! }
//!
//! #[extension]
//! pub struct Sounds {
//!     /// What cats say.
//!     pub meow: Slot<dyn Meow>,
//! }
//!
//! // In a plugin:
//! struct Tom;
//!
//! impl Meow for Tom {
//!     fn meow(&self, times: u32) -> String {
//!         "meow ".repeat(times as usize)
//!     }
//! }
//!
//! #[derive(Default)]
//! struct Cat;
//!
//! #[plugin]
//! impl Cat {
//!     fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
//!         vault.extend::<Sounds>(|sounds| sounds.meow.fill(Held::new(Tom)))?;
//!         Ok(())
//!     }
//! }
//! # Cat.on_init(&Vault::for_test()).unwrap();
//! ```
//!
//! The host is opened with `Swapper::builder().extension::<Sounds>()`, and finds them with `pin.extension::<Sounds>()`.
//!
//! # Generations
//! Each generation has an extension of its own. The objects of an instance that stays are also in the next generation.
//! A new build fills its slots again; slots that it does not fill are empty. The host drops a slot's object together
//! with the last generation that has it, so that a plugin which was replaced can leave memory. A plugin may put an
//! object of another plugin into a slot. Then the object keeps that other plugin in memory as long as it is in the
//! slot.
mod error;
mod slot;

pub use error::ExtensionError;
#[doc(hidden)]
pub use slot::AnySlot;
pub use slot::Slot;

use crate::boundary::describe::ExtensionDesc;

/// A struct of slots. `#[extension]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extension",
    label = "not an extension",
    note = "put `#[extension]` on its definition"
)]
pub trait Extension: Default + Send + Sync + 'static {
    /// The description that host and plugin compare.
    const DESC: &'static ExtensionDesc;

    /// Returns the slots, in the order of [`DESC`](Self::DESC).
    #[doc(hidden)]
    fn slots(&self) -> Vec<&dyn AnySlot>;

    /// Returns the slots, in the order of [`DESC`](Self::DESC), to be filled.
    #[doc(hidden)]
    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot>;
}
