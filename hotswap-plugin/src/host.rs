//! The connection to the host: the token that identifies the plugin, the functions of the host's tables, as methods, and
//! the counts of objects that other libraries own. Without a host, the library itself keeps such a count.
#![allow(unsafe_code, reason = "it calls the functions of the host's tables")]
use crate::boundary::call::{drop_quietly, quietly, try_receive};
use crate::boundary::dynamic::call_dynamic;
use crate::boundary::{Arena, Arg, HookError, InvokeError, Panicked, StrView, Value, collect};
use crate::contract::host_table::{LiveCall, RawArgs, RawOut, WantedRef};
use crate::contract::live::{Handled, Wanted};
use crate::contract::shim::{ShimTable, Token};
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::contract::{HostTableRef, Ticket};
use crate::runtime::{self, Use};
use crate::telemetry::table::{
    CallsiteRef, CallsiteView, FieldView, LogView, PanicView, Parent, SpanId, SpanReceiver,
};
use crate::{LiveData, LiveItem};
use abi_stable::std_types::RSlice;
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicBool, Ordering::*, fence};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The host of this library, set once, before anything else of the library runs.
static HOST: OnceLock<Host> = OnceLock::new();

/// The host that plugins with this copy of the crate are linked into, with the token of the plugin that was connected
/// last.
static LINKED: RwLock<Option<Host>> = RwLock::new(None);

/// The host's table, with the token of a plugin that the table belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    token: Token,
    table: HostTableRef,
}

// SAFETY: table and token belong to the host, which lets any thread use them, and keeps both until the library has left.
unsafe impl Send for Host {}
// SAFETY: the host never changes the table or what the token names, and lets several threads use them at once.
unsafe impl Sync for Host {}

// SAFETY: the host lets any thread call the functions of the table, to which alone the token is passed.
unsafe impl Send for ShimTable {}
// SAFETY: a shared table is only read, and the host lets several threads call its functions at once.
unsafe impl Sync for ShimTable {}

/// Returns the host once the plugin is connected. Returns `None` where the crate is linked as an ordinary library, or
/// into the host.
pub(crate) fn host() -> Option<Host> {
    HOST.get().copied()
}

/// Returns true in the library of a plugin that a host has loaded.
pub fn is_loaded() -> bool {
    host().is_some()
}

/// Returns the host, also where plugins are linked into it. For requests where it does not matter which plugin asks.
pub(crate) fn any_host() -> Option<Host> {
    host().or_else(|| *LINKED.read().unwrap_or_else(PoisonError::into_inner))
}

/// Returns the calling thread's number once the plugin is connected.
pub(crate) fn thread_index() -> Option<u32> {
    host().map(Host::thread_index)
}

/// Returns the token of the library that runs this. It is null in a host, and in a plugin that is linked as an ordinary
/// library.
pub(crate) fn own_token() -> Token {
    host().map_or(null(), |host| host.token)
}

/// Connects the library to its host. Returns false if it is connected already.
///
/// # Safety
/// A host gave the token together with the table, and both outlive the library.
pub(crate) unsafe fn connect(token: Token, table: HostTableRef) -> bool {
    HOST.set(Host { token, table }).is_ok()
}

/// Connects a plugin that is linked into the host.
///
/// # Safety
/// A host gave the token together with the table, and both outlive the program.
pub(crate) unsafe fn connect_linked(token: Token, table: HostTableRef) {
    *LINKED.write().unwrap_or_else(PoisonError::into_inner) = Some(Host { token, table });
}

impl Host {
    /// Returns the host as the plugin with this token knows it.
    ///
    /// # Safety
    /// The host gave the token to a plugin that this copy of the crate belongs to.
    pub(crate) unsafe fn with_token(self, token: Token) -> Self {
        Host { token, ..self }
    }

    /// Calls a live function of the newest generation with values.
    ///
    /// # Errors
    /// Returns the error that `error` makes of the refusal, of the function's own error, or of its panic.
    pub(crate) fn live_invoke<E>(
        self,
        name: &str,
        args: &[Value],
        error: impl FnOnce(Result<InvokeError, Panicked>) -> E,
    ) -> Result<Value, E> {
        // SAFETY: by the contract of `HostTable::live_invoke`, the host passes arguments and result to a dynamic
        // function, or answers in its place. It gave the token together with the table, as the caller of `connect`
        // guarantees.
        unsafe {
            call_dynamic(
                args,
                |args, out| {
                    let (args, out) = (RawArgs((&raw const args).cast()), RawOut(out.cast()));
                    self.table.live_invoke()(self.token, StrView::new(name), args, out)
                },
                error,
            )
        }
    }

    /// Passes a live function of the newest generation to `run`, if there is one of this name. `run` is called at most
    /// once, and the function can be called until it returns.
    ///
    /// # Errors
    /// Returns an error if the function has another signature than `want`.
    pub(crate) fn live_call<R: FnMut(*const ())>(
        self,
        name: &str,
        want: &Wanted,
        mut run: R,
    ) -> Result<(), HookError> {
        unsafe extern "C" fn run_raw<R: FnMut(*const ())>(data: *mut (), function: *const ()) {
            // SAFETY: `data` is the address of `run` in the call below, which lends it to this function alone until the
            // host returns.
            unsafe { (*data.cast::<R>())(function) }
        }
        let want = WantedRef((&raw const *want).cast());
        let call = LiveCall {
            data: (&raw mut run).cast(),
            run: run_raw::<R>,
        };
        // SAFETY: the name, `want`, and `run` are borrowed until the host returns. It gave the token together with the
        // table, as the caller of `connect` guarantees.
        collect(|sink| unsafe {
            self.table.live_call()(self.token, StrView::new(name), want, call, sink)
        })
    }

    /// Passes live data to the handler of its type, in the newest generation.
    ///
    /// # Errors
    /// Returns an error if the handler panicked.
    pub(crate) fn live_handle(self, data: &LiveData) -> Result<Handled, Panicked> {
        let arena = Arena::new();
        let lent = data.lend(&arena);
        let (name, lent) = (
            StrView::new(data.type_name()),
            RawArgs(<&LiveData as Arg>::cross(&lent).cast()),
        );
        // SAFETY: by the contract of `HostTable::live_handle`, the host answers with a `Handled`. The name and the data
        // are borrowed until it returns. It gave the token together with the table, as the caller of `connect`
        // guarantees.
        unsafe {
            try_receive(|out| self.table.live_handle()(self.token, name, lent, RawOut(out.cast())))
        }
    }

    /// Lists the live items of the newest generation.
    ///
    /// # Errors
    /// Returns an error if the host panicked.
    pub(crate) fn live_items(self) -> Result<Vec<LiveItem>, Panicked> {
        // SAFETY: by the contract of `HostTable::live_items`, the host answers with a list of this type. It gave the
        // token together with the table, as the caller of `connect` guarantees.
        unsafe { try_receive(|out| self.table.live_items()(self.token, RawOut(out.cast()))) }
    }

    /// Passes the calling thread's current span to `receive`, if there is one.
    pub(crate) fn current_span<R>(self, mut receive: R)
    where
        R: FnMut(SpanId, CallsiteRef, &CallsiteView<'static>),
    {
        unsafe extern "C" fn give<R: FnMut(SpanId, CallsiteRef, &CallsiteView<'static>)>(
            context: *mut (),
            span: SpanId,
            callsite: CallsiteRef,
            view: &CallsiteView<'static>,
        ) {
            // SAFETY: `context` is the address of `receive` in the call below, which lends it to this function alone
            // until the host returns.
            unsafe { (*context.cast::<R>())(span, callsite, view) }
        }
        let receiver = SpanReceiver {
            context: (&raw mut receive).cast(),
            give: give::<R>,
        };
        // SAFETY: `receive` is borrowed until the host returns. It gave the token together with the table, as the
        // caller of `connect` guarantees.
        unsafe { (self.table.telemetry().current_span)(self.token, receiver) }
    }
}

/// Makes methods that pass the token, and these arguments, to a function of a table.
macro_rules! methods {
    ($(
        $(#[$attr:meta])*
        $name:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)?,
            |$table:ident| $function:expr;
    )*) => {
        impl Host {$(
            $(#[$attr])*
            pub(crate) fn $name(self $(, $arg: $ty)*) $(-> $result)? {
                let $table = self.table;
                // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees. What is
                // passed is borrowed until it returns, and callsites are only those that it has given.
                unsafe { ($function)(self.token $(, $arg)*) }
            }
        )*}
    };
}
methods! {
    /// Asks for a reload, which begins after the current call.
    request_reload(), |table| table.request_reload();
    thread_index() -> u32, |table| table.thread_index();
    log_enabled(record: &LogView<'_>) -> bool, |table| table.telemetry().log_enabled;
    log(record: &LogView<'_>), |table| table.telemetry().log;
    log_flush(), |table| table.telemetry().log_flush;
    callsite(view: &CallsiteView<'_>) -> CallsiteRef, |table| table.telemetry().callsite;
    interest(callsite: CallsiteRef) -> u32, |table| table.telemetry().interest;
    enabled(callsite: CallsiteRef) -> bool, |table| table.telemetry().enabled;
    event(callsite: CallsiteRef, parent: Parent, values: Values<'_>),
        |table| table.telemetry().event;
    new_span(callsite: CallsiteRef, parent: Parent, values: Values<'_>) -> SpanId,
        |table| table.telemetry().new_span;
    record(span: SpanId, values: Values<'_>), |table| table.telemetry().record;
    follows_from(span: SpanId, follows: SpanId), |table| table.telemetry().follows_from;
    enter(span: SpanId), |table| table.telemetry().enter;
    exit(span: SpanId), |table| table.telemetry().exit;
    clone_span(span: SpanId) -> SpanId, |table| table.telemetry().clone_span;
    close_span(span: SpanId) -> bool, |table| table.telemetry().close_span;
    panicked(panic: &PanicView<'_>), |table| table.telemetry().panicked;
}

type Values<'a> = RSlice<'a, FieldView<'a>>;

/// True once an object has been made that its own library counts.
static HAS_LOCAL: AtomicBool = AtomicBool::new(false);

/// Keeps the library, which has just been connected to its host, if a constructor of it has made an object before. The
/// host does not know who has that object.
pub(crate) fn connected() {
    unsafe extern "C" fn nothing(_: *const ()) {}
    fence(SeqCst);
    if let Some(host) = host().filter(|_| HAS_LOCAL.load(Relaxed)) {
        let object = RawDrop {
            object: null(),
            drop: nothing,
        };
        // SAFETY: there is nothing behind the address, and `nothing` does not read it. The token of the host is null,
        // and names the host for as long as the process.
        unsafe {
            let counted = Counted::begin(host, object, "made by a constructor");
            // The first count is replaced by one of the host, which nobody releases.
            counted.retain(null());
        }
    }
}

/// Returns the host that counts objects. There is none in a host, and none yet in a constructor of a plugin's library.
fn counting_host() -> Option<Host> {
    host().or_else(|| {
        HAS_LOCAL.store(true, Relaxed);
        // Either `connected` sees this, or this sees the host.
        fence(SeqCst);
        host()
    })
}

/// One count of an object.
pub(crate) struct Counted(NonNull<Ticket>);

// SAFETY: the owner of a ticket lets any thread use it, and only objects that are `Send + Sync` are counted.
unsafe impl Send for Counted {}
// SAFETY: the owner of a ticket lets several threads use it at once.
unsafe impl Sync for Counted {}

impl Counted {
    /// Begins to count an object, under a name for reports. Returns its address and the first count.
    pub(crate) fn of<T: Send + Sync + 'static>(object: T, name: &str) -> (*const (), Counted) {
        let Some(host) = counting_host() else {
            return Local::count(object);
        };
        // An object may outlive its plugin, and needs the runtime for as long.
        Use::another().leave();
        let this: *const () = Box::into_raw(Box::new(object)).cast_const().cast();
        let object = RawDrop {
            object: this,
            drop: drop_boxed::<T>,
        };
        // SAFETY: the object is a box of a `T` that any thread may drop, and `drop_boxed` drops such a box.
        (this, unsafe { Counted::begin(host, object, name) })
    }

    /// Begins to count an object for the host.
    ///
    /// # Panics
    /// Panics if the library is being closed.
    ///
    /// # Safety
    /// Any thread may call the function of `object` once.
    unsafe fn begin(host: Host, object: RawDrop, name: &str) -> Counted {
        // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees. The caller of
        // this function guarantees that the object can be dropped.
        let ticket = unsafe { host.table.count_object()(host.token, object, StrView::new(name)) };
        assert!(
            ticket != RawTicket::NONE,
            "the library is being closed, so nobody can own an object of it any more"
        );
        // SAFETY: the host has returned a ticket with a count for this library.
        unsafe { Counted::new(ticket) }
    }

    /// Counts a task for the host until the count is dropped. Returns `None` without a host, or if the library is being
    /// closed.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(name: &str) -> Option<Self> {
        let host = host()?;
        // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees.
        let ticket = unsafe { host.table.count_task()(host.token, StrView::new(name)) };
        // SAFETY: the host has returned a ticket with a count for this library.
        (ticket != RawTicket::NONE).then(|| unsafe { Counted::new(ticket) })
    }

    /// Takes over a count that exists already.
    ///
    /// # Safety
    /// The ticket has a count of this library, which nothing else releases.
    pub(crate) unsafe fn new(RawTicket(ticket): RawTicket) -> Self {
        let ticket = NonNull::new(ticket.cast::<Ticket>().cast_mut());
        Counted(ticket.expect("an object that is held is counted"))
    }

    /// Adds a count. Returns `None` if the object is not counted.
    ///
    /// # Safety
    /// The ticket has a count until this function returns.
    pub(crate) unsafe fn another(RawTicket(ticket): RawTicket) -> Option<Self> {
        let counted = Counted(NonNull::new(ticket.cast::<Ticket>().cast_mut())?);
        // SAFETY: the token is that of this library, whose code runs. The caller guarantees that the ticket is alive.
        unsafe { counted.retain(own_token()) };
        Some(counted)
    }

    /// Adds a count for the library that `by` names, and returns the ticket.
    ///
    /// # Safety
    /// The token names a library whose code runs, or waits for this function. The ticket has a count.
    pub(crate) unsafe fn retain(&self, by: Token) -> RawTicket {
        let ticket = self.0.as_ptr().cast_const();
        // SAFETY: the caller guarantees that the token is valid and that the ticket has a count, so it is alive.
        unsafe { ((*ticket).retain)(ticket, by) };
        self.raw()
    }

    pub(crate) fn ticket(&self) -> &Ticket {
        // SAFETY: a ticket is alive as long as it has a count, and this is one.
        unsafe { self.0.as_ref() }
    }

    /// Counts a future that borrows the object: the future is dropped with its count. Returns `None` if the object
    /// stays as long as this count does.
    ///
    /// # Safety
    /// The future is dropped once: by the caller if the result is `None`, and otherwise with the count.
    pub(crate) unsafe fn adopt(&self, future: RawDrop) -> Option<Counted> {
        // SAFETY: this is a count of the library that the token names, so the ticket is alive. The caller guarantees
        // that the future is dropped once.
        let RawTicket(ticket) =
            unsafe { (self.ticket().adopt)(self.0.as_ptr(), future, own_token()) };
        NonNull::new(ticket.cast_mut().cast()).map(Counted)
    }

    pub(crate) fn raw(&self) -> RawTicket {
        RawTicket(self.0.as_ptr().cast_const().cast())
    }

    /// # Panics
    /// Panics if the object has been dropped.
    #[inline]
    pub(crate) fn check(&self) {
        if self.ticket().is_revoked() {
            revoked();
        }
    }
}

#[cold]
fn revoked() -> ! {
    panic!("the object has been dropped, with the plugin that made it");
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        // SAFETY: the token is that of this library, whose code runs, and this is a count of the ticket.
        unsafe { self.retain(own_token()) };
        Counted(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: this is a count of the library that the token names, and it is not used again.
        unsafe { (self.ticket().release)(self.0.as_ptr(), own_token()) }
    }
}

unsafe extern "C" fn drop_boxed<T>(object: *const ()) {
    let _runtime = Use::taken_up();
    // SAFETY: `Counted::of` made the address from a box of this type, and its ticket calls this function once.
    let object = unsafe { Box::from_raw(object.cast::<T>().cast_mut()) };
    // The runtime may panic, too: it does where the object has forgotten a guard of it.
    quietly(|| runtime::within(|| drop_quietly(object)));
}

/// An object that its own library counts. That library never leaves memory: it is a host, or a plugin that [`connected`]
/// keeps.
#[repr(C)]
struct Local<T> {
    ticket: Ticket,
    object: T,
}

impl<T> Local<T> {
    /// Returns the address of the object, and its first count.
    fn count(object: T) -> (*const (), Counted) {
        let local = Arc::new(Local {
            ticket: Ticket::lasting(Self::retain, Self::release),
            object,
        });
        let object = (&raw const local.object).cast();
        // SAFETY: the ticket is the front of a `Local<T>`, and has the count that is given up here.
        let counted = unsafe { Counted::new(RawTicket(Arc::into_raw(local).cast())) };
        (object, counted)
    }

    unsafe extern "C" fn retain(ticket: *const Ticket, _: Token) {
        // SAFETY: the ticket is the front of a `Local<T>` in an `Arc`, and the caller has a count.
        unsafe { Arc::increment_strong_count(ticket.cast::<Self>()) };
    }

    unsafe extern "C" fn release(ticket: *const Ticket, _: Token) {
        // SAFETY: the ticket is the front of a `Local<T>` in an `Arc`, and the caller gives up its count.
        drop_quietly(unsafe { Arc::from_raw(ticket.cast::<Self>()) });
    }
}
