//! Tests that plugins that import each other are replaced together or not at all: a set with a fault is refused with an
//! error that says what to do, and the host keeps its plugins.
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
