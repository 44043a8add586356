//! The live types of a generation.
use super::lowering::Lowering;
use crate::error::{CallError, InvokeError};
use crate::instance::Instance;
use crate::instance::made::LiveTypeOf;
use crate::invoke::failed;
use hotswap_plugin::boundary::{Error, Panicked};
use hotswap_plugin::{LiveData, Value};
use std::borrow::Cow;
use std::fmt;

/// A live type of one generation: see [`Generation::live_type`](crate::Generation::live_type).
///
/// Its methods leave the data that they are given unchanged, even if they fail.
#[derive(Clone, Copy)]
pub struct LiveTypeRef<'g> {
    plugin: &'g Instance,
    name: &'g str,
    ty: LiveTypeOf<'g>,
    lowering: &'g Lowering,
}

impl<'g> LiveTypeRef<'g> {
    pub(crate) fn new(
        plugin: &'g Instance,
        name: &'g str,
        ty: LiveTypeOf<'g>,
        lowering: &'g Lowering,
    ) -> Self {
        LiveTypeRef {
            plugin,
            name,
            ty,
            lowering,
        }
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

    /// True if data may have to be lowered before the type understands it.
    pub(crate) fn may_lower(&self) -> bool {
        self.lowering.has_any()
    }

    /// Returns data that a newer build has saved as the type understands it. Returns `None` if no such build is loaded.
    pub(crate) fn lowered(&self, data: &LiveData) -> Option<Result<LiveData, String>> {
        self.lowering.lower(data, self.version())
    }

    /// Returns the data, lowered if a newer build has saved it that is [still loaded](crate::DataBuild).
    ///
    /// # Errors
    /// It cannot be lowered.
    fn understood<'d, E>(&self, data: &'d LiveData) -> Result<Cow<'d, LiveData>, CallError<E>> {
        match self.lowered(data) {
            None => Ok(Cow::Borrowed(data)),
            Some(Ok(lowered)) => Ok(Cow::Owned(lowered)),
            Some(Err(message)) => Err(self.unable(&message)),
        }
    }

    /// Restores the value with the current version of the type, and saves it again. This also lowers data that a newer build
    /// has saved, if that is [still loaded](crate::DataBuild).
    ///
    /// # Errors
    /// The data does not fit, or code of the type panicked, for instance in a migration.
    pub fn renew(&self, data: &LiveData) -> Result<LiveData, CallError> {
        self.saved(self.ty.renew(&*self.understood(data)?))
    }

    /// Returns the value as an earlier version of the type would have saved it.
    ///
    /// # Errors
    /// There is no migration down, the data does not fit, or code of the type panicked, for instance in a migration.
    pub fn lower(&self, data: &LiveData, version: u32) -> Result<LiveData, CallError> {
        let understood = self.understood(data)?;
        match understood.version() == version {
            true => Ok(understood.into_owned()),
            false => self.saved(self.ty.lower(&understood, version)),
        }
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
        let Some(handled) = self.ty.handle(&*self.understood(data)?) else {
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
