//! What a host lets its plugins add to: a struct of slots, each for an object with an interface.
//!
//! The struct stands in a crate that host and plugins share. The host says at the start that it has it; a plugin fills slots
//! in `on_init`; the host finds the objects, typed, in the generation that it has pinned.
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
//! Each generation has an extension of its own. What an instance put into it is in the next one as well, where the instance
//! goes on; what is replaced fills its slots anew, and where it does not, they are empty. With the last generation that has an
//! object in a slot, the host lets go of it, so that a plugin which was replaced leaves memory. An object that a plugin has
//! from another one, and puts into a slot, keeps that other one in memory as long as it is there.
mod error;
mod slot;

pub use error::ExtensionError;
#[doc(hidden)]
pub use slot::AnySlot;
pub use slot::Slot;

use crate::boundary::describe::ExtensionDesc;

/// A struct of slots. `#[extension]` implements it.
///
/// # Safety
/// [`slots`](Self::slots) and [`slots_mut`](Self::slots_mut) give the slots of [`DESC`](Self::DESC), in its order, each one
/// for the interface that is described there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extension",
    label = "not an extension",
    note = "put `#[extension]` on its definition"
)]
pub unsafe trait Extension: Default + Send + Sync + 'static {
    /// What host and plugin compare.
    const DESC: &'static ExtensionDesc;

    /// Its slots.
    #[doc(hidden)]
    fn slots(&self) -> Vec<&dyn AnySlot>;

    /// Its slots, to be filled.
    #[doc(hidden)]
    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot>;
}
