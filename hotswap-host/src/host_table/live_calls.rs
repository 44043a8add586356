//! What plugins ask of the host through their `VaultHandle`: each call pins the newest generation while it runs.
use crate::load::library::Library;
use crate::swapper::{Inner, drop_elsewhere};
use crate::vault::NO_HANDLER;
use hotswap_plugin::LiveItem;
use hotswap_plugin::boundary::mismatch::{self, Party};
use hotswap_plugin::boundary::{
    DynamicOut, InvokeError, Out, Shared, Sink, SliceView, Status, StrView, ValueView, answer,
    dynamic::answer_dynamic, guard,
};
use hotswap_plugin::contract::host_table::{LiveCall, RawArgs, RawOut, WantedRef};
use hotswap_plugin::contract::live::{Handled, HandledOut, Wanted};
use hotswap_plugin::contract::shim::Token;
use std::any::Any;
use std::ptr::null;
use std::sync::Arc;

/// Lends a plugin's call the swapper that it goes to, if that is still there.
///
/// Should everybody else drop it meanwhile, its plugins are retired on a thread of its own: the calling one may be one that
/// their `on_stop` waits for.
struct Borrowed {
    library: Arc<Library>,
    swapper: Option<Arc<Inner>>,
}

impl Borrowed {
    /// # Safety
    /// Called by the code of the library that the token names.
    unsafe fn of(token: Token) -> Self {
        // SAFETY: the caller's promise.
        let library = unsafe { Library::of(token) };
        let owner = library.owner().upgrade();
        let swapper = owner.and_then(|owner| (owner as Arc<dyn Any + Send + Sync>).downcast().ok());
        Borrowed { library, swapper }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(swapper) = self.swapper.take() {
            drop_elsewhere(swapper);
        }
    }
}

/// [`HostTable::live_invoke`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn invoke(
    token: Token,
    name: StrView,
    args: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: called by the library's code, which keeps its arguments alive meanwhile.
    let (borrowed, name, args, out) = unsafe {
        let args = args.0.cast::<SliceView<ValueView>>().read();
        (
            Borrowed::of(token),
            name.get(),
            args,
            out.0.cast::<DynamicOut>(),
        )
    };
    if let Some(swapper) = &borrowed.swapper {
        let pinned = swapper.enter_live_function(name);
        if let Some((_, desc)) = pinned.live_function(name) {
            // SAFETY: the pin keeps the function's library; arguments and `out` are those of a dynamic call.
            return unsafe { (desc.dynamic)(null(), args, out) };
        }
    }
    // SAFETY: `out` comes from `call_dynamic`.
    unsafe { answer_dynamic(out, || Err(InvokeError::Unknown)) }
}

/// [`HostTable::live_call`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn call(
    token: Token,
    name: StrView,
    want: WantedRef,
    call: LiveCall,
    sink: Sink,
) -> Status {
    // SAFETY: called by the library's code, which keeps its arguments alive meanwhile.
    let (borrowed, name, want) =
        unsafe { (Borrowed::of(token), name.get(), &*want.0.cast::<Wanted>()) };
    let Some(swapper) = &borrowed.swapper else {
        return Status::OK;
    };
    let pinned = swapper.enter_live_function(name);
    let Some((plugin, desc)) = pinned.live_function(name) else {
        return Status::OK;
    };
    let caller = Party::Plugin(borrowed.library.plugin());
    let plugin = plugin.name().as_str();
    match mismatch::function(caller, plugin, want.params.as_slice(), want.result, desc) {
        None => {
            // SAFETY: the pin keeps the function's library, and the signatures are the same.
            unsafe { (call.run)(call.data, desc.typed) };
            Status::OK
        }
        // SAFETY: the sink is the caller's, for this call.
        Some(message) => unsafe { guard(sink, || Err(message.into())) },
    }
}

/// [`HostTable::live_handle`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn handle(
    token: Token,
    name: StrView,
    data: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: called by the library's code, which keeps its arguments alive meanwhile.
    let (borrowed, name) = unsafe { (Borrowed::of(token), name.get()) };
    let out = out.0.cast::<HandledOut>();
    let mut answered = Ok(Err(InvokeError::Unknown));
    if let Some(swapper) = &borrowed.swapper {
        let pinned = swapper.enter_live_type(name);
        match pinned.type_named(name).map(|ty| ty.desc().handle) {
            // SAFETY: the pin keeps the function's library; data and `out` are those of the contract.
            Some(Some(handle)) => return unsafe { handle(data.0.cast(), out) },
            Some(None) => answered = Err(NO_HANDLER.into()),
            None => {}
        }
    }
    // SAFETY: `out` is the caller's, for this call.
    unsafe { answer(out, || -> Handled { answered }) }
}

/// [`HostTable::live_items`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn items(token: Token, out: RawOut) -> Status {
    // SAFETY: called by the library's code, which waits for a list of these.
    unsafe {
        let borrowed = Borrowed::of(token);
        let out = out.0.cast::<Out<<Vec<LiveItem> as Shared>::View>>();
        answer(out, || match &borrowed.swapper {
            Some(swapper) => swapper.live().pin().live_items(),
            None => Vec::new(),
        })
    }
}
