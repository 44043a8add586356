//! Awaits methods of interfaces that plugins export.
use super::Entry;
use super::count::{LastPlace, Running};
use super::gate_opened::GateOpened;
use crate::call::interface::{Interface, contain};
use crate::error::CallError;
use crate::generation::bindings::{Exported, Kept};
use crate::handle::Handle;
use crate::handle::Missing;
use crate::instance::begun::Keeps;
use crate::reclaim::record;
use hotswap_plugin::boundary;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

impl<I: boundary::Interface + ?Sized> Interface<I> {
    /// Passes the live plugin's implementation to `calls`, and awaits the future that `calls` returns. All calls go to
    /// one generation, which is kept until the future is ready or dropped.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # use hotswap_plugin::interface;
    /// #[interface]
    /// pub trait Store: Send + Sync {
    ///     async fn put(&self, key: &str, value: String);
    ///     async fn get(&self, key: &str) -> Option<String>;
    /// }
    ///
    /// # async fn run(swapper: Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Interface<dyn Store> = swapper.interface("store")?;
    /// let found = store
    ///     .call_async(|store| async move {
    ///         store.put("a", "1".into()).await;
    ///         store.get("a").await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The future returns an error if the plugin panicked, which ends the future of `calls`, or if the plugin is not
    /// there any more.
    ///
    /// # Panics
    /// The future panics if `calls` itself, or its future, panics.
    pub fn call_async<C, F>(
        &self,
        calls: C,
    ) -> impl Future<Output = Result<F::Output, CallError>> + use<I, C, F>
    where
        C: FnOnce(InterfaceHold<I::Proxy>) -> F,
        F: Future,
    {
        let (handle, mut entered) = (self.handle.clone(), enter::<I>(&self.handle));
        async move {
            let hold = loop {
                match entered {
                    Ok(hold) => break hold,
                    Err(Ok(gate)) => gate.await,
                    Err(Err(missing)) => return Err(handle.spec.error_of(missing)),
                }
                entered = enter::<I>(&handle);
            };
            let (spec, running) = (handle.spec.clone(), hold.kept.keeps().clone());
            // The swapper is not needed any more.
            drop(handle);
            let future = contain(&spec, || running.within(|| calls(hold)))?;
            let mut future = pin!(future);
            poll_fn(|cx| {
                record::mine().run_pending_destructors();
                let poll = || running.within(|| future.as_mut().poll(cx));
                match contain(&spec, poll) {
                    Ok(polled) => polled.map(Ok),
                    Err(error) => Poll::Ready(Err(error)),
                }
            })
            .await
        }
    }
}

/// Returns the current target of the handle, or the gate to wait at, or nothing if the target is gone.
fn enter<I: boundary::Interface + ?Sized>(
    handle: &Handle<Exported<I>>,
) -> Result<InterfaceHold<I::Proxy>, Result<GateOpened, Missing>> {
    let entered = match handle.enter_or_gate() {
        Entry::Open(entered) => entered,
        Entry::Gate(gate) => return Err(Ok(GateOpened::at(gate))),
        Entry::Missing(missing) => return Err(Err(missing)),
    };
    let place = LastPlace::default().find(entered.generation(), entered.target());
    let running = Running::begin(entered.pin(), place.ok_or(Err(Missing::Gone))?);
    Ok(InterfaceHold {
        kept: entered.keep(running.errors(), Arc::new(running)),
    })
}

/// An interface of one generation, which [`Interface::call_async`] passes to its closure. It has the methods of the
/// interface. It keeps the generation, and counts as a call that has not ended.
pub struct InterfaceHold<Proxy> {
    kept: Kept<Proxy, Arc<Running>>,
}

impl<Proxy> Deref for InterfaceHold<Proxy> {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.kept
    }
}

impl<Proxy> fmt::Debug for InterfaceHold<Proxy> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterfaceHold").finish_non_exhaustive()
    }
}
