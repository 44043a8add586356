//! Calls of plugins through the host's handles.
pub(crate) mod async_call;
pub(crate) mod function;
pub(crate) mod interface;
pub(crate) mod signature;
