//! `VaultHandle`, with which a plugin finds the live functions and types of the newest generation.
use super::{LiveItem, VaultError};
use crate::boundary::signature::call_live;
use crate::boundary::{InvokeError, Panicked, Return, Signature};
use crate::host::{self, Host};
use crate::{LiveData, Value};
use std::fmt;
use std::panic::resume_unwind;

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
        host.live_invoke(name, args, |refused| refused_by(name, refused))
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
        let called = call_live::<F, A>(host, name, args);
        match called.map_err(|message| VaultError::Signature { message })? {
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
        match self.host(name)?.live_handle(data) {
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
        self.0
            .map_or_else(Vec::new, |host| host.live_items().unwrap_or_default())
    }
}

impl fmt::Debug for VaultHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultHandle").finish_non_exhaustive()
    }
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
