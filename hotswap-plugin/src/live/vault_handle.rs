//! `VaultHandle`, with which a plugin finds the live functions and types of the newest generation.
use super::{LiveItem, VaultError};
use crate::boundary::{
    Arena, Arg, HookError, InvokeError, Panicked, Return, Signature, StrView, call_dynamic,
    collect, try_receive,
};
use crate::contract::host_table::{LiveCall, RawArgs, RawOut, WantedRef};
use crate::contract::live::{Handled, Wanted};
use crate::host::{self, Host};
use crate::{LiveData, Value};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null;

/// A handle that finds live functions and types by their names. Each call uses the generation that is the newest at
/// that moment.
///
/// Unlike a [`Vault`](crate::Vault), it can be cloned, kept, and passed to other threads, and it keeps no plugin in
/// memory. Unlike an import, it does not mean the generation of the plugin that has it. In `on_init`, the newest
/// generation is the one before the generation that is being made.
///
/// If the crate is an ordinary library, as in its unit tests, no item is live.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// let vault = Context::for_test().vault();
/// let none = vault.invoke("roll_call", &["accounts".into()]);
/// assert_eq!(none.unwrap_err().to_string(), "nothing live is called roll_call");
/// ```
#[derive(Clone)]
pub struct VaultHandle(Option<Host>);

impl VaultHandle {
    /// Returns a handle for code that does not know which plugin it belongs to.
    pub(crate) fn new() -> Self {
        VaultHandle(host::any_host())
    }

    /// Returns a handle for the plugin with this token.
    pub(crate) fn of(host: Option<Host>) -> Self {
        VaultHandle(host)
    }

    fn host<E>(&self, name: &str) -> Result<Host, VaultError<E>> {
        self.0.ok_or_else(|| not_found(name))
    }

    /// Calls a live function with values.
    ///
    /// # Errors
    /// Returns an error if there is no function of this name, if the arguments do not fit, or if the function returned
    /// an error or panicked.
    pub fn invoke(&self, name: &str, args: &[Value]) -> Result<Value, VaultError> {
        let host = self.host(name)?;
        let failed = |refused| refused_by(name, refused);
        // SAFETY: the host passes arguments and result to the dynamic function of that name, or answers itself. It gave
        // the token together with the table.
        unsafe {
            call_dynamic(
                args,
                |args, out| {
                    let (args, out) = (RawArgs((&raw const args).cast()), RawOut(out.cast()));
                    host.table.live_invoke()(host.token, StrView::new(name), args, out)
                },
                failed,
            )
        }
    }

    /// Calls a live function with types: `vault.call::<fn(&str) -> String, _>("roll_call", ("accounts",))?`. The types
    /// are compared at each call.
    ///
    /// # Errors
    /// Returns an error if there is no function of this name, if it has another signature, or if it returned an error
    /// or panicked.
    ///
    /// # Panics
    /// Resumes the panic of a `Hash`, `Eq`, or `Ord` of this library that ran while the result was copied.
    pub fn call<F, A>(
        &self,
        name: &str,
        args: A,
    ) -> Result<<F::Result as Return>::Ok, VaultError<<F::Result as Return>::Err>>
    where
        F: Signature<A>,
    {
        let host = self.host(name)?;
        let (mut args, mut called) = (Some(args), None);
        let run = |function| {
            called = args.take().map(|args| {
                // SAFETY: the host lends a function that it has compared with this signature, and that ignores `this`.
                catch_unwind(AssertUnwindSafe(|| unsafe {
                    F::call(function, null(), args)
                }))
            });
        };
        lend::<F, A>(host, name, run).map_err(|message| VaultError::Signature { message })?;
        match called {
            None => Err(not_found(name)),
            Some(Err(own)) => resume_unwind(own),
            Some(Ok(Err(panicked))) => Err(VaultError::Panicked {
                name: name.to_owned(),
                message: panicked.text,
            }),
            Some(Ok(Ok(result))) => result.split().map_err(VaultError::Returned),
        }
    }

    /// Passes live data to the [`Handler`](super::Handler) of its type.
    ///
    /// # Errors
    /// Returns an error if there is no live type of this name, if it has no handler, if the data does not fit it, or if
    /// the handler returned an error or panicked.
    pub fn handle(&self, data: &LiveData) -> Result<Value, VaultError> {
        let name = data.type_name();
        let host = self.host(name)?;
        let arena = Arena::new();
        let lent = data.lend(&arena);
        let lent = RawArgs(<&LiveData as Arg>::cross(&lent).cast());
        // SAFETY: the host answers as the contract says. The name, the data, and `out` are alive until it returns. It
        // gave the token together with the table.
        let handled = unsafe {
            try_receive::<Handled>(|out| {
                host.table.live_handle()(host.token, StrView::new(name), lent, RawOut(out.cast()))
            })
        };
        match handled {
            Ok(Ok(result)) => result.map_err(|refused| refused_by(name, Ok(refused))),
            Ok(Err(error)) => Err(VaultError::Arguments {
                name: name.to_owned(),
                message: error.to_string(),
            }),
            Err(panicked) => Err(refused_by(name, Err(panicked))),
        }
    }

    /// Returns the live items of the newest generation, sorted by module and name.
    pub fn live_items(&self) -> Vec<LiveItem> {
        let Some(host) = self.0 else {
            return Vec::new();
        };
        // SAFETY: the host answers as the contract says. It gave the token together with the table.
        let listed =
            unsafe { try_receive(|out| host.table.live_items()(host.token, RawOut(out.cast()))) };
        listed.unwrap_or_default()
    }
}

impl fmt::Debug for VaultHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultHandle").finish_non_exhaustive()
    }
}

/// Asks the host to call `run` with the function of this name, if there is one. Returns an error if the signature
/// differs.
fn lend<F: Signature<A>, A>(
    host: Host,
    name: &str,
    mut run: impl FnMut(*const ()),
) -> Result<(), String> {
    unsafe extern "C" fn run_raw<R: FnMut(*const ())>(data: *mut (), function: *const ()) {
        // SAFETY: `data` is the address of the closure below, which only this call uses meanwhile.
        unsafe { (*data.cast::<R>())(function) }
    }
    fn call_of<R: FnMut(*const ())>(run: &mut R) -> LiveCall {
        LiveCall {
            data: std::ptr::from_mut(run).cast(),
            run: run_raw::<R>,
        }
    }
    let want = Wanted {
        params: F::PARAMS.into(),
        result: F::RESULT,
    };
    let (name, want) = (StrView::new(name), WantedRef((&raw const want).cast()));
    let call = call_of(&mut run);
    // SAFETY: all arguments are alive until this returns, and the host gave the token together with the table.
    let lent =
        collect(|sink| unsafe { host.table.live_call()(host.token, name, want, call, sink) });
    lent.map_err(|error| match error {
        HookError::Failed(message) | HookError::Panicked(message) => message,
    })
}

#[cold]
fn not_found<E>(name: &str) -> VaultError<E> {
    VaultError::NotFound {
        name: name.to_owned(),
    }
}

#[cold]
fn refused_by(name: &str, refused: Result<InvokeError, Panicked>) -> VaultError {
    let name = name.to_owned();
    match refused {
        Ok(InvokeError::Returned(error)) => VaultError::Returned(error),
        Ok(InvokeError::Unknown) => VaultError::NotFound { name },
        Ok(refused) => VaultError::Arguments {
            name,
            message: refused.to_string(),
        },
        Err(panicked) => VaultError::Panicked {
            name,
            message: panicked.text,
        },
    }
}
