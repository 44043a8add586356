//! Tries a set of builds in a child process first, so that what would end the host ends the child.
//!
//! The child is the host's own executable, which turns into a probe in [`init`](super::init). Its standard input is a file
//! without a name, into which the parent writes a [`Request`]. Its standard output is a socket, on which the parent says when
//! it has written that. The child answers there with a line for each step that it begins and one for the outcome. An ending
//! without an outcome is a crash.
mod parent;
mod request;

pub(super) use parent::Probe;
pub(super) use request::{Limits, Request};
use std::sync::atomic::AtomicBool;

/// The variable that makes a host a probe.
pub(super) const VARIABLE: &str = "HOTSWAP_IS_PROBE";

/// True once the program has called [`init`](super::init). Otherwise a child would run the whole program.
pub(super) static CAN_PROBE: AtomicBool = AtomicBool::new(false);
