//! `Context`: the plugin's identity, and its way to the host.
use crate::contract::ContextView;
use crate::contract::host_table::REQUEST_PATCH;
use crate::host::Host;
use crate::{Value, VaultError, VaultHandle};
use std::fmt;

/// The plugin's own name, version, build, and generation, and a way to ask the host for a reload.
///
/// Clone it to keep it. A clone keeps the build and the generation that it was made for.
#[derive(Clone)]
pub struct Context {
    name: String,
    version: String,
    build_id: String,
    generation: u64,
    reloads: u64,
    is_static: bool,
    host: Option<Host>,
}

impl Context {
    /// Returns a context for unit tests, with nothing loaded. The plugin's name is `test`, the generation is 1, and a
    /// request for a reload does nothing.
    ///
    /// ```
    /// let cx = hotswap_plugin::Context::for_test();
    /// assert_eq!((cx.name(), cx.generation()), ("test", 1));
    /// cx.request_reload();
    /// ```
    pub fn for_test() -> Self {
        Context {
            name: "test".into(),
            version: "0.0.0".into(),
            build_id: "0".repeat(32),
            generation: 1,
            reloads: 0,
            is_static: false,
            host: None,
        }
    }

    pub(crate) fn new(view: &ContextView<'_>, host: Option<Host>, is_static: bool) -> Self {
        Context {
            name: view.name.as_str().to_owned(),
            version: view.version.as_str().to_owned(),
            build_id: view.build_id.as_str().to_owned(),
            generation: view.generation,
            reloads: view.reloads,
            is_static,
            host,
        }
    }

    /// Returns the plugin's name, as the host knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version of the plugin's crate.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the build id: 32 hexadecimal digits, a hash of the library's bytes.
    pub fn build_id(&self) -> &str {
        &self.build_id
    }

    /// Returns the number of the generation that this instance was made for. An instance that is kept while other
    /// plugins are replaced lives on in later generations.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns how many reloads the host had completed when this instance was made. The number does not change while
    /// the instance lives; the host has the current one, `Swapper::reloads`.
    pub fn reloads_when_made(&self) -> u64 {
        self.reloads
    }

    /// Returns true if `cargo hotswap build --static` has linked the plugin into the host's program. Such a plugin is
    /// never replaced while the program runs.
    pub fn is_static(&self) -> bool {
        self.is_static
    }

    /// Returns a handle that finds live functions and types by their names.
    pub fn vault(&self) -> VaultHandle {
        VaultHandle::of(self.host)
    }

    /// Asks the host for a reload, which begins once the current call has returned. Several requests in a row are one.
    /// A host that the plugin is [linked into](Self::is_static) refuses, and says so in its log.
    pub fn request_reload(&self) {
        if let Some(host) = self.host {
            host.request_reload();
        }
    }

    /// Asks the host that another function of this plugin, `by`, answers the calls of its function `function`. Both have
    /// `#[invoke]`, and the same signature. Calls that are running, such as the one that asks, go on as they began; calls of the
    /// host meet the other function as soon as the host has applied this, on a thread of its own. It is a version of the plugin
    /// like any other, which the host lists and may roll back, and ends with the host.
    ///
    /// ```no_run
    /// use hotswap_plugin::prelude::*;
    ///
    /// # fn run(cx: &Context) -> Result<()> {
    /// // The plugin has found out that the machine is slow.
    /// cx.request_patch("hum", "hum_softly")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With nothing loaded, as in unit tests, this does nothing.
    ///
    /// # Errors
    /// The host does not let plugins do this, which is the default, or is too old for it. Whatever keeps the host from applying
    /// the patch later, such as a name that the plugin does not have, is in its log and its history.
    pub fn request_patch(&self, function: &str, by: &str) -> crate::Result<()> {
        if self.host.is_none() {
            return Ok(());
        }
        match self.vault().invoke(REQUEST_PATCH, &[function.into(), by.into()]) {
            Ok(_) => Ok(()),
            Err(VaultError::Returned(Value::Str(refused))) => Err(refused.into()),
            Err(VaultError::NotFound { .. }) => Err(
                "this host does not patch plugins at their request: it is too old for that, or has shut down".into(),
            ),
            Err(error) => Err(error.to_string().into()),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("build_id", &self.build_id)
            .field("generation", &self.generation)
            .field("reloads", &self.reloads)
            .finish_non_exhaustive()
    }
}
