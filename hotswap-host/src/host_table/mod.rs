//! The host's functions that a plugin may call, and the table of them.
mod live_calls;

use crate::requests;
use crate::telemetry;
use abi_stable::prefix_type::WithMetadata;
use hotswap_plugin::contract::{HostTable, HostTableRef};
use live_calls::Answers;

/// The table of these functions. All plugins use the same one.
pub(crate) const TABLE: HostTableRef = {
    const TABLE: &WithMetadata<HostTable> =
        &WithMetadata::new(requests::table::<Answers>(telemetry::TABLE));
    HostTableRef(TABLE.static_as_prefix())
};
