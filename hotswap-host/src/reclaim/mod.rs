//! Memory reclamation: what keeps a value, and the code that it leads to, while they are used.
//!
//! Nothing here knows of plugins. A value is pinned, held, and switched for another; code leaves destructors on threads.
//!
//! | file | |
//! |---|---|
//! | `sync` | the types that the protocol is made of: std's, or a model checker's |
//! | `barrier` | what orders a pin and a switch, cheaply for the pin |
//! | [`code`] | what has to be known of code that may leave memory |
//! | [`activity`] | counts what could still run such code |
//! | [`record`] | one record a thread: the hazard slot, and the destructors that were left on the thread |
//! | [`pin`] | the live value, pinning it, switching it |
//! | [`gate`] | makes those who come wait, while what is behind it is handed on |
//! | [`async_waiters`] | those who wait at a gate without a thread |
//! | [`look`] | the last look: whether any of the code can still run |
pub(crate) mod activity;
pub(crate) mod async_waiters;
mod barrier;
pub(crate) mod code;
pub(crate) mod gate;
pub(crate) mod look;
pub(crate) mod pin;
pub(crate) mod record;
mod sync;
