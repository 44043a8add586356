//! The trait behind `#[plugin]`.
use crate::boundary::{ExportDesc, FunctionDesc, Import, Result, Value};
use crate::contract::state::StateDesc;
use crate::live_data::LiveDataView;
use crate::{Context, LiveData, LoadData, Vault};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What `#[plugin]` implements: the constructor, the hooks, and the lists of what the plugin offers and needs.
///
/// Write `#[plugin]` on an inherent `impl` instead of implementing this by hand: the attribute also emits the entry
/// points of the shared library.
///
/// # The order of the hooks
/// `reloadable` and `construct`; for all new plugins `on_load`; for all of them `on_init`; the switch; `on_start`. Each runs in
/// the order of the imports: a plugin comes after those it imports.
/// Later `on_stop` at the next switch, and `on_free` after the last call of the instance has returned. An error or a
/// panic before the switch leaves the running generation as it is.
///
/// Where the instance and the one that takes its place have state, the switch is: calls wait; `on_stop`; `save` of the one
/// and `restore` of the other; the switch itself; calls go on. If something of that fails, `on_start` runs again.
///
/// # Safety
/// The functions of [`FUNCTIONS`](Self::FUNCTIONS) and the tables of [`EXPORTS`](Self::EXPORTS) may be called with the
/// address of a `Self`.
pub unsafe trait Plugin: Sized + Send + Sync + 'static {
    /// The plugin's name. Compared without case, `-` equal to `_`.
    const NAME: &'static str;
    /// The version of its crate.
    const VERSION: &'static str;
    /// The functions that can be called by name.
    const FUNCTIONS: &'static [FunctionDesc];
    /// The interfaces it exports.
    const EXPORTS: &'static [ExportDesc];
    /// What it imports; `()` for nothing.
    type Imports: Import;
    /// What [`save`](Self::save) saves and [`restore`](Self::restore) takes, where they are there.
    const STATE: Option<&'static StateDesc> = None;

    /// Makes the instance.
    ///
    /// # Errors
    /// The author's: the generation is not made.
    fn construct(cx: &Context, imports: Self::Imports) -> Result<Self>;

    /// Whether a running instance may be replaced by a newer build.
    fn reloadable(cx: &Context) -> bool {
        let _ = cx;
        true
    }

    /// Runs once all plugins of the generation exist, before that of plugins which import it.
    ///
    /// # Errors
    /// The author's: the generation is not made.
    fn on_load(this: Early<'_, Self>, data: &LoadData<'_>) -> Result<()> {
        let _ = (this, data);
        Ok(())
    }

    /// Runs once all plugins of the generation are loaded.
    ///
    /// # Errors
    /// The author's: the generation is not made.
    fn on_init(this: Early<'_, Self>, vault: &Vault<'_>) -> Result<()> {
        let _ = (this, vault);
        Ok(())
    }

    /// Runs just after the switch that made the instance live: begin background work here.
    fn on_start(&self) {}

    /// Runs at the switch that replaced the instance. Calls that began before may still be running.
    fn on_stop(&self) {}

    /// Saves the state for the instance that takes the place of this one, which knows its type as of `version`.
    ///
    /// # Errors
    /// The author's, or the state cannot be saved: the instance goes on.
    fn save(&self, version: u32) -> Result<LiveData> {
        let _ = version;
        Err("the plugin has no state".into())
    }

    /// Takes over the state of the instance before, after `on_init` and before the switch.
    ///
    /// # Errors
    /// The author's, or the state does not fit: the instance before goes on.
    fn restore(this: Early<'_, Self>, state: &LiveDataView<'_>) -> Result<()> {
        let _ = (this, state);
        Err("the plugin has no state".into())
    }

    /// Runs after the last use of the instance, before it is dropped.
    fn on_free(&mut self) {}

    /// Serves calls by name that none of [`FUNCTIONS`](Self::FUNCTIONS) covers; `None` for a name it does not know.
    fn invoke_func(&self, name: &str, args: &[Value]) -> Option<Result<Value>> {
        let _ = (name, args);
        None
    }
}

/// An instance in a hook that runs before it is live.
///
/// Plugins that import it have its exports since they were constructed, and may call them from threads that they have started.
/// So a plugin that exports something is shared in these hooks, as it is ever after. One that exports nothing is the hook's own.
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use hotswap_plugin::Early;
///
/// #[interface]
/// pub trait Hum: Send + Sync {}
///
/// #[derive(Default)]
/// struct World;
///
/// #[plugin]
/// impl World {}
///
/// # fn main() {
/// let _: &mut World = Early::from(&mut World).exclusive();
/// # }
/// ```
///
/// With `#[plugin(exports(Hum))]` it does not compile:
///
/// ```compile_fail,E0080
/// # use hotswap_plugin::prelude::*;
/// # use hotswap_plugin::Early;
/// # #[interface]
/// # pub trait Hum: Send + Sync {}
/// # #[derive(Default)]
/// # struct World;
/// #[plugin(exports(Hum))]
/// impl World {}
/// # impl Hum for World {}
/// # fn main() {
/// let _: &mut World = Early::from(&mut World).exclusive();
/// # }
/// ```
pub struct Early<'a, P> {
    this: NonNull<P>,
    hook: PhantomData<&'a mut P>,
}

impl<'a, P: Plugin> Early<'a, P> {
    /// # Safety
    /// `this` is an instance that lasts for `'a`, and nobody uses it meanwhile but those who call the tables of
    /// [`EXPORTS`](Plugin::EXPORTS).
    pub(crate) unsafe fn new(this: *mut ()) -> Self {
        Early {
            // SAFETY: the caller's promise: there is an instance.
            this: unsafe { NonNull::new_unchecked(this.cast()) },
            hook: PhantomData,
        }
    }

    /// The instance.
    pub fn shared(self) -> &'a P {
        // SAFETY: it is borrowed for `'a`, or lasts as long by the promise of `new`, and whoever calls its exports shares it.
        unsafe { self.this.as_ref() }
    }

    /// The instance, of a plugin that exports nothing. For others this does not compile.
    pub fn exclusive(mut self) -> &'a mut P {
        const {
            assert!(
                P::EXPORTS.is_empty(),
                "plugins that import this one may be calling it: take `&self`"
            );
        }
        // SAFETY: it is borrowed for `'a`, or lasts as long by the promise of `new`, where nobody else uses it: it exports nothing.
        unsafe { self.this.as_mut() }
    }
}

/// One that is nobody else's.
impl<'a, P> From<&'a mut P> for Early<'a, P> {
    fn from(this: &'a mut P) -> Self {
        Early {
            this: this.into(),
            hook: PhantomData,
        }
    }
}

impl<P> fmt::Debug for Early<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Early").finish_non_exhaustive()
    }
}
