//! What keeps loaded code alive while it is used, and what takes it out of memory afterwards.
//!
//! | file | |
//! |---|---|
//! | `sync` | the types that the protocol is made of: std's, or a model checker's |
//! | `barrier` | what orders a pin and a switch, cheaply for the pin |
//! | [`record`] | one record a thread: the hazard slot, the destructors that plugins left on the thread |
//! | [`pin`] | the live generation, pinning it, switching it |
//! | [`gate`] | makes calls wait while state goes from one instance to the next |
//! | [`activity`] | what could still run code of a library |
//! | [`objects`] | objects of plugins that others own, and who has them |
//! | [`retire`] | the way out of memory |
pub(crate) mod activity;
pub(crate) mod async_waiters;
mod barrier;
pub(crate) mod gate;
pub(crate) mod objects;
pub(crate) mod pin;
pub(crate) mod record;
pub(crate) mod retire;
mod sync;
