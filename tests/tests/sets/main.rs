//! Plugins that need each other are replaced together or not at all: what goes wrong is refused with a text that says
//! what to do, and the host keeps the plugins that it has.
mod callers;
mod calls;
mod circles;
mod fixed;
mod handles;
mod hooks;
mod mismatches;
mod names;
mod order;
mod removed;
mod support;
mod validate;
