//! Builds a plugin from sources that differ from the files of its package.

mod messages;
mod overlay;

pub(crate) use messages::Places;
pub(crate) use overlay::{Overlay, as_rustc};
