//! The kinds of patches: what a closure of the host does with a call.
//!
//! Unsafe code: each kind passes on what the caller of a patched function has lent.
#![allow(unsafe_code)]
use super::link::{AtOnce, Below, InFuture, Kind, Layer, LayerOf, Next, Way};
use super::original::Original;
use super::params::{Closure, ClosureWith, First, Params};
use hotswap_plugin::boundary::{Later, Out, Return, Shared, Status, answer};
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Returns a layer of a function that returns its result.
pub(super) fn layer<K, P, R>(kind: K) -> Arc<dyn Layer>
where
    K: Kind<P, R>,
    P: Params,
    R: Return,
    AtOnce: Way<K, P, R>,
{
    Arc::new(LayerOf::<K, P, R, AtOnce>::new(kind))
}

/// Returns a layer of an `async fn`.
pub(super) fn async_layer<K, P, T>(kind: K) -> Arc<dyn Layer>
where
    K: Kind<P, Later<T>>,
    P: Params,
    T: Return,
    InFuture: Way<K, P, Later<T>>,
{
    Arc::new(LayerOf::<K, P, Later<T>, InFuture>::new(kind))
}

/// Answers with what `early` returns, or passes the call on if that is nothing.
///
/// # Safety
/// The contract of [`Kind::answer`] holds.
#[inline]
unsafe fn answer_or_forward<P: Params, R: Shared>(
    early: impl FnOnce() -> Option<R>,
    below: Below<P, R>,
    cross: P::Cross,
    out: *mut Out<R::View>,
) -> Status {
    match catch_unwind(AssertUnwindSafe(early)) {
        // SAFETY: the caller guarantees the parameters and `out`, which has not been used.
        Ok(None) => unsafe { below.forward(cross, out) },
        // SAFETY: the caller guarantees `out`, which has not been used.
        Ok(Some(result)) => unsafe { answer(out, || result) },
        // SAFETY: the caller guarantees `out`, which has not been used. The panic is caught again, and reported.
        Err(payload) => unsafe { answer::<R>(out, || resume_unwind(payload)) },
    }
}

/// Runs instead of the function.
pub(super) struct Rewrite<C>(pub(super) C);

impl<C: Closure<P, R>, P: Params, R: Shared> Kind<P, R> for Rewrite<C> {
    #[inline]
    unsafe fn answer(
        this: &Arc<Self>,
        _: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe { answer(out, || this.0.run(cross)) }
    }
}

/// Runs before the function, and may answer in its place.
pub(super) struct Before<C>(pub(super) C);

impl<C: Closure<P, Option<R>>, P: Params, R: Shared> Kind<P, R> for Before<C> {
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe { answer_or_forward(|| this.0.run(cross), below, cross, out) }
    }
}

/// Answers if its guard says so.
pub(super) struct Clause<G, C>(pub(super) G, pub(super) C);

impl<G, C, P, R> Kind<P, R> for Clause<G, C>
where
    G: Closure<P, bool>,
    C: Closure<P, R>,
    P: Params,
    R: Shared,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe {
            let early = || this.0.run(cross).then(|| this.1.run(cross));
            answer_or_forward(early, below, cross, out)
        }
    }
}

/// Runs after the function, and may change its result.
pub(super) struct After<C>(pub(super) C);

/// The result that a closure receives.
pub struct Given<R>(PhantomData<R>);

impl<R: 'static> First for Given<R> {
    type As<'a> = R;
}

impl<C, P, R> Kind<P, R> for After<C>
where
    C: ClosureWith<Given<R>, P, R>,
    P: Params,
    R: Shared,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe { answer(out, || this.0.run_with(below.call(cross), cross)) }
    }
}

/// Runs around the function, whose type is `F`.
pub(super) struct Around<F, C>(pub(super) C, pub(super) PhantomData<fn(F) -> F>);

/// The function that a closure around it receives.
pub struct NextOf<F>(PhantomData<fn(F) -> F>);

impl<F: 'static> First for NextOf<F> {
    type As<'a> = Next<'a, F>;
}

impl<F, C, P, R> Kind<P, R> for Around<F, C>
where
    F: 'static,
    C: ClosureWith<NextOf<F>, P, R>,
    P: Params,
    R: Shared,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe { answer(out, || this.0.run_with(Next::of(below), cross)) }
    }
}

/// Runs instead of an `async fn`.
pub(super) struct RewriteAsync<C, Fut>(pub(super) C, pub(super) PhantomData<fn() -> Fut>);

impl<C, Fut, P, T> Kind<P, Later<T>> for RewriteAsync<C, Fut>
where
    C: Closure<P, Fut>,
    Fut: Future<Output = T> + Send + 'static,
    P: Params,
    T: Return,
{
    unsafe fn answer(
        this: &Arc<Self>,
        _: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe { answer(out, || Later::new(this.0.run(cross))) }
    }
}

/// Runs before an `async fn`, and may answer in its place.
pub(super) struct BeforeAsync<C>(pub(super) C);

impl<C, P, T> Kind<P, Later<T>> for BeforeAsync<C>
where
    C: Closure<P, Option<T>>,
    P: Params,
    T: Return + Send,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe {
            let early = || Some(Later::new(ready(this.0.run(cross)?)));
            answer_or_forward(early, below, cross, out)
        }
    }
}

/// Answers a call of an `async fn` if its guard says so.
pub(super) struct ClauseAsync<G, C, Fut>(
    pub(super) G,
    pub(super) C,
    pub(super) PhantomData<fn() -> Fut>,
);

impl<G, C, Fut, P, T> Kind<P, Later<T>> for ClauseAsync<G, C, Fut>
where
    G: Closure<P, bool>,
    C: Closure<P, Fut>,
    Fut: Future<Output = T> + Send + 'static,
    P: Params,
    T: Return,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        // SAFETY: the caller guarantees the parameters and `out`.
        unsafe {
            let early = || {
                let matches = this.0.run(cross);
                matches.then(|| Later::new(this.1.run(cross)))
            };
            answer_or_forward(early, below, cross, out)
        }
    }
}

/// Runs after an `async fn`, and may change its result.
pub(super) struct AfterAsync<C>(pub(super) C);

impl<C, P, T> Kind<P, Later<T>> for AfterAsync<C>
where
    C: ClosureWith<Given<T>, P, T>,
    P: Params<Owned: Send>,
    T: Return,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        let begin = || {
            // SAFETY: the caller guarantees the parameters, and waits.
            let (kept, later) = unsafe { (P::keep(cross), below.call(cross)) };
            let (this, (started, original)) = (this.clone(), Original::begin(later));
            Later::new(async move {
                let _started = started;
                let result = original.await;
                // SAFETY: `lend` lends copies of the parameters until the closure has returned.
                P::lend(&kept, |cross| unsafe { this.0.run_with(result, cross) })
            })
        };
        // SAFETY: the caller guarantees `out`.
        unsafe { answer(out, begin) }
    }
}

/// Runs around an `async fn`.
pub(super) struct AroundAsync<C, Fut>(pub(super) C, pub(super) PhantomData<fn() -> Fut>);

/// The call of an `async fn` that a closure around it receives.
pub struct OriginalOf<T>(PhantomData<T>);

impl<T: Return> First for OriginalOf<T> {
    type As<'a> = Original<T>;
}

impl<C, Fut, P, T> Kind<P, Later<T>> for AroundAsync<C, Fut>
where
    C: ClosureWith<OriginalOf<T>, P, Fut>,
    Fut: Future<Output = T> + Send + 'static,
    P: Params,
    T: Return,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        let begin = || {
            // SAFETY: the caller guarantees the parameters, and waits.
            let (started, original) = Original::begin(unsafe { below.call(cross) });
            // SAFETY: the caller guarantees the parameters, and waits.
            let future = unsafe { this.0.run_with(original, cross) };
            Later::new(async move {
                let _started = started;
                future.await
            })
        };
        // SAFETY: the caller guarantees `out`.
        unsafe { answer(out, begin) }
    }
}
