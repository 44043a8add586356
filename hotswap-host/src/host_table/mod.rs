//! The host's functions that a plugin may call.
mod live_calls;

use crate::load::library::Library;
use crate::load::objects;
use crate::reclaim::record;
use crate::telemetry;
use abi_stable::prefix_type::WithMetadata;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::{HostTable, HostTableRef};

/// The table of these functions. All plugins use the same one.
pub(crate) const TABLE: HostTableRef = {
    const TABLE: &WithMetadata<HostTable> = &WithMetadata::new(HostTable {
        request_reload,
        thread_index,
        live_invoke: live_calls::invoke,
        live_call: live_calls::call,
        live_handle: live_calls::handle,
        live_items: live_calls::items,
        telemetry: telemetry::TABLE,
        count_object: objects::count_object,
        count_task: objects::count_task,
    });
    HostTableRef(TABLE.static_as_prefix())
};

unsafe extern "C" fn request_reload(token: Token) {
    // SAFETY: code of the library that the token names makes this call.
    let library = unsafe { Library::of(token) };
    if let Some(owner) = library.owner().upgrade() {
        owner.request_reload(library.plugin());
    }
}

unsafe extern "C" fn thread_index(_: Token) -> u32 {
    record::mine().index()
}
