//! Answers the requests of plugins through their `VaultHandle`. Each call pins the newest generation while it runs.
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

/// Lends the swapper to a plugin's call, if it still exists.
///
/// If everything else drops the swapper meanwhile, its plugins are retired on a thread of its own, because their
/// `on_stop` may wait for the calling thread.
struct Borrowed {
    library: Arc<Library>,
    swapper: Option<Arc<Inner>>,
}

impl Borrowed {
    /// Borrows the swapper that owns a library.
    ///
    /// # Safety
    /// The code of the library that the token names makes the call.
    unsafe fn of(token: Token) -> Self {
        // SAFETY: the caller guarantees that code of the token's library makes the call.
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

/// Implements [`HostTable::live_invoke`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn invoke(
    token: Token,
    name: StrView,
    args: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
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
            // SAFETY: the pin keeps the library of the function, and arguments and `out` are those of a dynamic call.
            return unsafe { (desc.dynamic)(null(), args, out) };
        }
    }
    // SAFETY: `out` comes from `call_dynamic`.
    unsafe { answer_dynamic(out, || Err(InvokeError::Unknown)) }
}

/// Implements [`HostTable::live_call`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn call(
    token: Token,
    name: StrView,
    want: WantedRef,
    call: LiveCall,
    sink: Sink,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
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
            // SAFETY: the pin keeps the library of the function, and both sides have the same signature.
            unsafe { (call.run)(call.data, desc.typed) };
            Status::OK
        }
        // SAFETY: the sink belongs to the caller and is valid for this call.
        Some(message) => unsafe { guard(sink, || Err(message.into())) },
    }
}

/// Implements [`HostTable::live_handle`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn handle(
    token: Token,
    name: StrView,
    data: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: code of the library that the token names makes this call, and keeps its arguments alive meanwhile.
    let (borrowed, name) = unsafe { (Borrowed::of(token), name.get()) };
    let out = out.0.cast::<HandledOut>();
    let mut answered = Ok(Err(InvokeError::Unknown));
    if let Some(swapper) = &borrowed.swapper {
        let pinned = swapper.enter_live_type(name);
        match pinned.type_named(name).map(|ty| ty.desc().handle) {
            // SAFETY: the pin keeps the library of the function, and data and `out` are those of the contract.
            Some(Some(handle)) => return unsafe { handle(data.0.cast(), out) },
            Some(None) => answered = Err(NO_HANDLER.into()),
            None => {}
        }
    }
    // SAFETY: `out` belongs to the caller and is valid for this call.
    unsafe { answer(out, || -> Handled { answered }) }
}

/// Implements [`HostTable::live_items`](hotswap_plugin::contract::HostTable).
pub(crate) unsafe extern "C" fn items(token: Token, out: RawOut) -> Status {
    // SAFETY: code of the library that the token names makes this call, and waits for a list of this type.
    unsafe {
        let borrowed = Borrowed::of(token);
        let out = out.0.cast::<Out<<Vec<LiveItem> as Shared>::View>>();
        answer(out, || match &borrowed.swapper {
            Some(swapper) => swapper.live().pin().live_items(),
            None => Vec::new(),
        })
    }
}
