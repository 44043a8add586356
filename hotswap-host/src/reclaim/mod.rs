//! Memory reclamation: keeps a value, and the code that it leads to, for as long as they are used.
//!
//! Nothing here knows of plugins. A value can be pinned, held, and switched for another. Code can leave destructors on
//! threads.
//!
//! | module | contents |
//! |---|---|
//! | `sync` | the types that the protocol is made of: those of std, or those of a model checker |
//! | `barrier` | the two barriers that order a pin and a switch, and cost the pin little |
//! | [`code`] | the trait of code that may leave memory |
//! | [`activity`] | counts everything that could still run such code |
//! | [`slot`] | the hazard slot of a thread, and the words that a call touches with it |
//! | [`record`] | one record for each thread, with its slot and the destructors that were left on it |
//! | [`pin`] | the live value: pinning it and switching it |
//! | [`gate`] | makes callers wait while the state behind the gate is handed over |
//! | [`async_waiters`] | the tasks that wait at a gate without a thread |
//! | [`look`] | the last look, which decides whether any of the code can still run |
pub(crate) mod activity;
pub(crate) mod async_waiters;
mod barrier;
pub(crate) mod code;
pub(crate) mod gate;
pub(crate) mod look;
pub(crate) mod pin;
pub(crate) mod record;
pub(crate) mod slot;
mod sync;

#[cfg(test)]
mod tests;
