//! The targets of the host's handles in one generation, and the calls through handles.
//!
//! Unsafe code: a call reads the table without a check of the number, and casts the address in it to the type that the
//! handle was bound with.
#![allow(unsafe_code)]
use crate::instance::Instance;
use crate::instance::begun::{Begun, Keeps};
use crate::instance::made::FunctionOf;
use crate::reclaim::pin::{Pinned, Slotted};
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::describe::DynamicFn;
use hotswap_plugin::boundary::{
    AsyncSignature, CountErrors, ExportDesc, Interface, InvokeError, Object, Panicked, RawFunction,
    RawObject, Signature, call_dynamic,
};
use std::marker::PhantomData;
use std::mem::transmute;
use std::ops::Deref;
use std::ptr::null;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};
use std::sync::{Mutex, PoisonError};

/// The targets of the host's handles in one generation, in a table by the handle's number.
///
/// The table of the live generation grows while it is being read. When it is full, a larger one replaces it; the old
/// ones are kept until the generation goes.
#[derive(Default)]
pub(crate) struct Bindings {
    table: AtomicPtr<Binding>,
    len: AtomicUsize,
    tables: Mutex<Vec<Box<[Binding]>>>,
}

/// A function of a plugin, and the instance to call it with. Both are null if the plugin or the function does not
/// exist.
#[derive(Default)]
struct Binding {
    call: AtomicPtr<()>,
    this: AtomicPtr<()>,
}

/// A copy of a [`Binding`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    call: *const (),
    this: *const (),
}

// SAFETY: the addresses are only copied. `Entered` calls the function, on the thread that has the pin.
unsafe impl Send for Target {}

/// The mark of a watched target, in a bit that is clear in every address of a program.
const WATCHED: usize = 1 << (usize::BITS - 1);

impl Target {
    /// Returns true if there is nothing to call, or the target is watched. This takes as long as the first question alone.
    #[inline(always)]
    fn is_special(self) -> bool {
        (self.call.addr() as isize) <= 0
    }

    /// Marks the target as watched.
    pub(crate) fn watched(self) -> Self {
        Target {
            call: self.call.map_addr(|at| at | WATCHED),
            ..self
        }
    }

    /// Returns the target that can be called, or `None` if there is none.
    #[inline(always)]
    fn plain(self) -> Option<Self> {
        let call = self.call.map_addr(|at| at & !WATCHED);
        (!call.is_null()).then_some(Target { call, ..self })
    }

    pub(crate) const NONE: Target = Target {
        call: null(),
        this: null(),
    };

    /// The function with its own signature.
    #[inline]
    pub(crate) fn typed(function: FunctionOf<'_>) -> Self {
        Target {
            call: function.typed,
            this: function.this(),
        }
    }

    /// The function that takes values.
    pub(crate) fn by_name(function: FunctionOf<'_>) -> Self {
        Target {
            call: function.dynamic as *const (),
            this: function.by_name(),
        }
    }

    /// A function with its first argument.
    pub(crate) fn of(function: RawFunction) -> Self {
        Target {
            call: function.call,
            this: function.this,
        }
    }

    /// The function and its first argument.
    pub(crate) fn raw(self) -> RawFunction {
        RawFunction {
            call: self.call,
            this: self.this,
        }
    }

    /// The relays of an interface, with the list of functions that they lead to.
    pub(crate) fn relays(relays: *const (), list: *const ()) -> Self {
        Target {
            call: relays,
            this: list,
        }
    }

    /// Returns true if the first argument of the function is this address.
    pub(crate) fn leads_to(self, this: *const ()) -> bool {
        self.this == this
    }

    /// An export of the plugin.
    #[inline]
    pub(crate) fn export(plugin: &Instance, export: &ExportDesc) -> Self {
        Target {
            call: export.table,
            this: plugin.this(),
        }
    }
}

impl Bindings {
    /// Returns the target of the handle with this number, if this generation knows the handle.
    #[inline]
    fn get(&self, index: usize) -> Option<Target> {
        if index >= self.len.load(Acquire) {
            return None;
        }
        // SAFETY: `set` published a table with more than `index` entries before it raised the length, and tables live
        // as long as the generation.
        Some(unsafe { self.get_published(index) })
    }

    /// Returns the target of the handle with this number in the live generation, without a check that the handle is
    /// known.
    ///
    /// # Safety
    /// The binding was set before the handle was given out, and the handle has reached this thread since; or this
    /// generation was made live after that.
    #[inline(always)]
    unsafe fn get_published(&self, index: usize) -> Target {
        debug_assert!(index < self.len.load(Relaxed), "the handle is bound");
        let table = self.table.load(Acquire);
        // SAFETY: the caller guarantees that the binding was set. The entry was written before the table or the length
        // was published.
        let binding = unsafe { &*table.add(index) };
        Target {
            call: binding.call.load(Relaxed),
            this: binding.this.load(Relaxed),
        }
    }

    /// Sets the target of a handle. The number is the next one, or that of a handle that does not exist any more. The
    /// caller holds the swapper's lock of handles.
    pub(crate) fn set(&self, index: usize, target: Target) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len.load(Relaxed);
        if tables.last().is_none_or(|table| table.len() <= index) {
            let room = (2 * index).max(16);
            let mut larger: Box<[Binding]> = (0..room).map(|_| Binding::default()).collect();
            let known = tables.last().into_iter().flatten().take(len);
            for (binding, old) in larger.iter_mut().zip(known) {
                *binding = Binding {
                    call: old.call.load(Relaxed).into(),
                    this: old.this.load(Relaxed).into(),
                };
            }
            tables.push(larger);
        }
        let Some(table) = tables.last() else { return };
        table[index].call.store(target.call.cast_mut(), Relaxed);
        table[index].this.store(target.this.cast_mut(), Relaxed);
        let table = table.as_ptr().cast_mut();
        if table != self.table.load(Relaxed) {
            self.table.store(table, Release);
        }
        self.len.store(len.max(index + 1), Release);
    }
}

/// A pin under which calls are made.
pub(crate) trait CallPin {
    /// True if watched calls are counted. Calls of a generation that the host has pinned itself are not.
    const COUNTED: bool;
}

impl<T> CallPin for Slotted<'_, T> {
    const COUNTED: bool = true;
}

impl<T> CallPin for Pinned<'_, T> {
    const COUNTED: bool = true;
}

impl<T> CallPin for &T {
    const COUNTED: bool = false;
}

/// Something with a table of targets, which keeps everything that the targets lead to.
pub(crate) trait HasBindings {
    fn bindings(&self) -> &Bindings;
}

/// The kind of a handle that was bound with the signature of the `fn` type `F`.
pub(crate) struct Typed<F>(PhantomData<fn(F) -> F>);

/// The kind of a handle that was bound as an `async fn` with the signature of the `fn` type `F`.
pub(crate) struct TypedAsync<F>(PhantomData<fn(F) -> F>);

/// The kind of a handle that was bound as an export of the interface `I`.
pub(crate) struct Exported<I: ?Sized>(PhantomData<fn(&I)>);

/// The kind of a handle to a function that takes values.
pub(crate) struct ByName(());

/// The number of a handle of the kind `K`, which is bound in the generation that is live, and in each later one.
pub(crate) struct Place<K> {
    index: usize,
    kind: PhantomData<K>,
}

impl<K> Clone for Place<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Place<K> {}

impl<K> Place<K> {
    /// The number of a handle that [`Bindings::set`] has bound. The description of the handle is one of the kind `K`.
    pub(crate) fn bound(index: usize) -> Self {
        Place {
            index,
            kind: PhantomData,
        }
    }
}

/// The target of a handle of the kind `K`, and a pin `P` of the generation that it is in.
pub(crate) struct Entered<P, K> {
    pin: P,
    target: Target,
    kind: PhantomData<K>,
}

impl<P, G, K> Entered<P, K>
where
    P: Deref<Target = G>,
    G: HasBindings,
{
    /// Returns the target of the handle in a generation that need not know the handle.
    pub(crate) fn known(pin: P, place: Place<K>) -> Option<Self> {
        let target = pin.bindings().get(place.index)?.plain()?;
        Some(Entered::found(pin, target, place))
    }

    /// The target that the description of the handle has in this generation.
    #[inline(always)]
    pub(crate) fn found(pin: P, target: Target, _: Place<K>) -> Self {
        Entered {
            pin,
            target,
            kind: PhantomData,
        }
    }

    /// The pinned generation.
    pub(crate) fn generation(&self) -> &G {
        &self.pin
    }

    /// Returns the pinned generation, if watched calls under this pin are counted.
    pub(crate) fn counted_in(&self) -> Option<&G>
    where
        P: CallPin,
    {
        P::COUNTED.then_some(&self.pin)
    }
}

impl<'a, G: HasBindings, K> Entered<Slotted<'a, G>, K> {
    /// Returns the target of the handle in the live generation. A watched call is counted for `entering`.
    ///
    /// Returns `None`, and has not counted the call, if there is no target, or it is behind a gate, or the call is timed.
    #[inline(always)]
    pub(crate) fn live(pin: Slotted<'a, G>, place: Place<K>, entering: CallTarget) -> Option<Self> {
        // SAFETY: `Swapper::make_handle` binds a handle in the live generation before it makes the handle, and
        // `swapper::handles::Bound` binds it in each generation before that is live.
        let target = unsafe { pin.bindings().get_published(place.index) };
        if target.is_special() {
            // A call that is timed takes the slow path, too, where the time is taken.
            let target = target.plain()?;
            return pin
                .slot()
                .count_untimed(entering)
                .then(|| Entered::found(pin, target, place));
        }
        Some(Entered::found(pin, target, place))
    }
}

impl<'a, G, K> Entered<Slotted<'a, G>, K> {
    /// Returns the same target under the same pin.
    #[inline(always)]
    pub(crate) fn pinned(self) -> Entered<Pinned<'a, G>, K> {
        Entered {
            pin: self.pin.into_pinned(),
            target: self.target,
            kind: PhantomData,
        }
    }
}

impl<'a, G: HasBindings, K> Entered<Pinned<'a, G>, K> {
    /// Returns the target of the handle in the live generation, like [`live`](Entered::live), for a call that was not counted
    /// before. Here it is, if it is watched.
    ///
    /// # Errors
    /// The handle has no target, or it is behind a gate.
    pub(crate) fn live_aside(
        pin: Pinned<'a, G>,
        place: Place<K>,
        entering: CallTarget,
    ) -> Result<Self, Pinned<'a, G>> {
        // SAFETY: as for `live`, the handle was bound in this generation before that was live, or before the handle was
        // made.
        let target = unsafe { pin.bindings().get_published(place.index) };
        match target.plain() {
            Some(plain) => {
                if target.is_special() {
                    record::mine().slot().count_watched(entering);
                }
                Ok(Entered::found(pin, plain, place))
            }
            None => Err(pin),
        }
    }
}

impl<P, K> Entered<P, K> {
    /// The pin.
    pub(crate) fn pin(&self) -> &P {
        &self.pin
    }

    pub(crate) fn target(&self) -> Target {
        self.target
    }
}

// Each of these calls relies on the same two facts. The pin keeps the generation, which owns the instances, which own
// their libraries. And the target fits the kind: `HandleSpec` compares the description that the kind stands for with that
// of the plugin, for each generation in which it binds the handle. The functions of patches have the same signature, and the
// generation keeps them, too.
impl<P, F> Entered<P, Typed<F>> {
    /// Calls the function.
    ///
    /// # Errors
    /// The function panicked.
    // An extra call here would take a third of the time of a short call.
    #[inline(always)]
    pub(crate) fn call<A>(&self, args: A) -> Result<F::Result, Panicked>
    where
        F: Signature<A>,
    {
        // SAFETY: `HandleSpec` has compared the signature of `F`, which is an `fn` type and has no other signature, with
        // the function's. The pin keeps the library and the instance.
        unsafe { F::call(self.target.call, self.target.this, args) }
    }
}

impl<P> Entered<P, ByName> {
    /// Calls the function with values.
    ///
    /// # Errors
    /// Returns what `error` makes of the function's refusal, its own error, or its panic.
    #[inline]
    pub(crate) fn invoke<E>(
        &self,
        args: &[Value],
        error: impl FnOnce(Result<InvokeError, Panicked>) -> E,
    ) -> Result<Value, E> {
        // SAFETY: `HandleSpec` finds the target of this kind with `Target::by_name`, so it has this type. The pin keeps the
        // library and the instance.
        unsafe {
            let entry = transmute::<*const (), DynamicFn>(self.target.call);
            call_dynamic(args, |args, out| entry(self.target.this, args, out), error)
        }
    }
}

impl<P, I: Interface + ?Sized> Entered<P, Exported<I>> {
    /// Lends the object to `calls`.
    #[inline]
    pub(crate) fn lend<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> R {
        // SAFETY: `HandleSpec` has compared the description of `I` with that of the export. The pin keeps the library
        // and the instance. A proxy cannot be cloned, so none outlives this borrow.
        let proxy = I::proxy(unsafe { Object::from_raw(self.object()) });
        calls(&proxy)
    }

    /// Returns the object with a count that keeps it. The count is made under this pin. `errors` counts the object if one
    /// of its methods returns an error.
    pub(crate) fn keep<C: Keeps>(
        &self,
        errors: &'static dyn CountErrors,
        keeps: C,
    ) -> Kept<I::Proxy, C> {
        // SAFETY: `HandleSpec` has compared the description of `I` with that of the export. `keeps` keeps the library and
        // the instance. A proxy cannot be cloned or moved out of the result, so none outlives it.
        let object = unsafe { Object::from_raw(self.object()) };
        Kept {
            proxy: I::proxy(object.counting_errors(errors)),
            keeps,
        }
    }

    #[inline]
    fn object(&self) -> RawObject {
        RawObject::lent(self.target.call, self.target.this)
    }
}

impl<P, F> Entered<P, TypedAsync<F>> {
    /// Begins a call. `keeps` is made under this pin.
    ///
    /// # Errors
    /// The copying of a parameter panicked.
    #[inline]
    pub(crate) fn begin<A, C: Keeps>(
        &self,
        keeps: C,
        args: A,
    ) -> Result<Begun<F::Result, C>, Panicked>
    where
        F: AsyncSignature<A>,
    {
        // SAFETY: `HandleSpec` has compared the signature of `F`, which is an `fn` type and has no other signature, with
        // the function's. The pin keeps the library and the instance, and then `keeps` does.
        let later = unsafe { F::start(self.target.call, self.target.this, args) };
        later.map(|later| Begun::new(later, keeps))
    }

    /// Does the same with copies of the parameters.
    ///
    /// # Errors
    /// The copying of a parameter panicked.
    pub(crate) fn begin_kept<A, C: Keeps>(
        &self,
        keeps: C,
        args: &F::Kept,
    ) -> Result<Begun<F::Result, C>, Panicked>
    where
        F: AsyncSignature<A>,
    {
        // SAFETY: `HandleSpec` has compared the signature of `F`, which is an `fn` type and has no other signature, with
        // the function's. The pin keeps the library and the instance, and then `keeps` does.
        let later = unsafe { F::start_kept(self.target.call, self.target.this, args) };
        later.map(|later| Begun::new(later, keeps))
    }
}

/// A proxy of an interface, and the count that keeps its object. The proxy goes first.
pub(crate) struct Kept<Proxy, C: Keeps> {
    proxy: Proxy,
    keeps: C,
}

impl<Proxy, C: Keeps> Kept<Proxy, C> {
    pub(crate) fn keeps(&self) -> &C {
        &self.keeps
    }
}

impl<Proxy, C: Keeps> Deref for Kept<Proxy, C> {
    type Target = Proxy;

    fn deref(&self) -> &Proxy {
        &self.proxy
    }
}
