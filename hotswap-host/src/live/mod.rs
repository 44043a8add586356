//! What keeps loaded code alive while it is used, and what takes it out of memory afterwards.
//!
//! | file | |
//! |---|---|
//! | `barrier` | what orders a pin and a switch, cheaply for the pin |
//! | [`record`] | one record a thread: the hazard slot, the destructors that plugins left on the thread |
//! | [`pin`] | the live generation, pinning it, switching it |
//! | [`objects`] | objects of plugins that others own, and who has them |
//! | [`retire`] | the way out of memory |
mod barrier;
pub(crate) mod objects;
pub(crate) mod pin;
pub(crate) mod record;
pub(crate) mod retire;
