//! The queue of the demo `livex`, which belongs to its host.
pub mod queue;
