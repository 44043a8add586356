//! What the plugins of a generation share: what is found by its name alone, whichever plugin it is in, and what they put
//! into the generation while it is made.
//!
//! | file | |
//! |---|---|
//! | `table` | the names of a generation |
//! | `duplicates` | two items of one name refuse a generation, before any of its code runs |
//! | `types` | what can be done with a live type |
//! | `bag`, `extension` | named values, and the host's structs with slots for objects |
//! | `contents` | both, of one generation |
//! | `making` | what plugins ask of the host in `on_init`, through their `Vault` |
//! | `prefill` | what the host puts there before its plugins |
mod author;
mod bag;
mod contents;
mod duplicates;
mod extension;
mod making;
mod prefill;
mod table;
mod types;

pub use bag::BagItem;
pub(crate) use contents::Contents;
pub(crate) use duplicates::check as check_duplicates;
pub(crate) use extension::Kinds as ExtensionKinds;
pub(crate) use making::Vault;
pub use prefill::Prefill;
pub(crate) use prefill::Prefills;
pub use types::LiveTypeRef;
pub(crate) use types::NO_HANDLER;

pub(crate) use table::LiveTable;
