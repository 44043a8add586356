#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "history")]
mod history;

#[cfg(feature = "history")]
pub use history::{Entry, EntryResult, HeldSet, History, HistoryError, StoredSet, Summary};
