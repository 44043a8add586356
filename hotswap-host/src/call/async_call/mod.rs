//! Calls whose result comes later: the host awaits `async fn`s of plugins.
//!
//! | module | contents |
//! |---|---|
//! | `count` | counts calls that have not ended; the count keeps their build and names them. Errors of watched calls are counted there, too |
//! | `gate_opened` | waits at a closed gate without a thread |
//! | `calling` | the future of a call |
//! | `function`, `interface`, `invoke` | calls through the host's handles, and by name |
//!
//! # The life of a call
//! A call begins where it is made, not where it is first polled. Under a pin of the live generation, the plugin's
//! function copies its parameters and makes the future, and the call is counted in the generation. Then the pin ends,
//! and the count keeps the generation with its instances and libraries. The call ends when the future is ready, has
//! panicked, or is dropped: first the plugin's future is dropped, and then the count goes down.
//!
//! So a future may be dropped at any time, on any thread, moved between threads, and awaited across any number of
//! swaps. A forgotten future keeps its build for ever, and is named. A future needs neither the swapper nor a handle.
//!
//! # Gates
//! A call that has not ended is a call of its plugin, even while it is not being polled: a thread that closes a gate in
//! front of that plugin waits for it. A new call that finds the gate closed keeps copies of its arguments, and begins
//! when the gate is open. It does not block its thread. One thread waits for all such calls. A call that an unfinished
//! call makes while it is polled is let in.
mod calling;
mod count;
mod function;
mod gate_opened;
mod interface;
mod invoke;

pub use calling::Calling;
pub use function::{
    AsyncCall0, AsyncCall1, AsyncCall2, AsyncCall3, AsyncCall4, AsyncCall5, AsyncCall6, AsyncCall7,
    AsyncCall8, AsyncFunction,
};
pub use interface::InterfaceHold;

use crate::generation::Generation;
use crate::generation::bindings::Entered;
use crate::handle::{Handle, Missing};
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use std::sync::Arc;

/// The state of things that a call finds when it is about to begin.
enum Entry<'h, K> {
    /// The handle's target in the live generation.
    Open(Entered<Pinned<'h, Generation>, K>),
    /// A gate that the call has to wait at.
    Gate(Arc<Gate>),
    /// There is no target.
    Missing(Missing),
}

impl<K> Handle<K> {
    /// Pins the live generation to call the handle's target, unless that is behind a closed gate.
    fn enter_or_gate(&self) -> Entry<'_, K> {
        // The times of async calls are not taken, because most of them are waits.
        let pinned = self.inner.live().enter(self.call_target);
        let pinned = match Entered::live_aside(pinned, self.place, self.call_target) {
            Ok(entered) => return Entry::Open(entered),
            Err(pinned) => pinned,
        };
        match &pinned.gate {
            None => Entry::Missing(self.spec.missing(&pinned)),
            Some(gate) if gate.stops(self.call_target) => Entry::Gate(gate.clone()),
            Some(_) => match self.spec.target(&pinned) {
                Ok(target) => {
                    pinned.count(self.call_target);
                    Entry::Open(Entered::found(pinned, target, self.place))
                }
                Err(missing) => Entry::Missing(missing),
            },
        }
    }
}
