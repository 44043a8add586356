//! What is found by its name alone: live functions and types, whichever plugin of a generation they are in.
//!
//! | file | |
//! |---|---|
//! | `table` | the names of a generation |
//! | `duplicates` | two items of one name refuse a generation, before any of its code runs |
//! | `types` | what can be done with a live type |
//! | `calls` | calling by name: the host's end |
//! | `host_calls` | what plugins ask of the host through their `VaultHandle` |
mod calls;
mod duplicates;
pub(crate) mod host_calls;
mod table;
mod types;

pub use duplicates::LivePlace;
pub(crate) use duplicates::check as check_duplicates;
pub use types::LiveType;

pub(crate) use table::{LiveTable, kind_of};
