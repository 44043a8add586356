//! What users of hotswap rely on, through its public interface, with real plugins.
mod panics;
