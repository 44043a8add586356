//! The trait that `#[plugin]` implements.
use crate::boundary::{ExportDesc, FunctionDesc, Import, Result, Tables, Value};
use crate::contract::state::StateDesc;
use crate::live_data::LiveDataView;
use crate::{Context, LiveData, LoadData, Vault};
use std::fmt;

/// A plugin: its constructor, its hooks, and the lists of what it offers and needs. `#[plugin]` implements this trait.
///
/// Write `#[plugin]` on an inherent `impl` instead of implementing this trait by hand: the attribute also emits the
/// entry points of the shared library.
///
/// # The order of the hooks
/// The hooks before the switch are `reloadable` and `construct`, then `on_load` of all new plugins, then `on_init` of
/// all of them. `on_start` follows after the switch. Each runs in the order of the imports: a plugin comes after those
/// that it imports. `on_stop` runs at the next switch, and `on_free` after the last call of the instance has returned.
/// An error or a panic before the switch leaves the running generation as it is.
///
/// If both the instance and its successor have state, the switch has more steps: new calls wait; `on_stop` and `save`
/// of the old instance run, then `restore` of the new one; the host switches; the calls go on. If one of these steps
/// fails, `on_start` of the old instance runs again.
pub trait Plugin: Sized + Send + Sync + 'static {
    /// The plugin's name. Names are compared without case, and `-` is equal to `_`.
    const NAME: &'static str;
    /// The version of the plugin's crate.
    const VERSION: &'static str;
    /// The functions that can be called by name.
    const FUNCTIONS: &'static [FunctionDesc];
    /// The interfaces that the plugin exports.
    const EXPORTS: &'static [ExportDesc];
    /// The same functions and interfaces, with the promise that they work on instances of this type.
    const TABLES: Tables<Self>;
    /// The plugin's imports; `()` for none.
    type Imports: Import;
    /// The state that [`save`](Self::save) saves and [`restore`](Self::restore) takes, if the plugin has these hooks.
    const STATE: Option<&'static StateDesc> = None;
    /// What the type of the state declares of its earlier versions, as JSON; empty if nothing is known.
    #[doc(hidden)]
    const STATE_HISTORY: &'static str = "";

    /// Makes the instance.
    ///
    /// # Errors
    /// Returns the author's error; then the host does not make the generation.
    fn construct(cx: &Context, imports: Self::Imports) -> Result<Self>;

    /// Returns true if a newer build may replace the running instance.
    fn reloadable(cx: &Context) -> bool {
        let _ = cx;
        true
    }

    /// Runs once all plugins of the generation exist, and before the `on_load` of plugins that import this one.
    ///
    /// # Errors
    /// Returns the author's error; then the host does not make the generation.
    fn on_load(this: Early<'_, Self>, data: &LoadData<'_>) -> Result<()> {
        let _ = (this, data);
        Ok(())
    }

    /// Runs once all plugins of the generation are loaded.
    ///
    /// # Errors
    /// Returns the author's error; then the host does not make the generation.
    fn on_init(this: Early<'_, Self>, vault: &Vault<'_>) -> Result<()> {
        let _ = (this, vault);
        Ok(())
    }

    /// Runs just after the switch that made the instance live. Background work begins here.
    fn on_start(&self) -> Result<()> {
        Ok(())
    }

    /// Runs at the switch that replaces the instance. Calls that began before it may still be running.
    fn on_stop(&self) {}

    /// Saves the state for the successor of this instance, which knows the state's type as of `version`. In a hand-over,
    /// this comes after [`on_stop`](Self::on_stop). A probe copies the state while calls go on, and the instance stays
    /// live.
    ///
    /// # Errors
    /// Returns the author's error, or an error if the state cannot be saved. Then the instance stays live.
    fn save(&self, version: u32) -> Result<LiveData> {
        let _ = version;
        Err("the plugin has no state".into())
    }

    /// Takes over the state of the predecessor, after `on_init` and before the switch.
    ///
    /// # Errors
    /// Returns the author's error, or an error if the state does not fit. Then the predecessor stays live.
    fn restore(this: Early<'_, Self>, state: &LiveDataView<'_>) -> Result<()> {
        let _ = (this, state);
        Err("the plugin has no state".into())
    }

    /// Runs after the last use of the instance, before it is dropped.
    fn on_free(&mut self) {}

    /// Serves calls by name that none of [`FUNCTIONS`](Self::FUNCTIONS) covers. Returns `None` for a name that it does
    /// not know.
    fn invoke_func(&self, name: &str, args: &[Value]) -> Option<Result<Value>> {
        let _ = (name, args);
        None
    }
}

/// An instance in a hook that runs before the instance is live.
///
/// Plugins that import it have its exports from their own construction on, and may call them from threads that they
/// have started. So a plugin with exports is shared already in these hooks. A plugin without exports belongs to the
/// hook alone.
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
/// With `#[plugin(exports(Hum))]` this does not compile:
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
pub struct Early<'a, P>(Access<'a, P>);

enum Access<'a, P> {
    /// Those who import the instance may be calling it.
    Shared(&'a P),
    Exclusive(&'a mut P),
}

impl<'a, P: Plugin> Early<'a, P> {
    /// Returns the instance of a plugin with exports.
    pub(crate) fn of_shared(this: &'a P) -> Self {
        Early(Access::Shared(this))
    }

    /// Returns the instance as a shared reference.
    pub fn shared(self) -> &'a P {
        match self.0 {
            Access::Shared(this) => this,
            Access::Exclusive(this) => this,
        }
    }

    /// Returns the instance of a plugin without exports as an exclusive reference. For other plugins this does not
    /// compile.
    pub fn exclusive(self) -> &'a mut P {
        const {
            assert!(
                P::TABLES.exports.is_empty(),
                "plugins that import this one may be calling it: take `&self`"
            );
        }
        match self.0 {
            Access::Exclusive(this) => this,
            Access::Shared(_) => unreachable!("only a plugin with exports is shared"),
        }
    }
}

/// From a reference that is exclusive already: in a hook of a plugin without exports, and in unit tests.
impl<'a, P> From<&'a mut P> for Early<'a, P> {
    fn from(this: &'a mut P) -> Self {
        Early(Access::Exclusive(this))
    }
}

impl<P> fmt::Debug for Early<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Early").finish_non_exhaustive()
    }
}
