//! The items that the plugins of a generation share: live items, which are found by their names alone, and the values
//! and objects that plugins put into the generation while it is made.
//!
//! | module | contents |
//! |---|---|
//! | `table` | the names of the live items of a generation |
//! | `duplicates` | refuses a generation with two items of one name, before any of its code runs |
//! | `types` | the operations on a live type |
//! | `lowering` | the builds that lower live data for older ones |
//! | `bag`, `extension` | named values, and the host's structs with slots for objects |
//! | `contents` | the bag and the extensions of one generation |
//! | `making` | answers the requests of plugins in `on_init`, which they make through their `Vault` |
//! | `prefill` | the values and objects that the host puts into a generation before its plugins do |
mod author;
mod bag;
mod contents;
mod duplicates;
mod extension;
mod lowering;
mod making;
mod prefill;
mod table;
mod types;

pub use bag::BagItem;
pub(crate) use contents::Contents;
pub(crate) use duplicates::check as check_duplicates;
pub(crate) use extension::Kinds as ExtensionKinds;
pub(crate) use lowering::{CountData, Lowering, TakeBack};
pub use lowering::{DataBuild, DataType};
pub(crate) use making::Vault;
pub use prefill::Prefill;
pub(crate) use prefill::Prefills;
pub use types::LiveTypeRef;
pub(crate) use types::NO_HANDLER;

pub(crate) use table::LiveTable;
