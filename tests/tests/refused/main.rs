//! Tests that a file that cannot be loaded is refused with an error that says what to do, and that the host keeps its
//! plugins.
mod artifacts;
mod borders;
mod builds;
mod copies;
mod directories;
mod support;
