//! Tries a set of builds in a child process first, so that what would end the host ends the child.
//!
//! The child is the host's own executable, which turns into a probe in [`init`]. Both speak over a socket, which is the
//! child's standard input: the parent sends a [`Request`], and the child answers with a line for each step that it begins
//! and one for the outcome. An ending without an outcome is a crash.
mod child;
mod parent;
mod request;

use super::builder::Builder;
use crate::environment::text_of;
pub(super) use parent::probe;
use request::Request;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The variable that makes a host a probe.
const VARIABLE: &str = "HOTSWAP_IS_PROBE";

/// True once the program has called [`init`]. Otherwise a child would run the whole program.
static CAN_PROBE: AtomicBool = AtomicBool::new(false);

/// Has to be the first line of the `main` of a host whose [options](crate::ReloadOptions) ask for a probe.
///
/// A probe is this program, started once more, which loads the new builds and ends. In such a process this function does
/// not return. Otherwise it does nothing.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # use hotswap_host::ReloadOptions;
/// fn main() -> Result<(), ReloadError> {
///     hotswap_host::init();
///     let mut options = ReloadOptions::production();
///     options.probe = true;
///     let swapper = Swapper::builder().reload_options(options).open()?;
///     // …
/// #   Ok(())
/// }
/// ```
pub fn init() {
    init_with(|builder| builder);
}

/// Does the same as [`init`] for a host that provides objects or extensions: `settings` gives the probe what plugins need
/// in order to load. It may provide other objects than the host does, which have no effect on anything.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # use std::sync::Arc;
/// fn main() {
///     hotswap_host::init_with(|probe| probe.load_data("nothing is real here".to_owned()));
///     // …
/// }
/// ```
pub fn init_with(settings: impl FnOnce(Builder) -> Builder) {
    CAN_PROBE.store(true, Relaxed);
    if text_of(VARIABLE).is_some() {
        child::run(settings(Builder::new()));
    }
}
