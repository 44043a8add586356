//! The links of a patched function. Each is a C function with a closure of the host behind it, and knows the function
//! that it may go on with: the link below it, or the plugin's own function.
//!
//! A link is made for one generation, since the plugin's function belongs to an instance. The closures are shared by all
//! generations that have the patch.
//!
//! Unsafe code: the C functions are called with the address of a link, and call the next function by its address. What a
//! caller calls through this module is a function with the signature of the layer's type: `stack` compares that with
//! the plugin's before it makes a link.
#![allow(unsafe_code)]
use super::calls::Calls;
use super::dispatch::{Dispatch, Dispatcher, Route};
use super::params::{Callee, Params};
use hotswap_plugin::boundary::dynamic::answer_dynamic;
use hotswap_plugin::boundary::later::answer_later;
use hotswap_plugin::boundary::{
    DynamicOut, FunctionDesc, Later, LaterView, Out, Panicked, ParamDesc, RawFunction, Return,
    Shared, Signature, SliceView, Status, TypeDesc, ValueView, raise, try_receive,
};
use std::future::poll_fn;
use std::marker::PhantomData;
use std::sync::Arc;

/// The function below a link, which has the parameters `P` and the result `R`.
pub struct Below<P, R> {
    function: RawFunction,
    signature: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for Below<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for Below<P, R> {}

impl<P: Params, R: Shared> Below<P, R> {
    /// Passes a call on, as it stands.
    ///
    /// # Safety
    /// The parameters and `out` are those of a call of the link above, which has not been answered.
    #[inline]
    pub(super) unsafe fn forward(self, cross: P::Cross, out: *mut Out<R::View>) -> Status {
        // SAFETY: the function has this signature: see the module's documentation. The caller of the link keeps the
        // generation, and with it the instance and the links below.
        unsafe { P::forward::<R>(self.function, cross, out) }
    }

    /// Calls the function with the parameters of the call.
    ///
    /// # Panics
    /// Panics if the function panicked.
    ///
    /// # Safety
    /// The parameters are those of a call of the link above, which has not returned.
    #[inline]
    pub(super) unsafe fn call(self, cross: P::Cross) -> R {
        // SAFETY: the caller guarantees the parameters, and the memory for the result is that of `try_receive`.
        let received = unsafe { try_receive::<R>(|out| self.forward(cross, out)) };
        received.unwrap_or_else(|panicked| raise(panicked.text))
    }

    /// The function, which `Next` calls with parameters of its own.
    pub(super) fn raw(self) -> RawFunction {
        self.function
    }
}

/// The function that goes on: the patch below, or the plugin's own function. A closure that is put
/// [around](crate::Patch::around) a function receives it.
pub struct Next<'a, F> {
    function: RawFunction,
    lent: PhantomData<(&'a (), fn(F) -> F)>,
}

impl<F> Next<'_, F> {
    /// Returns the function below a link whose type is `F`.
    pub(super) fn of<P: Params, R: Shared>(below: Below<P, R>) -> Self {
        Next {
            function: below.raw(),
            lent: PhantomData,
        }
    }

    /// Calls the function. The parameters are a tuple: `next.call((name, times))`.
    ///
    /// # Panics
    /// Panics if the function panicked.
    #[inline]
    pub fn call<A>(&self, args: A) -> F::Result
    where
        F: Signature<A>,
    {
        // SAFETY: the function has the signature of `F`, an `fn` type with one signature. The caller of the link keeps
        // the generation for as long as this is borrowed.
        let called = unsafe { F::call(self.function.call, self.function.this, args) };
        called.unwrap_or_else(|panicked| raise(panicked.text))
    }
}

/// What a layer does with a call of a function with the parameters `P` and the result `R`.
pub trait Kind<P: Params, R: Shared>: Send + Sync + 'static {
    /// Answers the call.
    ///
    /// # Safety
    /// The parameters and `out` come from a caller that waits and keeps `below`.
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status;
}

/// One layer of a patched function, for any generation.
pub(crate) trait Layer: Send + Sync {
    /// Links the layer to the function below it. If there is none, the layer never goes on.
    fn link(&self, below: RawFunction, names: Box<[String]>) -> Box<dyn Linked>;
    /// Returns a dispatcher for a method that the layer patches.
    fn dispatcher(&self, route: Box<dyn Route>) -> Box<dyn Dispatcher>;
    /// The number of calls that have reached it.
    fn calls(&self) -> u64;
}

/// A link, whatever its type.
pub(crate) trait Linked: Send + Sync {
    /// The C function, and the address of the link.
    fn function(&self) -> RawFunction;
    /// Describes the function with another implementation.
    fn describe(&self, shape: &Shape) -> FunctionDesc;
}

/// The name and the signature of a function.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [ParamDesc],
    pub(crate) result: &'static TypeDesc,
}

impl Shape {
    /// The names of the parameters, for the errors of calls by name.
    pub(crate) fn names(&self) -> Box<[String]> {
        let params = self.params.iter();
        params.map(|param| param.name.as_str().to_owned()).collect()
    }
}

/// A layer of the kind `K`.
pub(super) struct LayerOf<K, P, R, W> {
    kind: Arc<K>,
    calls: Arc<Calls>,
    signature: PhantomData<fn(P, W) -> R>,
}

impl<K, P, R, W> LayerOf<K, P, R, W> {
    pub(super) fn new(kind: K) -> Self {
        LayerOf {
            kind: Arc::new(kind),
            calls: Arc::default(),
            signature: PhantomData,
        }
    }
}

struct Link<K, P, R, W> {
    kind: Arc<K>,
    below: Below<P, R>,
    calls: Arc<Calls>,
    names: Box<[String]>,
    way: PhantomData<fn(W)>,
}

/// The way in which a function is called by name.
pub trait Way<K, P, R>: 'static {
    /// Describes the function. `this` is that of a link.
    ///
    /// # Safety
    /// The functions of the result are called with the address of a `Link<K, P, R, Self>` that is alive.
    #[doc(hidden)]
    unsafe fn describe(shape: &ShapeOf, typed: *const ()) -> FunctionDesc;
}

/// The same as a [`Shape`], for a public trait that nobody else implements.
pub struct ShapeOf(Shape);

/// A function that returns its result.
pub enum AtOnce {}

/// An `async fn`.
pub enum InFuture {}

impl<K: Kind<P, R>, P: Params, R: Return> Way<K, P, R> for AtOnce {
    unsafe fn describe(ShapeOf(shape): &ShapeOf, typed: *const ()) -> FunctionDesc {
        let Shape {
            name,
            params,
            result,
        } = *shape;
        // SAFETY: `typed` is the C function of the link, with the signature of the shape. Both functions are called with
        // the address of the link.
        unsafe { FunctionDesc::new(name, params, result, typed, dynamic::<K, P, R>) }
    }
}

impl<K: Kind<P, Later<T>>, P: Params, T: Return> Way<K, P, Later<T>> for InFuture {
    unsafe fn describe(ShapeOf(shape): &ShapeOf, typed: *const ()) -> FunctionDesc {
        let Shape {
            name,
            params,
            result,
        } = *shape;
        // SAFETY: `typed` is the C function of the link, with the signature of the shape. Both functions are called with
        // the address of the link.
        unsafe { FunctionDesc::new_async(name, params, result, typed, dynamic_later::<K, P, T>) }
    }
}

impl<K, P, R, W> Layer for LayerOf<K, P, R, W>
where
    K: Kind<P, R>,
    P: Params,
    R: Shared,
    W: Way<K, P, R>,
{
    fn link(&self, below: RawFunction, names: Box<[String]>) -> Box<dyn Linked> {
        Box::new(Link::<K, P, R, W> {
            kind: self.kind.clone(),
            below: Below {
                function: below,
                signature: PhantomData,
            },
            calls: self.calls.clone(),
            names,
            way: PhantomData,
        })
    }

    fn dispatcher(&self, route: Box<dyn Route>) -> Box<dyn Dispatcher> {
        Dispatch::<P, R>::boxed(route)
    }

    fn calls(&self) -> u64 {
        self.calls.get()
    }
}

impl<K, P, R, W> Linked for Link<K, P, R, W>
where
    K: Kind<P, R>,
    P: Params,
    R: Shared,
    W: Way<K, P, R>,
{
    fn function(&self) -> RawFunction {
        RawFunction {
            call: P::entry::<Self, R>(),
            this: (&raw const *self).cast(),
        }
    }

    fn describe(&self, shape: &Shape) -> FunctionDesc {
        // SAFETY: `PatchedFunction` calls it with the address of this link, which it owns in a box.
        unsafe { W::describe(&ShapeOf(*shape), self.function().call) }
    }
}

/// `this` is the address of a link.
impl<K, P, R, W> Callee<P, R> for Link<K, P, R, W>
where
    K: Kind<P, R>,
    P: Params,
    R: Shared,
{
    #[inline]
    unsafe fn called(this: *const (), cross: P::Cross, out: *mut Out<R::View>) -> Status {
        // SAFETY: the caller guarantees that this is the address of such a link, which is alive, since the caller keeps
        // the generation that owns it.
        let link = unsafe { &*this.cast::<Self>() };
        link.calls.count();
        // SAFETY: the caller guarantees the parameters and `out`, and keeps the generation, to which `below` belongs.
        unsafe { K::answer(&link.kind, link.below, cross, out) }
    }
}

/// Calls a link with the arguments of a call by name.
///
/// # Safety
/// The arguments come from a caller that waits, and `this` is the address of a link of these types.
unsafe fn called_by_name<K: Kind<P, R>, P: Params, R: Shared, W>(
    this: *const (),
    args: SliceView<ValueView>,
) -> Result<R, hotswap_plugin::boundary::InvokeError> {
    // SAFETY: the caller guarantees that `this` is the address of such a link, and that it keeps the link and the
    // arguments.
    unsafe {
        let link = &*this.cast::<Link<K, P, R, W>>();
        let owned = P::read(args, &link.names)?;
        let result: Result<R, Panicked> = P::lend(&owned, |cross| {
            try_receive::<R>(|out| Link::<K, P, R, W>::called(this, cross, out))
        });
        Ok(result.unwrap_or_else(|panicked| raise(panicked.text)))
    }
}

unsafe extern "C" fn dynamic<K: Kind<P, R>, P: Params, R: Return>(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
) -> Status {
    // SAFETY: the caller of a `DynamicFn` lends the arguments and `out`, and `this` is the address of the link that has
    // described the function.
    unsafe {
        answer_dynamic(out, || {
            called_by_name::<K, P, R, AtOnce>(this, args)?.into_dynamic()
        })
    }
}

unsafe extern "C" fn dynamic_later<K: Kind<P, Later<T>>, P: Params, T: Return>(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut Out<LaterView>,
) -> Status {
    // SAFETY: the caller of a `DynamicLaterFn` lends the arguments and `out`, and `this` is the address of the link that
    // has described the function.
    unsafe {
        answer_later(out, || {
            let mut later = called_by_name::<K, P, Later<T>, InFuture>(this, args)?;
            Ok(Later::new(async move {
                let ended = poll_fn(|cx| later.try_poll(cx)).await;
                ended
                    .unwrap_or_else(|panicked| raise(panicked.text))
                    .into_dynamic()
            }))
        })
    }
}
