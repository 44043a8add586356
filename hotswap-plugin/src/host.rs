//! The connection to the host: the token that identifies the plugin, and the functions of the host's tables, as methods.
#![allow(unsafe_code, reason = "it calls the functions of the host's tables")]
use crate::boundary::call::try_receive;
use crate::boundary::dynamic::call_dynamic;
use crate::boundary::{Arena, Arg, HookError, InvokeError, Panicked, StrView, Value, collect};
use crate::contract::HostTableRef;
use crate::contract::host_table::{LiveCall, RawArgs, RawOut, WantedRef};
use crate::contract::live::{Handled, Wanted};
use crate::contract::shim::{ShimTable, Token};
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::telemetry::table::{
    CallsiteRef, CallsiteView, FieldView, LogView, PanicView, Parent, SpanId, SpanReceiver,
};
use crate::{LiveData, LiveItem};
use abi_stable::std_types::RSlice;
use std::sync::{OnceLock, PoisonError, RwLock};

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

/// Returns the host, also where plugins are linked into it. For requests where it does not matter which plugin asks.
pub(crate) fn any_host() -> Option<Host> {
    host().or_else(|| *LINKED.read().unwrap_or_else(PoisonError::into_inner))
}

/// Returns the calling thread's number once the plugin is connected.
pub(crate) fn thread_index() -> Option<u32> {
    // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees.
    host().map(|host| unsafe { host.table.thread_index()(host.token) })
}

/// Returns the token of the library that runs this. It is null in a host, and in a plugin that is linked as an ordinary
/// library.
pub(crate) fn own_token() -> Token {
    host().map_or(std::ptr::null(), |host| host.token)
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

    /// Asks for a reload, which begins after the current call.
    pub(crate) fn request_reload(self) {
        // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees.
        unsafe { self.table.request_reload()(self.token) }
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

    /// Begins to count an object under a name, and returns its ticket with one count.
    ///
    /// # Safety
    /// The object belongs to the function that drops it, which is called once, on any thread.
    pub(crate) unsafe fn count_object(self, object: RawDrop, name: &str) -> RawTicket {
        // SAFETY: the caller guarantees what the host demands of the object. The host gave the token together with the
        // table, as the caller of `connect` guarantees.
        unsafe { self.table.count_object()(self.token, object, StrView::new(name)) }
    }

    /// Counts a task under a name until its ticket is released, which has one count.
    #[cfg(feature = "tokio")]
    pub(crate) fn count_task(self, name: &str) -> RawTicket {
        // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees.
        unsafe { self.table.count_task()(self.token, StrView::new(name)) }
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

/// Makes a method of each of these functions of the telemetry table.
macro_rules! telemetry {
    ($($name:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        impl Host {$(
            #[doc = concat!("Calls [`", stringify!($name), "`](crate::telemetry::TelemetryTable::", stringify!($name), ").")]
            pub(crate) fn $name(self $(, $arg: $ty)*) $(-> $result)? {
                // SAFETY: the host gave the token together with the table, as the caller of `connect` guarantees. The
                // views are borrowed until it returns, and callsites are only those that it has given.
                unsafe { (self.table.telemetry().$name)(self.token $(, $arg)*) }
            }
        )*}
    };
}
telemetry! {
    log_enabled(record: &LogView<'_>) -> bool;
    log(record: &LogView<'_>);
    log_flush();
    callsite(view: &CallsiteView<'_>) -> CallsiteRef;
    interest(callsite: CallsiteRef) -> u32;
    enabled(callsite: CallsiteRef) -> bool;
    event(callsite: CallsiteRef, parent: Parent, values: RSlice<'_, FieldView<'_>>);
    new_span(callsite: CallsiteRef, parent: Parent, values: RSlice<'_, FieldView<'_>>) -> SpanId;
    record(span: SpanId, values: RSlice<'_, FieldView<'_>>);
    follows_from(span: SpanId, follows: SpanId);
    enter(span: SpanId);
    exit(span: SpanId);
    clone_span(span: SpanId) -> SpanId;
    close_span(span: SpanId) -> bool;
    panicked(panic: &PanicView<'_>);
}
