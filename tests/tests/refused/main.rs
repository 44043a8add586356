//! What cannot be loaded is refused with a text that says what to do, and the host goes on with what it has.
mod artifacts;
mod borders;
mod builds;
mod copies;
mod directories;
mod support;
