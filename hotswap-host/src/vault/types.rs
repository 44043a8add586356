//! The live types of a generation.
use crate::error::{CallError, InvokeError};
use crate::instance::Instance;
use crate::instance::made::LiveTypeOf;
use crate::invoke::failed;
use hotswap_plugin::boundary::{Error, Panicked};
use hotswap_plugin::{LiveData, Value};
use std::fmt;

/// A live type of one generation: see [`Generation::live_type`](crate::Generation::live_type).
///
/// Its methods leave the data that they are given unchanged, even if they fail.
#[derive(Clone, Copy)]
pub struct LiveTypeRef<'g> {
    plugin: &'g Instance,
    name: &'g str,
    ty: LiveTypeOf<'g>,
}

impl<'g> LiveTypeRef<'g> {
    pub(crate) fn new(plugin: &'g Instance, name: &'g str, ty: LiveTypeOf<'g>) -> Self {
        LiveTypeRef { plugin, name, ty }
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
        self.ty.version()
    }

    pub(crate) fn instance(&self) -> &'g Instance {
        self.plugin
    }

    /// The operations of the type.
    pub(crate) fn ty(&self) -> LiveTypeOf<'g> {
        self.ty
    }

    /// Restores the value with the current version of the type, and saves it again.
    ///
    /// # Errors
    /// The data does not fit, or code of the type panicked, for instance in a migration.
    pub fn renew(&self, data: &LiveData) -> Result<LiveData, CallError> {
        self.saved(self.ty.renew(data))
    }

    /// Returns the value as an earlier version of the type would have saved it.
    ///
    /// # Errors
    /// There is no migration down, the data does not fit, or code of the type panicked, for instance in a migration.
    pub fn lower(&self, data: &LiveData, version: u32) -> Result<LiveData, CallError> {
        self.saved(self.ty.lower(data, version))
    }

    /// Makes a new value.
    ///
    /// # Errors
    /// The type has no default, or its code panicked.
    pub fn make(&self) -> Result<LiveData, CallError> {
        match self.ty.make() {
            Some(made) => self.saved(made),
            None => Err(self.unable("it has no default: derive `Default` for it")),
        }
    }

    /// Passes live data to the type's [handler](hotswap_plugin::live::Handler).
    ///
    /// # Errors
    /// The type has no handler, the data does not fit it, the handler returned an error, or it panicked.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        let Some(handled) = self.ty.handle(data) else {
            return Err(self.unable(NO_HANDLER));
        };
        let refused = match handled {
            Ok(Ok(Ok(value))) => return Ok(value),
            Ok(Ok(Err(refused))) => Ok(refused),
            Ok(Err(error)) => return Err(self.unable(&error.to_string())),
            Err(panicked) => Err(panicked),
        };
        Err(failed(self.plugin(), self.name, refused))
    }

    fn saved(
        &self,
        result: Result<Result<LiveData, Error>, Panicked>,
    ) -> Result<LiveData, CallError> {
        match result {
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

impl fmt::Debug for LiveTypeRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveTypeRef")
            .field("plugin", &self.plugin())
            .field("name", &self.name)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}
