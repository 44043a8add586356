//! GateOpened at a closed gate without a thread.
//!
//! A gate is opened by who closed it, or by the first who has waited until its limit. A future cannot do the latter
//! without a timer, so a thread does it for all that wait at one gate, begun by the first of them. It also ends what would
//! otherwise go wrong where a hook hangs while calls wait.
use crate::reclaim::gate::Gate;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Ready when the gate is open.
pub(super) struct GateOpened {
    gate: Arc<Gate>,
    number: Option<u64>,
}

impl GateOpened {
    pub(super) fn at(gate: Arc<Gate>) -> Self {
        GateOpened { gate, number: None }
    }

    /// Waits for all, on this thread.
    fn watch(gate: &Gate) {
        gate.wait();
        let waiting = {
            let mut state = gate.async_waiters().lock();
            state.open = true;
            std::mem::take(&mut state.wakers)
        };
        waiting.into_values().for_each(Waker::wake);
    }
}

impl Future for GateOpened {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Without the lock: it may be code of a plugin's.
        let waker = cx.waker().clone();
        let gate = self.gate.clone();
        let mut state = gate.async_waiters().lock();
        if state.open {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert(state.next);
        state.next = state.next.max(number + 1);
        let before = state.wakers.insert(number, waker);
        let is_first = !std::mem::replace(&mut state.watched, true);
        drop(state);
        drop(before);
        let watch = {
            let gate = gate.clone();
            move || GateOpened::watch(&gate)
        };
        let thread = || std::thread::Builder::new().name("hotswap-gate".into());
        if is_first && thread().spawn(watch).is_err() {
            GateOpened::watch(&gate);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for GateOpened {
    fn drop(&mut self) {
        let waker = self
            .number
            .and_then(|number| self.gate.async_waiters().lock().wakers.remove(&number));
        drop(waker);
    }
}
