//! `Vault`, the view of a generation that `on_init` gets: the data bag and the extensions.
mod bag;

pub use bag::{BagError, BagValue};

use crate::VaultHandle;
use crate::boundary::object::LentObject;
use crate::boundary::{ExtensionDesc, Value};
use crate::extension::{Extension, ExtensionError};
use crate::live_data::LiveData;
use abi_stable::std_types::RStr;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The generation that an instance is becoming part of, as `on_init` sees it. All plugins of the generation are loaded.
///
/// # What plugins put into it
/// The data bag has values with names, which the host and later plugins find there. The values lie in the host's
/// memory. An [extension](mod@crate::extension) has objects that the host calls. Each generation has its own data bag
/// and extensions. Entries of an instance that stays are also in the next generation, since its `on_init` does not run
/// again.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[derive(Default)]
/// struct Server {
///     port: u16,
/// }
///
/// #[plugin]
/// impl Server {
///     fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
///         if let Some(port) = vault.get("port") {
///             self.port = port.into_value().decode()?;
///         }
///         vault.set("greeting", format!("port {}", self.port))?;
///         Ok(())
///     }
/// }
///
/// // In a unit test, the vault has a data bag of its own.
/// let vault = Vault::for_test();
/// vault.set("port", 80)?;
/// Server::default().on_init(&vault)?;
/// assert_eq!(vault.get("greeting").unwrap().to_string(), "port 80");
/// # Ok::<(), Error>(())
/// ```
pub struct Vault<'a>(Source<'a>);

enum Source<'a> {
    Host(&'a dyn HostVault),
    Test {
        bag: Mutex<BTreeMap<String, BagValue>>,
    },
}

/// A generation that the host is making, behind a [`Vault`].
pub(crate) trait HostVault: Send + Sync {
    fn generation(&self) -> u64;
    fn plugins(&self) -> &[RStr<'_>];
    fn set(&self, name: &str, value: &BagValue) -> Result<(), BagError>;
    fn get(&self, name: &str) -> Option<BagValue>;
    /// Fills slots of the described extension.
    fn extend(
        &self,
        extension: &'static ExtensionDesc,
        slots: &[Filled<'_>],
    ) -> Result<(), ExtensionError>;
}

/// A slot that is filled, with its number among the slots of the extension.
pub(crate) struct Filled<'a> {
    pub(crate) index: usize,
    /// True if it was filled more than once.
    pub(crate) again: bool,
    pub(crate) object: LentObject<'a>,
}

impl<'a> Vault<'a> {
    /// Returns a vault for unit tests, with nothing loaded: generation 1, no plugins, an empty data bag, and any
    /// extension.
    pub fn for_test() -> Self {
        Vault(Source::Test {
            bag: Mutex::default(),
        })
    }

    pub(crate) fn new(vault: &'a dyn HostVault) -> Self {
        Vault(Source::Host(vault))
    }

    /// Returns the generation's number.
    pub fn generation(&self) -> u64 {
        match self.0 {
            Source::Host(vault) => vault.generation(),
            Source::Test { .. } => 1,
        }
    }

    /// Returns a handle that finds live functions and types by their names. Unlike the vault, it can be kept.
    pub fn handle(&self) -> VaultHandle {
        VaultHandle::new()
    }

    /// Returns the names of all plugins of the generation. Each plugin comes after those that it imports.
    pub fn plugins(&self) -> impl Iterator<Item = &'a str> {
        let names = match self.0 {
            Source::Host(vault) => vault.plugins(),
            Source::Test { .. } => &[],
        };
        names.iter().map(|name| name.as_str())
    }

    /// Puts a value into the data bag. Names are compared as those of plugins are. A value that this plugin put there
    /// before is overwritten. For a value of a `#[shared]` type, write `Value::encode(&value)`.
    ///
    /// # Errors
    /// Returns an error if another plugin has put a value there.
    pub fn set(&self, name: &str, value: impl Into<Value>) -> Result<(), BagError> {
        self.set_any(name, BagValue::Value(value.into()))
    }

    /// Puts live data into the data bag: see [`set`](Self::set).
    ///
    /// # Errors
    /// Returns an error if another plugin has put a value there.
    pub fn set_data(&self, name: &str, data: LiveData) -> Result<(), BagError> {
        self.set_any(name, BagValue::Data(data))
    }

    fn set_any(&self, name: &str, value: BagValue) -> Result<(), BagError> {
        match &self.0 {
            Source::Host(vault) => vault.set(name, &value),
            Source::Test { bag } => {
                let mut bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
                bag.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// Returns a copy of the value with this name in the data bag. The value is from this plugin, from one that comes
    /// before it, or from an instance that stays from the generation before. Values of plugins that come later are not
    /// there yet. The imports of a plugin come before it.
    pub fn get(&self, name: &str) -> Option<BagValue> {
        match &self.0 {
            Source::Host(vault) => vault.get(name),
            Source::Test { bag } => {
                let bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
                bag.get(name).cloned()
            }
        }
    }

    /// Fills slots of an [extension](mod@crate::extension) of the host. `fill` gets the extension with all slots empty,
    /// whatever other plugins have filled.
    ///
    /// # Errors
    /// Returns an error if the host has no such extension or another version of it, or if one of the slots is filled
    /// already. Then no slot is filled.
    pub fn extend<E: Extension>(&self, fill: impl FnOnce(&mut E)) -> Result<(), ExtensionError> {
        let mut extension = E::default();
        fill(&mut extension);
        let slots = extension.slots().into_iter().enumerate();
        let filled = slots.filter_map(|(index, slot)| {
            Some(Filled {
                index,
                again: slot.was_filled_again(),
                object: slot.lend()?,
            })
        });
        let filled: Vec<_> = filled.collect();
        match self.0 {
            Source::Host(vault) => vault.extend(E::DESC, &filled),
            Source::Test { .. } => match filled.iter().find(|slot| slot.again) {
                None => Ok(()),
                Some(slot) => Err(ExtensionError::Filled {
                    extension: E::DESC.name.to_string(),
                    slot: E::DESC.slots[slot.index].name.to_string(),
                    by: "test".into(),
                }),
            },
        }
    }
}
