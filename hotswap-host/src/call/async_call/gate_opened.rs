//! Waits at a closed gate without a thread.
//!
//! A gate is opened by the thread that closed it, or by the first thread that has waited until its limit. A future
//! cannot do the latter without a timer, so a thread does it for all futures that wait at one gate. The first of them
//! starts it. The thread also opens the gate if a hook hangs while calls wait.
use crate::base::fail_point;
use crate::reclaim::gate::Gate;
use crate::telemetry::{caught, contain, guarded};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future that is ready when the gate is open.
pub(super) struct GateOpened {
    gate: Arc<Gate>,
    number: Option<u64>,
}

impl GateOpened {
    pub(super) fn at(gate: Arc<Gate>) -> Self {
        GateOpened { gate, number: None }
    }

    /// Waits for all futures, on this thread. After a panic, the futures are polled again, and the first one starts
    /// another thread.
    fn watch(gate: &Gate) {
        let wait = || {
            fail_point::reach("hotswap-gate");
            gate.wait();
        };
        let opened = guarded("hotswap-gate", wait).is_ok();
        let waiting = {
            let mut state = gate.async_waiters().lock();
            (state.open, state.watched) = (opened, opened);
            std::mem::take(&mut state.wakers)
        };
        for waker in waiting.into_values() {
            // A waker is code of others. If one panics, the others are still woken.
            if let Err(message) = caught(|| waker.wake()) {
                contain((), || {
                    tracing::error!(target: "hotswap", "the waker of a call that has waited at a gate panicked: {message}");
                });
            }
        }
    }
}

impl Future for GateOpened {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The lock is not held here, because cloning the waker may run code of a plugin.
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
