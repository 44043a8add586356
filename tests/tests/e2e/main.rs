//! What users of hotswap rely on, through its public interface, with real plugins.
mod artifacts;
mod builds;
mod crossing;
mod dependencies;
mod handles;
mod holders;
mod isolation;
mod load;
mod panics;
mod reload;
mod retirement;
