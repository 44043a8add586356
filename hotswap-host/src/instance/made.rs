//! The calls of a plugin through its tables: its hooks, its functions by name, and the operations on its live types.
//!
//! A plugin's code is called only through a [`Made`] that is borrowed, or through what borrows it. The owner of a `Made`
//! therefore knows that nothing calls it: a generation, an import, and a call each keep an `Arc` of its instance, or
//! borrow what does.
//!
//! Unsafe code: the tables consist of C functions, whose contracts are in `hotswap_plugin::contract`.
#![allow(unsafe_code)]
use super::begun::{Begun, Keeps};
use crate::error::{Hook, HookFailure};
use crate::load::loaded::Loaded;
use crate::platform;
use crate::saved_state::SavedState;
use hotswap_plugin::boundary::{
    Arena, Arg, DynamicOut, DynamicResult, Error, ExportDesc, FunctionDesc, InvokeError, Panicked,
    RawFunction, RawObject, Sink, SliceView, Status, StrView, ValueView, call_dynamic, try_receive,
};
use hotswap_plugin::contract::host_table::{RawArgs, RawOut};
use hotswap_plugin::contract::live::{Handled, HandledOut, LentData, LiveTypeDesc};
use hotswap_plugin::contract::state::{StateSink, StateView};
use hotswap_plugin::contract::{ContextView, LiveCode, LoadDataView, VaultView};
use hotswap_plugin::live_data::Saved;
use hotswap_plugin::{LiveData, Value};
use std::ops::Deref;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// A plugin whose constructor has run. [`destroy`](Self::destroy) frees it; dropping it leaks the instance.
pub(crate) struct Made {
    loaded: Loaded,
    this: This,
    phase: AtomicU8,
}

/// The instance, which is passed to the plugin's functions.
struct This(*mut ());

// SAFETY: `#[plugin]` requires `Send + Sync` of the type behind the pointer.
unsafe impl Send for This {}
// SAFETY: `#[plugin]` requires `Send + Sync` of the type behind the pointer.
unsafe impl Sync for This {}

/// No generation with the instance has been live.
const EARLY: u8 = 0;
/// One of the hooks runs that need an early instance.
const IN_EARLY_HOOK: u8 = 1;
/// A generation with the instance is or was live.
const LIVE: u8 = 2;

impl Loaded {
    /// Returns true if this build may be replaced later.
    ///
    /// # Errors
    /// The hook panicked.
    pub(crate) fn reloadable(&self, cx: &ContextView<'_>) -> Result<bool, HookFailure> {
        let (reloadable, mut answer) = (self.tables.entry().reloadable(), true);
        // SAFETY: the context and the answer are borrowed for the call, and `collect` has made the sink for it.
        self.run(Hook::Reloadable, |sink| unsafe {
            reloadable(cx, &mut answer, sink)
        })?;
        Ok(answer)
    }
}

impl Loaded {
    /// Returns the live item with this number, if it is a type. Its functions need no instance.
    pub(crate) fn live_type(&self, index: usize) -> Option<LiveTypeOf<'_>> {
        match self.live.get(index)?.code {
            LiveCode::Type(desc) => Some(LiveTypeOf { desc }),
            LiveCode::Function(_) => None,
        }
    }
}

impl Made {
    /// Runs the constructor. `objects` are in the order of the plugin's imports.
    ///
    /// # Errors
    /// The constructor returned an error or panicked.
    pub(super) fn construct(
        loaded: Loaded,
        cx: &ContextView<'_>,
        objects: &[RawObject],
    ) -> Result<Made, Box<(Loaded, HookFailure)>> {
        let mut this = null_mut();
        // SAFETY: `swapper::reload::bind` has compared the interfaces of the objects with the descriptions of the
        // imports, and `Uses` keeps what they belong to.
        let run = loaded.run(Hook::New, |sink| unsafe {
            loaded.tables.entry().construct()(cx, objects.into(), &mut this, sink)
        });
        match run {
            Ok(()) => Ok(Made {
                loaded,
                this: This(this),
                phase: AtomicU8::new(EARLY),
            }),
            Err(failure) => Err(Box::new((loaded, failure))),
        }
    }

    /// The plugin without its instance.
    pub(crate) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The pointer with which the plugin's functions are called.
    pub(crate) fn this(&self) -> *const () {
        self.this.0
    }

    /// Returns the functions of an export of the plugin, in the order of its methods, each with the instance.
    pub(crate) fn methods_of(&self, export: &ExportDesc) -> Vec<RawFunction> {
        let table = export.table.cast::<*const ()>();
        let methods = 0..export.interface.methods.len();
        methods
            .map(|method| RawFunction {
                // SAFETY: the table of an interface is `repr(C)`, with one function pointer for each method, and constant.
                // The plugin that describes it is borrowed.
                call: unsafe { *table.add(method) },
                this: self.this(),
            })
            .collect()
    }

    /// Notes that a generation with the instance is about to be live, so that anything may call it.
    ///
    /// # Panics
    /// Panics while a hook runs that needs an early instance. A generation whose hooks have not returned is refused.
    pub(crate) fn goes_live(&self) {
        let before = self.phase.swap(LIVE, SeqCst);
        assert_ne!(before, IN_EARLY_HOOK, "its hooks have returned");
    }

    /// Runs a hook during which only the instances that import this one, and the threads that they have started, may use
    /// the instance. No other such hook runs at the same time, and none runs once a generation with the instance was
    /// live. A check of a reload borrows a generation that is not live, and has returned before the next hook begins.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    fn run_early(
        &self,
        hook: Hook,
        call: impl FnOnce(*mut (), Sink) -> Status,
    ) -> Result<(), HookFailure> {
        struct Early<'m>(&'m AtomicU8);
        impl Drop for Early<'_> {
            fn drop(&mut self) {
                let _ = self
                    .0
                    .compare_exchange(IN_EARLY_HOOK, EARLY, SeqCst, SeqCst);
            }
        }
        let begun = self
            .phase
            .compare_exchange(EARLY, IN_EARLY_HOOK, SeqCst, SeqCst);
        if begun.is_err() {
            let reason = "not begun, because the plugin is live, or another of its hooks runs";
            return Err(self.loaded.failure(hook, false, reason.into()));
        }
        let _early = Early(&self.phase);
        self.loaded.run(hook, |sink| call(self.this.0, sink))
    }

    /// Runs `on_load`.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn on_load(&self, data: &LoadDataView) -> Result<(), HookFailure> {
        let on_load = self.loaded.tables.entry().on_load();
        // SAFETY: `run_early` makes sure that only importing instances and their threads use the instance. `LoadDataBox`
        // lends the data for the call.
        self.run_early(Hook::OnLoad, |this, sink| unsafe {
            on_load(this, data, sink)
        })
    }

    /// Runs `on_init`.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn on_init(&self, vault: &VaultView<'_>) -> Result<(), HookFailure> {
        let on_init = self.loaded.tables.entry().on_init();
        // SAFETY: `run_early` makes sure that only importing instances and their threads use the instance. The vault is
        // borrowed for the call.
        self.run_early(Hook::OnInit, |this, sink| unsafe {
            on_init(this, vault, sink)
        })
    }

    /// Runs `on_start`.
    ///
    /// # Errors
    /// The hook panicked.
    pub(crate) fn on_start(&self) -> Result<(), HookFailure> {
        self.run_shared(Hook::OnStart, self.loaded.tables.entry().on_start())
    }

    /// Runs `on_stop`.
    ///
    /// # Errors
    /// The hook panicked.
    pub(super) fn on_stop(&self) -> Result<(), HookFailure> {
        self.run_shared(Hook::OnStop, self.loaded.tables.entry().on_stop())
    }

    /// Runs one of the two hooks that may run while other threads call the instance.
    fn run_shared(
        &self,
        hook: Hook,
        run: unsafe extern "C" fn(*const (), Sink) -> Status,
    ) -> Result<(), HookFailure> {
        // SAFETY: the function is that of the hook, and `self` is borrowed, so the instance has not been destroyed.
        self.loaded
            .run(hook, |sink| unsafe { run(self.this(), sink) })
    }

    /// Saves the state for a build that knows version `version` of its type.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn save(&self, version: u32) -> Result<SavedState, HookFailure> {
        unsafe extern "C" fn put(data: *mut (), view: StateView<'_>) {
            let numbers = view.descriptors.as_slice();
            // SAFETY: the contract of `StateSink` is that the plugin gives these descriptors away, and no other part of
            // it owns them. `data` is the address of `saved` below, which the plugin has until the hook returns.
            unsafe {
                let descriptors = platform::descriptors(numbers);
                *data.cast() = SavedState::new(view.bytes.to_vec(), descriptors);
            }
        }
        let mut saved = SavedState::default();
        let to = StateSink {
            data: (&raw mut saved).cast(),
            put,
        };
        let save = self.loaded.tables.entry().save();
        // SAFETY: `self` is borrowed, so the instance has not been destroyed. `saved` outlives the call.
        self.loaded.run(Hook::Save, |sink| unsafe {
            save(self.this(), version, to, sink)
        })?;
        Ok(saved)
    }

    /// Restores the state of another instance.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn restore(&self, state: SavedState) -> Result<(), HookFailure> {
        let restore = self.loaded.tables.entry().restore();
        state.lend(|view| {
            // SAFETY: `run_early` makes sure that only importing instances and their threads use the instance.
            // `SavedState::lend` lends the view for the call and gives its descriptors away.
            self.run_early(Hook::Restore, |this, sink| unsafe {
                restore(this, view, sink)
            })
        })
    }

    /// Runs `on_free`, drops the instance, and flushes the plugin's stdout. Nothing calls the instance any more, since
    /// whatever calls it borrows it.
    pub(super) fn destroy(self) -> (Loaded, Vec<HookFailure>) {
        let Made { loaded, this, .. } = self;
        let entry = loaded.tables.entry();
        let last = [
            (Hook::OnFree, entry.on_free()),
            (Hook::Drop, entry.destroy()),
        ];
        let ran = last.map(|(hook, run)| {
            // SAFETY: this function owns the instance, and whatever calls it borrows it, so nothing does. Each hook runs
            // once, and the instance is not used after the last one, which drops it.
            loaded.run(hook, |sink| unsafe { run(this.0, sink) })
        });
        loaded.library.keep(entry.flush()());
        let failures = ran.into_iter().filter_map(Result::err);
        (loaded, failures.collect())
    }

    /// Returns the function with this name.
    pub(crate) fn function(&self, name: &str) -> Option<FunctionOf<'_>> {
        let mut functions = self.functions();
        functions.find(|function| function.name.as_str() == name)
    }

    /// Returns the function with this number.
    #[inline]
    pub(crate) fn function_at(&self, index: usize) -> Option<FunctionOf<'_>> {
        let desc = self.loaded.tables.desc().functions.get(index)?;
        Some(FunctionOf::own(desc, self.this()))
    }

    /// The functions of the plugin.
    pub(crate) fn functions(&self) -> impl Iterator<Item = FunctionOf<'_>> {
        let this = self.this();
        let functions = self.loaded.tables.desc().functions.iter();
        functions.map(move |desc| FunctionOf::own(desc, this))
    }

    /// Returns the live item with this number, if it is a function.
    pub(crate) fn live_function(&self, index: usize) -> Option<FunctionOf<'_>> {
        match self.loaded.live.get(index)?.code {
            LiveCode::Function(desc) => Some(FunctionOf::own(desc, null())),
            LiveCode::Type(_) => None,
        }
    }

    /// Returns the live item with this number, if it is a type.
    pub(crate) fn live_type(&self, index: usize) -> Option<LiveTypeOf<'_>> {
        self.loaded.live_type(index)
    }

    /// Calls the hand-written `invoke_func`, which handles names of functions that the plugin does not have.
    ///
    /// # Errors
    /// Returns what `error` makes of the plugin's refusal, its own error, or its panic.
    pub(crate) fn invoke_func<E>(
        &self,
        name: &str,
        args: &[Value],
        error: impl FnOnce(Result<InvokeError, Panicked>) -> E,
    ) -> Result<Value, E> {
        let invoke_func = self.loaded.tables.entry().invoke_func();
        // SAFETY: `self` is borrowed, so the instance has not been destroyed. The contract of `PluginEntry::invoke_func` is
        // that it answers as a `DynamicFn` does. The name is borrowed for the call.
        unsafe {
            let call = |args: SliceView<ValueView>, out: *mut DynamicOut| {
                let (args, out) = (RawArgs((&raw const args).cast()), RawOut(out.cast()));
                invoke_func(self.this(), StrView::new(name), args, out)
            };
            call_dynamic(args, call, error)
        }
    }
}

/// A function of a plugin. It derefs to its description.
#[derive(Clone, Copy)]
pub(crate) struct FunctionOf<'m> {
    desc: &'m FunctionDesc,
    /// The instance, or null for a live function, or the link of a patch.
    this: *const (),
    /// The pointer with which the functions that take values are called.
    by_name: *const (),
}

impl Deref for FunctionOf<'_> {
    type Target = FunctionDesc;

    fn deref(&self) -> &FunctionDesc {
        self.desc
    }
}

impl<'m> FunctionOf<'m> {
    /// A function of a plugin, which is borrowed.
    fn own(desc: &'m FunctionDesc, this: *const ()) -> Self {
        FunctionOf {
            desc,
            this,
            by_name: this,
        }
    }

    /// A function of the host in the place of one of a plugin.
    ///
    /// # Safety
    /// The typed function of the description may be called with `this` during `'m`, from any thread, and those that take
    /// values with `by_name`.
    pub(crate) unsafe fn patched(
        desc: &'m FunctionDesc,
        this: *const (),
        by_name: *const (),
    ) -> Self {
        FunctionOf {
            desc,
            this,
            by_name,
        }
    }

    /// The pointer with which the function is called.
    pub(crate) fn this(self) -> *const () {
        self.this
    }

    /// The pointer with which the function that takes values is called.
    pub(crate) fn by_name(self) -> *const () {
        self.by_name
    }

    /// Calls the function with values.
    ///
    /// # Errors
    /// Returns what `error` makes of the function's refusal, its own error, or its panic.
    #[inline]
    pub(crate) fn invoke<E>(
        self,
        args: &[Value],
        error: impl FnOnce(Result<InvokeError, Panicked>) -> E,
    ) -> Result<Value, E> {
        // SAFETY: `forward` passes its arguments, which are those of `call_dynamic`, to a `DynamicFn`.
        unsafe { call_dynamic(args, |args, out| self.forward(args, out), error) }
    }

    /// Passes on a call with values.
    ///
    /// # Safety
    /// The arguments and `out` come from [`call_dynamic`], which has not returned.
    #[inline]
    pub(crate) unsafe fn forward(self, args: SliceView<ValueView>, out: *mut DynamicOut) -> Status {
        // SAFETY: the plugin is borrowed for `'m`, so the library is mapped, and the instance has not been destroyed.
        // The caller guarantees the arguments and `out`.
        unsafe { (self.desc.dynamic)(self.by_name, args, out) }
    }

    /// Begins a call with values, if this is an `async fn`. `keeps` is made under a pin of the function's generation.
    ///
    /// # Errors
    /// The function panicked while it copied its parameters.
    pub(crate) fn begin<K: Keeps>(
        self,
        args: &[Value],
        keeps: impl FnOnce() -> K,
    ) -> Option<Result<Begun<DynamicResult, K>, Panicked>> {
        let begin = self.desc.dynamic_later?;
        let keeps = keeps();
        let arena = Arena::new();
        let args = args.lend(&arena);
        // SAFETY: the plugin is borrowed for `'m`, so the library is mapped, and the instance has not been destroyed;
        // afterwards, `keeps` keeps both. The arguments live until the call is over.
        let later =
            unsafe { try_receive(|out| begin(self.by_name, <&[Value]>::cross(&args), out)) };
        Some(later.map(|later| Begun::new(later, keeps)))
    }
}

/// A live type of a plugin, or of a library without an instance. It borrows what keeps the library mapped.
#[derive(Clone, Copy)]
pub(crate) struct LiveTypeOf<'m> {
    desc: &'m LiveTypeDesc,
}

/// The result of an operation on a live type. The inner error is about the data.
type Operated<T> = Result<Result<T, Error>, Panicked>;

impl LiveTypeOf<'_> {
    /// The schema version of the type.
    pub(crate) fn version(self) -> u32 {
        self.desc.version
    }

    /// Restores a value with the current version of the type, and saves it again.
    pub(crate) fn renew(self, data: &LiveData) -> Operated<LiveData> {
        // SAFETY: the plugin is borrowed, so its library is mapped. The function writes a `Saved`.
        unsafe { try_receive::<Saved>(|out| lend(data, |data| (self.desc.renew)(data, out))) }
    }

    /// Returns a value as an earlier version of the type would have saved it.
    pub(crate) fn lower(self, data: &LiveData, version: u32) -> Operated<LiveData> {
        let lower = self.desc.lower;
        // SAFETY: the plugin is borrowed, so its library is mapped. The function writes a `Saved`.
        unsafe { try_receive::<Saved>(|out| lend(data, |data| lower(data, version, out))) }
    }

    /// Makes a new value, if the type has a default.
    pub(crate) fn make(self) -> Option<Operated<LiveData>> {
        let make = self.desc.make?;
        // SAFETY: the plugin is borrowed, so its library is mapped. The function writes a `Saved`.
        Some(unsafe { try_receive::<Saved>(|out| make(out)) })
    }

    /// Passes live data to the type's handler, if it has one.
    pub(crate) fn handle(self, data: &LiveData) -> Option<Operated<DynamicResult>> {
        let handle = self.desc.handle?;
        // SAFETY: the plugin is borrowed, so its library is mapped. The function answers with a `Handled`.
        Some(unsafe { try_receive::<Handled>(|out| lend(data, |data| handle(data, out))) })
    }

    /// Passes on a call of the type's handler, if it has one.
    ///
    /// # Safety
    /// The data is lent for the call, and `out` is the caller's memory for a [`Handled`].
    pub(crate) unsafe fn forward(self, data: LentData, out: *mut HandledOut) -> Option<Status> {
        // SAFETY: the plugin is borrowed, so its library is mapped. The caller guarantees the data and `out`.
        Some(unsafe { (self.desc.handle?)(data, out) })
    }
}

/// Lends data as a parameter.
fn lend<R>(data: &LiveData, call: impl FnOnce(LentData) -> R) -> R {
    let arena = Arena::new();
    let lent = data.lend(&arena);
    call(<&LiveData as Arg>::cross(&lent))
}
