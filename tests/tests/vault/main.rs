//! Tests the data bag and the slots of extensions, which plugins fill in their generation.
mod bag;
mod drops;
mod extension;
mod prefill;
mod state;
mod support;
