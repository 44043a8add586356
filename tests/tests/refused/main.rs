//! What cannot be loaded is refused with a text that says what to do, and the host keeps the plugins that it has.
mod artifacts;
mod borders;
mod builds;
mod copies;
mod directories;
mod support;
