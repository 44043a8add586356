//! Calls whose result comes later: `async fn`s of plugins, awaited by the host.
//!
//! | file | |
//! |---|---|
//! | `count` | what keeps a build while a call of it has not ended, and names the call |
//! | `gate_opened` | waiting at a closed gate without a thread |
//! | `calling` | the future of a call |
//! | `function`, `interface`, `invoke` | calling through the handles of the host's, and by name |
//!
//! # A call, from its begin to its end
//! It begins where it is made, not where it is polled first: with a pin of the live generation, under which the plugin's
//! function copies its parameters and makes the future, and the call is counted in the generation. Then the pin ends, and
//! the count keeps the generation, whose instances and libraries stay. It ends when the future is ready, has panicked, or is
//! dropped: the plugin's future is dropped first, and then the count.
//!
//! So a future may be dropped at any time, from any thread, moved between threads, and awaited across any number of swaps;
//! forgotten, it keeps its build for ever, and is named. It needs neither the swapper nor a handle.
//!
//! # Gates
//! A call that has not ended is a call of its plugin, also while nobody polls it: who closes a gate before that plugin
//! waits for it. A new call finds the gate closed, keeps copies of its arguments, and begins when the gate is open; it
//! does not hold up the thread. Only one thread waits for all such calls. What is called *by* an unfinished call, where that
//! is polled, is let in.
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
use crate::generation::bindings::Target;
use crate::handle::Handle;
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use std::sync::Arc;

/// What a call finds that is about to begin.
enum Entry<'h> {
    /// The live generation, and what the handle means there.
    Open(Pinned<'h, Generation>, Target),
    /// A gate that it has to wait at.
    Gate(Arc<Gate>),
    /// Nothing: it is not there any more.
    Gone,
}

impl Handle {
    /// Pins the live generation, to call what the handle means there, unless that is behind a closed gate.
    fn enter_or_gate(&self) -> Entry<'_> {
        let pinned = self.inner.live().enter(self.call_target);
        // SAFETY: the binding was set before this handle was made.
        let target = unsafe { pinned.bindings.get_published(self.index) };
        if !target.call.is_null() {
            return Entry::Open(pinned, target);
        }
        match &pinned.gate {
            None => Entry::Gone,
            Some(gate) if gate.stops(self.call_target) => Entry::Gate(gate.clone()),
            Some(_) => match self.spec.resolve(&pinned) {
                Ok((target, _)) => Entry::Open(pinned, target),
                Err(_) => Entry::Gone,
            },
        }
    }
}
