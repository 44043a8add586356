//! `Handler`, the code of a live type for a value that was saved, such as a queued job.
use super::VaultHandle;
use crate::{Result, Value};

/// The handler of a live type. `swapper.handle(&data)` of the host and `vault.handle(&data)` of a plugin restore a
/// value of the type and call its handler, in whichever build has the type now.
///
/// It need not be declared: `#[live]` on the type finds it.
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
    /// Handles the value.
    ///
    /// # Errors
    /// Returns the author's error, which the call that passed the value returns.
    fn handle(self, vault: &VaultHandle) -> Result<Value>;
}
