//! What the plugins of a generation share.
mod bag;

pub use bag::{BagError, BagValue};

use crate::VaultHandle;
use crate::boundary::{Arena, Shared, SliceView, StrView, Value, receive};
use crate::contract::VaultView;
use crate::contract::host_table::{RawArgs, RawOut};
use crate::contract::vault::{ExtensionRef, FilledSlot};
use crate::extension::{Extension, ExtensionError};
use crate::live_data::LiveData;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The generation that an instance is becoming part of, as `on_init` sees it: all its plugins are loaded.
///
/// # What plugins put into it
/// The data bag has values with names, which the host and the plugins after this one find there; they lie in the host's
/// memory. An [extension](mod@crate::extension) has objects that the host calls. Each generation has its own of both: what an
/// instance put there is in the next one where the instance goes on, since its `on_init` does not run again.
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
/// // In unit tests the bag is that of the vault alone.
/// let vault = Vault::for_test();
/// vault.set("port", 80)?;
/// Server::default().on_init(&vault)?;
/// assert_eq!(vault.get("greeting").unwrap().to_string(), "port 80");
/// # Ok::<(), Error>(())
/// ```
pub struct Vault<'a>(Source<'a>);

enum Source<'a> {
    Host(&'a VaultView<'a>),
    Test {
        bag: Mutex<BTreeMap<String, BagValue>>,
    },
}

impl<'a> Vault<'a> {
    /// For unit tests, with nothing loaded: generation 1, no plugins, an empty data bag, any extension.
    pub fn for_test() -> Self {
        Vault(Source::Test {
            bag: Mutex::default(),
        })
    }

    pub(crate) fn new(view: &'a VaultView<'a>) -> Self {
        Vault(Source::Host(view))
    }

    /// The generation's number.
    pub fn generation(&self) -> u64 {
        match self.0 {
            Source::Host(view) => view.generation,
            Source::Test { .. } => 1,
        }
    }

    /// What can be kept, unlike this, and finds live functions and types by their names.
    pub fn handle(&self) -> VaultHandle {
        VaultHandle::new()
    }

    /// The names of all its plugins: each after those it imports.
    pub fn plugins(&self) -> impl Iterator<Item = &'a str> {
        let names = match self.0 {
            Source::Host(view) => view.plugins.as_slice(),
            Source::Test { .. } => &[],
        };
        names.iter().map(|name| name.as_str())
    }

    /// Puts a value into the data bag, under a name that is compared as those of plugins are. What this plugin put there
    /// before is overwritten. A value of a `#[shared]` type goes there as `Value::encode(&value)`.
    ///
    /// # Errors
    /// Another plugin has put something there.
    pub fn set(&self, name: &str, value: impl Into<Value>) -> Result<(), BagError> {
        self.set_any(name, BagValue::Value(value.into()))
    }

    /// Puts live data into the data bag: see [`set`](Self::set).
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_data(&self, name: &str, data: LiveData) -> Result<(), BagError> {
        self.set_any(name, BagValue::Data(data))
    }

    fn set_any(&self, name: &str, value: BagValue) -> Result<(), BagError> {
        match &self.0 {
            Source::Host(view) => {
                let arena = Arena::new();
                let value = value.view(&arena);
                let value = RawArgs((&raw const value).cast());
                // SAFETY: the contract says what the host reads and answers; all of it is alive until it returns.
                unsafe {
                    receive(|out| {
                        (view.bag_set)(view.making, StrView::new(name), value, RawOut(out.cast()))
                    })
                }
            }
            Source::Test { bag } => {
                let mut bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
                bag.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// What is in the data bag under this name: a copy of what this plugin has put there, or one that comes before it, or
    /// an instance that goes on from the generation before. What a plugin that comes later puts there is not there yet;
    /// those that it imports come before a plugin.
    pub fn get(&self, name: &str) -> Option<BagValue> {
        match &self.0 {
            // SAFETY: the contract says what the host answers; the name is alive until it returns.
            Source::Host(view) => unsafe {
                receive(|out| (view.bag_get)(view.making, StrView::new(name), RawOut(out.cast())))
            },
            Source::Test { bag } => {
                let bag = bag.lock().unwrap_or_else(PoisonError::into_inner);
                bag.get(name).cloned()
            }
        }
    }

    /// Fills slots of an [extension](mod@crate::extension) that the host has. `fill` gets it with all slots empty, whatever
    /// other plugins have filled.
    ///
    /// # Errors
    /// The host has no such extension, or another version of it; one of the slots is filled already. Then none is filled.
    pub fn extend<E: Extension>(&self, fill: impl FnOnce(&mut E)) -> Result<(), ExtensionError> {
        let mut extension = E::default();
        fill(&mut extension);
        let slots = extension.slots().into_iter().enumerate();
        let filled = slots.filter_map(|(index, slot)| {
            Some(FilledSlot {
                index,
                again: slot.was_filled_again(),
                object: slot.view()?,
            })
        });
        let filled: Vec<_> = filled.collect();
        match self.0 {
            Source::Host(view) => {
                let desc = ExtensionRef(std::ptr::from_ref(E::DESC).cast());
                let slots = SliceView::new(&filled);
                let slots = RawArgs((&raw const slots).cast());
                // SAFETY: the contract says what the host reads and answers. The objects are counted by `extension`, which
                // is alive until it returns, as is all else.
                unsafe {
                    receive(|out| (view.extend)(view.making, desc, slots, RawOut(out.cast())))
                }
            }
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
