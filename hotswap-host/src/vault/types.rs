//! Live types of a generation.
use crate::error::{CallError, InvokeError};
use crate::instance::Instance;
use crate::invoke::failed;
use hotswap_plugin::boundary::Status;
use hotswap_plugin::boundary::{Arena, Arg, try_receive};
use hotswap_plugin::contract::live::{Handled, LentData, LiveTypeDesc, SavedOut};
use hotswap_plugin::live_data::Saved;
use hotswap_plugin::{LiveData, Value};
use std::fmt;

/// A live type, as it is in one generation: see [`Generation::live_type`](crate::Generation::live_type).
///
/// The data that it is given is left as it is, whatever comes of it.
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

    /// Its name.
    pub fn name(&self) -> &'g str {
        self.name
    }

    /// The plugin that has it.
    pub fn plugin(&self) -> &'g str {
        self.plugin.name().as_str()
    }

    /// Its schema version.
    pub fn version(&self) -> u32 {
        self.desc.version
    }

    pub(crate) fn instance(&self) -> &'g Instance {
        self.plugin
    }

    pub(crate) fn desc(&self) -> &'g LiveTypeDesc {
        self.desc
    }

    /// Restores the value as the type is now, and saves it again.
    ///
    /// # Errors
    /// Data that does not fit; a panic, of a migration for instance.
    pub fn renew(&self, data: &LiveData) -> Result<LiveData, CallError> {
        // SAFETY: whoever lends the generation keeps the library.
        self.saved(|out| lend(data, |data| unsafe { (self.desc.renew)(data, out) }))
    }

    /// The value as an earlier version of the type would have saved it.
    ///
    /// # Errors
    /// There is no way down; data that does not fit; a panic, of a migration for instance.
    pub fn lower(&self, data: &LiveData, version: u32) -> Result<LiveData, CallError> {
        // SAFETY: as above.
        self.saved(|out| {
            lend(data, |data| unsafe {
                (self.desc.lower)(data, version, out)
            })
        })
    }

    /// A new value.
    ///
    /// # Errors
    /// The type has no default; a panic.
    pub fn make(&self) -> Result<LiveData, CallError> {
        let Some(make) = self.desc.make else {
            return Err(self.unable("it has no default: derive `Default` for it"));
        };
        // SAFETY: as above.
        self.saved(|out| unsafe { make(out) })
    }

    /// Hands live data to its [handler](hotswap_plugin::live::Handler).
    ///
    /// # Errors
    /// The type has no handler; data that does not fit it; the handler's own error, a panic.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        let Some(handle) = self.desc.handle else {
            return Err(self.unable(NO_HANDLER));
        };
        // SAFETY: as above.
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
        // SAFETY: `call` hands `out` to a function of the type's that gives this.
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

/// What is said of a type that has no handler.
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
