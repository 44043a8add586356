//! Error types. Their texts say what failed, on what, and what to do next.
mod call;
mod copy;
mod handle;
mod hook;
mod live_place;
mod names;
mod patch;
mod plugin;
mod reload;

pub use call::{CallError, InvokeError};
pub use copy::CopyError;
pub use handle::HandleError;
pub(crate) use handle::exports_instead;
pub use hook::{Hook, HookFailure};
pub use live_place::LivePlace;
pub use patch::PatchError;
pub use plugin::{PluginError, PluginErrorKind};
pub use reload::ReloadError;
