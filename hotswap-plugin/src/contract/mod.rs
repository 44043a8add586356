//! The contract between host and plugin: every symbol, table and byte layout that one side reads of the other.
//!
//! A change to anything in this module, or to a view in [`boundary`](crate::boundary), changes [`VERSION`]. There is
//! one exception, for which prefix types exist: a field may be **appended** to [`PluginEntry`] or [`HostTable`].
//!
//! # The parts, in the order in which a host meets them
//! 1. [`metadata`]: a section of the file, read without running code. Its first part is the contract's version.
//! 2. [`shim`]: a section into which the host writes the address of its versions of some functions of the C library,
//!    before any code of the plugin runs.
//! 3. [`entry`]: the root module of `abi_stable`, whose layout the host compares, and [`PluginEntry`]: connect, describe,
//!    construct, and the hooks. [`host_table`] is the table that the host lends to the plugin then.
//! 4. [`live`]: live functions and types, in a section of their own and in a list that the plugin lends.
//! 5. [`vault`]: the generation as `on_init` sees it.
//! 6. [`ticket`]: the count of an object that has crossed, which lasts as long as the object has an owner.
//!
//! A plugin that is [`linked`] into the host's program has these parts without a file.
//!
//! # Rules that hold for every function of the contract
//! - It does not unwind: the callee catches, and returns a [`Status`](crate::boundary::Status).
//! - It passes nothing that owns memory: whatever it lends is valid until the function returns.
//! - It may be called from any thread, unless its documentation says otherwise.
pub mod entry;
pub mod host_table;
pub mod linked;
pub mod live;
pub mod metadata;
pub mod shim;
pub mod state;
pub mod ticket;
pub mod vault;

pub use entry::{ContextView, LoadDataView, Memory, PluginDesc, PluginEntry, PluginEntryRef};
pub use host_table::{HostTable, HostTableRef};
pub use live::{LIVE_SECTION, LiveCode, LiveDesc, LiveList};
pub use shim::ShimTable;
pub use ticket::Ticket;
pub use vault::VaultView;

/// The version of the contract that this crate implements. Host and plugin must have the same one.
///
/// The name of the section of live items contains it: see [`live`].
pub const VERSION: u32 = 6;
