//! The live types of a generation.
use crate::error::{CallError, InvokeError};
use crate::instance::Instance;
use crate::invoke::failed;
use hotswap_plugin::boundary::Status;
use hotswap_plugin::boundary::{Arena, Arg, try_receive};
use hotswap_plugin::contract::live::{Handled, LentData, LiveTypeDesc, SavedOut};
use hotswap_plugin::live_data::Saved;
use hotswap_plugin::{LiveData, Value};
use std::fmt;

/// A live type of one generation: see [`Generation::live_type`](crate::Generation::live_type).
///
/// Its methods leave the data that they are given unchanged, even if they fail.
#[derive(Clone, Copy)]
pub struct LiveTypeRef<'g> {
    plugin: &'g Instance,
    name: &'g str,
    desc: &'g LiveTypeDesc,
}

impl<'g> LiveTypeRef<'g> {
    pub(crate) fn new(plugin: &'g Instance, name: &'g str, desc: &'g LiveTypeDesc) -> Self {
        LiveTypeRef { plugin, name, desc }
    }

    /// The name of the type.
    pub fn name(&self) -> &'g str {
        self.name
    }

    /// The plugin that has the type.
    pub fn plugin(&self) -> &'g str {
        self.plugin.name().as_str()
    }

    /// The schema version of the type.
    pub fn version(&self) -> u32 {
        self.desc.version
    }

    pub(crate) fn instance(&self) -> &'g Instance {
        self.plugin
    }

    pub(crate) fn desc(&self) -> &'g LiveTypeDesc {
        self.desc
    }

    /// Restores the value with the current version of the type, and saves it again.
    ///
    /// # Errors
    /// The data does not fit, or code of the type panicked, for instance in a migration.
    pub fn renew(&self, data: &LiveData) -> Result<LiveData, CallError> {
        // SAFETY: the generation is borrowed, so the library is mapped.
        self.saved(|out| lend(data, |data| unsafe { (self.desc.renew)(data, out) }))
    }

    /// Returns the value as an earlier version of the type would have saved it.
    ///
    /// # Errors
    /// There is no migration down, the data does not fit, or code of the type panicked, for instance in a migration.
    pub fn lower(&self, data: &LiveData, version: u32) -> Result<LiveData, CallError> {
        // SAFETY: the generation is borrowed, so the library is mapped.
        self.saved(|out| {
            lend(data, |data| unsafe {
                (self.desc.lower)(data, version, out)
            })
        })
    }

    /// Makes a new value.
    ///
    /// # Errors
    /// The type has no default, or its code panicked.
    pub fn make(&self) -> Result<LiveData, CallError> {
        let Some(make) = self.desc.make else {
            return Err(self.unable("it has no default: derive `Default` for it"));
        };
        // SAFETY: the generation is borrowed, so the library is mapped.
        self.saved(|out| unsafe { make(out) })
    }

    /// Passes live data to the type's [handler](hotswap_plugin::live::Handler).
    ///
    /// # Errors
    /// The type has no handler, the data does not fit it, the handler returned an error, or it panicked.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        let Some(handle) = self.desc.handle else {
            return Err(self.unable(NO_HANDLER));
        };
        // SAFETY: the generation is borrowed, so the library is mapped.
        let handled = unsafe { try_receive::<Handled>(|out| lend(data, |data| handle(data, out))) };
        let refused = match handled {
            Ok(Ok(Ok(value))) => return Ok(value),
            Ok(Ok(Err(refused))) => Ok(refused),
            Ok(Err(error)) => return Err(self.unable(&error.to_string())),
            Err(panicked) => Err(panicked),
        };
        Err(failed(self.plugin(), self.name, refused))
    }

    fn saved(&self, call: impl FnOnce(*mut SavedOut) -> Status) -> Result<LiveData, CallError> {
        // SAFETY: `call` passes `out` to a function of the type, which writes a `Saved` there.
        match unsafe { try_receive::<Saved>(call) } {
            Ok(Ok(data)) => Ok(data),
            Ok(Err(error)) => Err(self.unable(&error.to_string())),
            Err(panicked) => Err(CallError::Panicked {
                plugin: self.plugin().to_owned(),
                function: self.name.to_owned(),
                message: panicked.text,
            }),
        }
    }

    #[cold]
    fn unable<E>(&self, message: &str) -> CallError<E> {
        CallError::Arguments {
            plugin: self.plugin().to_owned(),
            function: self.name.to_owned(),
            message: message.to_owned(),
        }
    }
}

/// The error of a type that has no handler.
pub(crate) const NO_HANDLER: &str = "it has no handler: implement `Handler` for it";

/// Lends data as a parameter.
fn lend<R>(data: &LiveData, call: impl FnOnce(LentData) -> R) -> R {
    let arena = Arena::new();
    let lent = data.lend(&arena);
    call(<&LiveData as Arg>::cross(&lent))
}

impl fmt::Debug for LiveTypeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveTypeRef")
            .field("plugin", &self.plugin())
            .field("name", &self.name)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
