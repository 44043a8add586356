//! What plugins put into their generation: the data bag, and the slots of extensions.
mod bag;
mod drops;
mod extension;
mod prefill;
mod state;
mod support;
