//! The values and objects that the host puts into a generation before its plugins do.
use super::author::Author;
use super::contents::Contents;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::hook_thread;
use hotswap_plugin::boundary::HookError;
use hotswap_plugin::{BagError, BagValue, Extension, ExtensionError, LiveData, Value};
use std::fmt;

/// A generation that is being made, before any plugin's `on_init` runs: see
/// [`Builder::prefill`](crate::Builder::prefill).
pub struct Prefill<'a> {
    contents: &'a mut Contents,
    number: u64,
    plugins: &'a [PluginName],
}

impl Prefill<'_> {
    /// The number that the generation has if it becomes live.
    pub fn generation(&self) -> u64 {
        self.number
    }

    /// The plugins of the generation, each after those that it imports.
    pub fn plugins(&self) -> &[PluginName] {
        self.plugins
    }

    /// Puts a value into the data bag. Names are compared like the names of plugins. Plugins find the value there and
    /// cannot overwrite it. Pass a value of a `#[shared]` type as `Value::encode(&value)`.
    ///
    /// # Errors
    /// A plugin that goes on from the previous generation has already used this name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> Result<(), BagError> {
        let value = BagValue::Value(value.into());
        self.contents.bag.set(Author::Host, name, value)
    }

    /// Puts live data into the data bag: see [`set`](Self::set).
    ///
    /// # Errors
    /// The error of [`set`](Self::set).
    pub fn set_data(&mut self, name: &str, data: LiveData) -> Result<(), BagError> {
        let value = BagValue::Data(data);
        self.contents.bag.set(Author::Host, name, value)
    }

    /// Fills slots of an [extension](crate::Builder::extension) that the host was opened with. A plugin that fills one
    /// of these slots later is refused.
    ///
    /// # Errors
    /// The host was opened without this extension, or a plugin that goes on has filled one of the slots. In this case,
    /// no slot is filled.
    pub fn extend<E: Extension>(
        &mut self,
        fill: impl FnOnce(&mut E),
    ) -> Result<(), ExtensionError> {
        self.contents.extensions.fill_for_host(fill)
    }
}

impl fmt::Debug for Prefill<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefill")
            .field("generation", &self.number)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

type Closure = dyn Fn(&mut Prefill<'_>) -> Result<(), hotswap_plugin::Error> + Send + Sync;

/// The closures that put values and objects of the host into each generation.
#[derive(Default)]
pub(crate) struct Prefills(Vec<Box<Closure>>);

impl Prefills {
    pub(crate) fn add<E: fmt::Display>(
        &mut self,
        prefill: impl Fn(&mut Prefill<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) {
        self.0.push(Box::new(move |prefilled| {
            prefill(prefilled).map_err(|error| error.to_string().into())
        }));
    }

    /// Runs all closures.
    ///
    /// # Errors
    /// A closure has failed or panicked.
    pub(crate) fn run(
        &self,
        contents: &mut Contents,
        number: u64,
        plugins: &[PluginName],
    ) -> Result<(), ReloadError> {
        let mut prefill = Prefill {
            contents,
            number,
            plugins,
        };
        for run in &self.0 {
            hook_thread::callback(|| run(&mut prefill)).map_err(|error| match error {
                HookError::Failed(text) => ReloadError::Prefill(text),
                HookError::Panicked(text) => ReloadError::Prefill(format!("it panicked: {text}")),
            })?;
        }
        Ok(())
    }
}
