//! Answers the requests of plugins. Each call of a live item pins the newest generation while it runs.
use crate::load::library::Library;
use crate::requests::{Answered, CallByName, HandlerCall, Host, TypedCall};
use crate::swapper::{Inner, drop_elsewhere};
use crate::vault::{LiveTypeRef, NO_HANDLER};
use hotswap_plugin::boundary::InvokeError;
use hotswap_plugin::contract::host_table::REQUEST_PATCH;
use hotswap_plugin::contract::live::Handled;
use hotswap_plugin::{LiveData, LiveItem};
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;

/// Lends the swapper to a plugin's call, if it still exists.
///
/// If everything else drops the swapper meanwhile, its plugins are retired on a thread of its own, because their
/// `on_stop` may wait for the calling thread.
struct Borrowed(Option<Arc<Inner>>);

impl Borrowed {
    /// Borrows the swapper that owns a library.
    fn of(library: &Library) -> Self {
        let owner = library.owner().upgrade();
        Borrowed(owner.and_then(|owner| (owner as Arc<dyn Any + Send + Sync>).downcast().ok()))
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(swapper) = self.0.take() {
            drop_elsewhere(swapper);
        }
    }
}

/// Passes data that was lowered to the handler of its type.
fn handle_lowered(ty: LiveTypeRef<'_>, lowered: Result<LiveData, String>) -> Handled {
    let handled = ty.ty().handle(&lowered?);
    match handled.ok_or(NO_HANDLER)? {
        Ok(handled) => handled,
        // The message has been reported where it panicked.
        Err(panicked) => resume_unwind(Box::new(panicked.text)),
    }
}

/// The answers of this host.
pub(super) struct Answers;

impl Host for Answers {
    fn request_reload(caller: Arc<Library>) {
        if let Some(owner) = caller.owner().upgrade() {
            owner.request_reload(caller.plugin());
        }
    }

    fn live_invoke(caller: Arc<Library>, name: &str, call: CallByName<'_>) -> Answered {
        let borrowed = Borrowed::of(&caller);
        if let Some(swapper) = &borrowed.0 {
            let pinned = swapper.enter_live_function(name);
            if let Some((_, function)) = pinned.live_function(name) {
                return call.forward(function);
            }
        }
        if name == REQUEST_PATCH
            && let Some(owner) = caller.owner().upgrade()
        {
            return call.answer_request(["function", "by"], |function, by| {
                owner.request_patch(caller.plugin(), function, by)
            });
        }
        call.unknown()
    }

    fn live_call(caller: Arc<Library>, name: &str, call: TypedCall<'_>) -> Answered {
        let borrowed = Borrowed::of(&caller);
        if let Some(swapper) = &borrowed.0 {
            let pinned = swapper.enter_live_function(name);
            // The caller passes no first argument, which the function of a patch needs.
            if let Some((plugin, function)) = pinned.own_live_function(name) {
                return call.lend(caller.plugin(), plugin.name().as_str(), function);
            }
        }
        call.unknown()
    }

    fn live_handle(caller: Arc<Library>, name: &str, call: HandlerCall<'_>) -> Answered {
        let borrowed = Borrowed::of(&caller);
        if let Some(swapper) = &borrowed.0 {
            let pinned = swapper.enter_live_type(name);
            if let Some(ty) = pinned.type_named(name) {
                if ty.may_lower()
                    && let Some(lowered) = ty.lowered(&call.data())
                {
                    return call.answer_with(|| handle_lowered(ty, lowered));
                }
                let forwarded = call.forward(ty.ty());
                return forwarded.unwrap_or_else(|call| call.answer(Err(NO_HANDLER.into())));
            }
        }
        call.answer(Ok(Err(InvokeError::Unknown)))
    }

    fn live_items(caller: Arc<Library>) -> Vec<LiveItem> {
        let borrowed = Borrowed::of(&caller);
        match &borrowed.0 {
            Some(swapper) => swapper.live().pin().live_items(),
            None => Vec::new(),
        }
    }
}
