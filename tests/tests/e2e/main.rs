//! What users of hotswap rely on, through its public interface, with real plugins.
mod artifacts;
mod builds;
mod crossing;
mod dependencies;
mod each;
mod handles;
mod holders;
mod hook_limits;
mod interfaces;
mod isolation;
mod load;
mod objects;
mod only;
mod optional;
mod panics;
mod reload;
mod retirement;
