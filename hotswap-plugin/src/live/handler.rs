//! What becomes of a value that was queued.
use super::VaultHandle;
use crate::{Result, Value};

/// What a live type does with a value of it: `swapper.handle(&data)` of the host and `vault.handle(&data)` of a plugin
/// restore the value and call this, in whichever build has the type now.
///
/// It need not be declared anywhere: `#[live]` on the type finds it.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live(version = 1)]
/// struct Fire {
///     department: String,
/// }
///
/// impl Handler for Fire {
///     fn handle(self, vault: &VaultHandle) -> Result<Value> {
///         let staff = vault.invoke("roll_call", &[self.department.as_str().into()])?;
///         Ok(format!("{staff} have left").into())
///     }
/// }
/// # fn main() {}
/// ```
pub trait Handler: Sized {
    /// Deals with the value.
    ///
    /// # Errors
    /// The author's: they are those of the call that handed it over.
    fn handle(self, vault: &VaultHandle) -> Result<Value>;
}
