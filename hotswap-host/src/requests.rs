//! The requests of plugins: turns the raw arguments of the host's functions into values that can be answered once.
//!
//! The floors above say what is answered, by implementing [`Host`] and [`Making`].
//!
//! Unsafe code: plugins pass addresses, and the contract says what is there.
#![allow(unsafe_code)]
use crate::instance::made::{FunctionOf, LiveTypeOf};
use crate::load::library::Library;
use crate::load::objects::{self, library_of};
use crate::reclaim::record;
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::boundary::mismatch::{self, Party};
use hotswap_plugin::boundary::{
    DynamicOut, ExtensionDesc, InterfaceDesc, InvokeError, Out, RawObject, Shared, Sink, SliceView,
    Status, StrView, ValueView, answer, dynamic::answer_dynamic, dynamic::arguments, guard,
};
use hotswap_plugin::contract::host_table::{LiveCall, RawArgs, RawOut, WantedRef};
use hotswap_plugin::contract::live::{Handled, HandledOut, LentData, Wanted};
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::ticket::RawTicket;
use hotswap_plugin::contract::vault::{ExtensionRef, FilledSlot, Making as RawMaking};
use hotswap_plugin::contract::{HostTable, Ticket, VaultView};
use hotswap_plugin::extension::AnySlot;
use hotswap_plugin::telemetry::TelemetryTable;
use hotswap_plugin::telemetry::table::{
    CallsiteRef, CallsiteView, PanicView, SpanId, SpanReceiver,
};
use hotswap_plugin::{BagError, BagValue, ExtensionError, LiveData, LiveItem, Value};
use std::marker::PhantomData;
use std::sync::Arc;

/// The answers to the requests that all plugins may make at any time. `caller` is the library whose code asks.
pub(crate) trait Host {
    /// Asks for a reload, which begins after the current call.
    fn request_reload(caller: Arc<Library>);
    /// Calls a live function by its name.
    fn live_invoke(caller: Arc<Library>, name: &str, call: CallByName<'_>) -> Answered;
    /// Lends a live function.
    fn live_call(caller: Arc<Library>, name: &str, call: TypedCall<'_>) -> Answered;
    /// Passes live data to the handler of its type.
    fn live_handle(caller: Arc<Library>, name: &str, call: HandlerCall<'_>) -> Answered;
    /// Lists the live items.
    fn live_items(caller: Arc<Library>) -> Vec<LiveItem>;
}

/// Proof that a request was answered.
pub(crate) struct Answered(Status);

/// Returns the table of the host's functions, which `H` answers.
pub(crate) const fn table<H: Host>(telemetry: &'static TelemetryTable) -> HostTable {
    HostTable {
        request_reload: request_reload::<H>,
        thread_index,
        live_invoke: live_invoke::<H>,
        live_call: live_call::<H>,
        live_handle: live_handle::<H>,
        live_items: live_items::<H>,
        telemetry,
        count_object: objects::count_object,
        count_task: objects::count_task,
    }
}

unsafe extern "C" fn request_reload<H: Host>(token: Token) {
    // SAFETY: code of the library that the token names makes this call.
    H::request_reload(unsafe { library_of(token) });
}

extern "C" fn thread_index(_: Token) -> u32 {
    record::mine().index()
}

unsafe extern "C" fn live_invoke<H: Host>(
    token: Token,
    name: StrView,
    args: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
    let (caller, name, args) = unsafe {
        let args = args.0.cast::<SliceView<ValueView>>().read();
        (library_of(token), name.get(), args)
    };
    let call = CallByName {
        args,
        out: out.0.cast(),
        lent: PhantomData,
    };
    H::live_invoke(caller, name, call).0
}

unsafe extern "C" fn live_call<H: Host>(
    token: Token,
    name: StrView,
    want: WantedRef,
    call: LiveCall,
    sink: Sink,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
    let (caller, name, wanted) =
        unsafe { (library_of(token), name.get(), &*want.0.cast::<Wanted>()) };
    let call = TypedCall { wanted, call, sink };
    H::live_call(caller, name, call).0
}

unsafe extern "C" fn live_handle<H: Host>(
    token: Token,
    name: StrView,
    data: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
    let (caller, name) = unsafe { (library_of(token), name.get()) };
    let call = HandlerCall {
        data: data.0.cast(),
        out: out.0.cast(),
        lent: PhantomData,
    };
    H::live_handle(caller, name, call).0
}

unsafe extern "C" fn live_items<H: Host>(token: Token, out: RawOut) -> Status {
    // SAFETY: code of the library that the token names makes this call, and waits for a list of this type.
    unsafe {
        let caller = library_of(token);
        answer(out_of::<Vec<LiveItem>>(out), || H::live_items(caller))
    }
}

/// Returns the caller's memory for a result of this type.
fn out_of<R: Shared>(out: RawOut) -> *mut Out<R::View> {
    out.0.cast()
}

/// A call of a function with values, whose caller waits.
pub(crate) struct CallByName<'a> {
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
    lent: PhantomData<&'a ()>,
}

impl CallByName<'_> {
    /// Lets the function answer.
    pub(crate) fn forward(self, function: FunctionOf<'_>) -> Answered {
        // SAFETY: the arguments and `out` are those of `HostTable::live_invoke`, whose caller got them from
        // `call_dynamic` and waits.
        Answered(unsafe { function.forward(self.args, self.out) })
    }

    /// Answers a request that has two texts, with these names.
    pub(crate) fn answer_request(
        self,
        names: [&str; 2],
        answer: impl FnOnce(String, String) -> Result<(), String>,
    ) -> Answered {
        // SAFETY: the arguments and `out` are those of `HostTable::live_invoke`, whose caller got them from
        // `call_dynamic` and waits.
        Answered(unsafe {
            answer_dynamic(self.out, || {
                let mut texts = arguments(self.args, 2)?;
                let (first, second) = (texts.next(names[0])?, texts.next(names[1])?);
                match answer(first, second) {
                    Ok(()) => Ok(Value::Nil),
                    Err(refused) => Err(InvokeError::Returned(refused.as_str().into())),
                }
            })
        })
    }

    /// Answers that there is no such function.
    pub(crate) fn unknown(self) -> Answered {
        // SAFETY: `out` is that of `HostTable::live_invoke`, whose caller got it from `call_dynamic` and waits.
        Answered(unsafe { answer_dynamic(self.out, || Err(InvokeError::Unknown)) })
    }
}

/// A call of a function with the signature that the caller expects.
pub(crate) struct TypedCall<'a> {
    wanted: &'a Wanted,
    call: LiveCall,
    sink: Sink,
}

impl TypedCall<'_> {
    /// Lends the function to the caller, unless the function of the plugin has another signature.
    pub(crate) fn lend(self, caller: &str, plugin: &str, function: FunctionOf<'_>) -> Answered {
        let (caller, params) = (Party::Plugin(caller), self.wanted.params.as_slice());
        match mismatch::function(caller, plugin, params, self.wanted.result, &function) {
            None => {
                // SAFETY: both sides have the same signature. The plugin of the function is borrowed for this call, and
                // the caller, whose code this is, waits.
                unsafe { (self.call.run)(self.call.data, function.typed) };
                Answered(Status::OK)
            }
            // SAFETY: the sink is that of `HostTable::live_call`, whose caller waits.
            Some(message) => Answered(unsafe { guard(self.sink, || Err(message.into())) }),
        }
    }

    /// Answers that there is no such function.
    pub(crate) fn unknown(self) -> Answered {
        Answered(Status::OK)
    }
}

/// A call of the handler of a live type.
pub(crate) struct HandlerCall<'a> {
    data: LentData,
    out: *mut HandledOut,
    lent: PhantomData<&'a ()>,
}

impl HandlerCall<'_> {
    /// Returns a copy of the data.
    pub(crate) fn data(&self) -> LiveData {
        // SAFETY: the data is that of `HostTable::live_handle`, whose caller lends it and waits.
        unsafe { LiveData::from_view(*self.data) }
    }

    /// Answers with a result that is made now. A panic meanwhile is a panic of the handler.
    pub(crate) fn answer_with(self, handled: impl FnOnce() -> Handled) -> Answered {
        // SAFETY: `out` is that of `HostTable::live_handle`, whose caller waits for this type.
        Answered(unsafe { answer(self.out, handled) })
    }

    /// Lets the handler of the type answer.
    ///
    /// # Errors
    /// The type has no handler, and the call is not answered.
    pub(crate) fn forward(self, ty: LiveTypeOf<'_>) -> Result<Answered, Self> {
        // SAFETY: data and `out` are those of `HostTable::live_handle`, whose caller waits.
        match unsafe { ty.forward(self.data, self.out) } {
            Some(status) => Ok(Answered(status)),
            None => Err(self),
        }
    }

    /// Answers without a handler.
    pub(crate) fn answer(self, answered: Handled) -> Answered {
        self.answer_with(|| answered)
    }
}

/// The answers to the requests that a plugin makes in `on_init`.
pub(crate) trait Making: Sync {
    /// Puts an entry into the data bag.
    fn set(&self, name: &str, value: BagValue) -> Result<(), BagError>;
    /// Looks up an entry of the data bag.
    fn get(&self, name: &str) -> Option<BagValue>;
    /// Fills slots of an extension.
    fn fill(&self, extension: &ExtensionDesc, slots: LentSlots<'_>) -> Result<(), ExtensionError>;
}

/// Returns the view of a generation that is being made, for as long as a hook runs.
pub(crate) fn vault_view<'a, M: Making>(
    making: &'a M,
    generation: u64,
    plugins: &'a [RStr<'a>],
) -> VaultView<'a> {
    VaultView {
        generation,
        plugins: RSlice::from_slice(plugins),
        making: RawMaking(std::ptr::from_ref(making).cast()),
        bag_set: bag_set::<M>,
        bag_get: bag_get::<M>,
        extend: extend::<M>,
    }
}

/// Returns the answers behind a view.
///
/// # Safety
/// `making` is that of a [`vault_view`] of an `M`, whose hook has not returned.
unsafe fn of_view<'a, M: Making>(making: RawMaking) -> &'a M {
    // SAFETY: `vault_view` has made the address of a reference, which is borrowed until the hook returns, and the caller
    // guarantees that it has not.
    unsafe { &*making.0.cast() }
}

unsafe extern "C" fn bag_set<M: Making>(
    making: RawMaking,
    name: StrView,
    value: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: the plugin whose hook runs calls this through the view that has this function. It keeps its arguments
    // alive meanwhile, and waits for an answer of this type.
    unsafe {
        answer(out_of::<Result<(), BagError>>(out), || {
            let value = BagValue::from_view(value.0.cast::<<BagValue as Shared>::View>().read());
            of_view::<M>(making).set(name.get(), value)
        })
    }
}

unsafe extern "C" fn bag_get<M: Making>(making: RawMaking, name: StrView, out: RawOut) -> Status {
    // SAFETY: the plugin whose hook runs calls this through the view that has this function. It keeps its arguments
    // alive meanwhile, and waits for an answer of this type.
    unsafe {
        answer(out_of::<Option<BagValue>>(out), || {
            of_view::<M>(making).get(name.get())
        })
    }
}

unsafe extern "C" fn extend<M: Making>(
    making: RawMaking,
    extension: ExtensionRef,
    slots: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: the plugin whose hook runs calls this through the view that has this function. It keeps its arguments
    // alive meanwhile, and waits for an answer of this type. The slots belong to an extension with this description.
    unsafe {
        answer(out_of::<Result<(), ExtensionError>>(out), || {
            let desc = &*extension.0.cast::<ExtensionDesc>();
            let slots = slots.0.cast::<SliceView<FilledSlot>>().read().get();
            of_view::<M>(making).fill(desc, LentSlots { desc, slots })
        })
    }
}

/// The slots of an extension that a plugin has filled, with objects that the plugin lends.
pub(crate) struct LentSlots<'a> {
    desc: &'a ExtensionDesc,
    slots: &'a [FilledSlot],
}

impl<'a> LentSlots<'a> {
    /// Returns the slots, if the host's description of the extension is the same.
    ///
    /// # Errors
    /// The difference.
    pub(crate) fn compared(
        self,
        plugin: &str,
        own: &ExtensionDesc,
    ) -> Result<impl Iterator<Item = LentSlot<'a>> + Clone, String> {
        match mismatch::extension(plugin, self.desc, own) {
            None => Ok(self.slots.iter().map(move |filled| LentSlot {
                filled,
                interface: self.desc.slots[filled.index].interface,
            })),
            Some(message) => Err(message),
        }
    }
}

/// A slot that a plugin has filled. The descriptions of its extension have been compared.
#[derive(Clone, Copy)]
pub(crate) struct LentSlot<'a> {
    filled: &'a FilledSlot,
    interface: &'a InterfaceDesc,
}

impl LentSlot<'_> {
    /// The number of the slot.
    pub(crate) fn index(self) -> usize {
        self.filled.index
    }

    /// Returns true if the plugin has filled the slot more than once.
    pub(crate) fn again(self) -> bool {
        self.filled.again
    }

    /// Puts the object into the slot with this number of the host's own extension.
    ///
    /// # Panics
    /// Panics if there is no such slot, or if it has another interface.
    pub(crate) fn put(self, own: &mut [&mut dyn AnySlot]) {
        // SAFETY: the plugin lends the object until its request is answered. It says that the object is of a slot with
        // this description.
        let object = unsafe { self.filled.object.lent(self.interface) };
        own[self.filled.index].put(&object);
    }
}

/// A value that is kept by each handle to an object of it.
#[repr(C)]
pub(crate) struct KeptByHandles<T> {
    /// The front, which is all that the handles know of it.
    ticket: Ticket,
    _value: T,
}

/// Makes the handles to these objects counted: `value` is dropped after the last of them. The caller keeps the result
/// until the handles have been made.
pub(crate) fn keep_by_handles<T: Send + Sync + 'static>(
    value: T,
    objects: &mut [RawObject],
) -> Arc<KeptByHandles<T>> {
    let kept = Arc::new(KeptByHandles {
        ticket: Ticket::lasting(retain::<T>, release::<T>),
        _value: value,
    });
    for object in objects.iter_mut().filter(|o| **o != RawObject::ABSENT) {
        object.ticket = RawTicket(Arc::as_ptr(&kept).cast());
    }
    kept
}

unsafe extern "C" fn retain<T>(ticket: *const Ticket, _: Token) {
    // SAFETY: `keep_by_handles` makes the ticket the front of a value that an `Arc` owns, and the caller has a count.
    unsafe { Arc::increment_strong_count(ticket.cast::<KeptByHandles<T>>()) };
}

unsafe extern "C" fn release<T>(ticket: *const Ticket, _: Token) {
    // SAFETY: `keep_by_handles` makes the ticket the front of a value that an `Arc` owns, and the caller gives up its
    // count.
    drop(unsafe { Arc::from_raw(ticket.cast::<KeptByHandles<T>>()) });
}

/// Passes a span to the plugin that asks for the current one.
pub(crate) fn give_span(
    receiver: SpanReceiver,
    span: SpanId,
    callsite: CallsiteRef,
    view: &CallsiteView<'static>,
) {
    // SAFETY: the receiver is that of `TelemetryTable::current_span`, whose caller waits, and takes the span meanwhile.
    unsafe { (receiver.give)(receiver.context, span, callsite, view) }
}

/// The answer to the report of a panic.
pub(crate) trait ReportPanic {
    /// Reports a panic in code of the library.
    fn report(library: &Library, panic: &PanicView<'_>);
}

/// The function of the telemetry table that reports panics, which `R` answers.
pub(crate) unsafe extern "C" fn panicked<R: ReportPanic>(token: Token, panic: &PanicView<'_>) {
    // SAFETY: code of the library that the token names makes this call.
    let library = unsafe { library_of(token) };
    R::report(&library, panic);
}
