//! The queue of the demo livex, which its host owns.
pub mod queue;
