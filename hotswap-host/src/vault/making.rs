//! What plugins ask of the host in `on_init`, through their `Vault`.
use super::author::Author;
use super::contents::Contents;
use crate::base::name::PluginName;
use abi_stable::std_types::{RSlice, RStr};
use hotswap_plugin::boundary::{ExtensionDesc, Out, Shared, SliceView, Status, StrView, answer};
use hotswap_plugin::contract::VaultView;
use hotswap_plugin::contract::host_table::{RawArgs, RawOut};
use hotswap_plugin::contract::vault::{ExtensionRef, FilledSlot, Making};
use hotswap_plugin::{BagError, BagValue, ExtensionError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A generation that is being made, as the plugin sees it whose `on_init` runs.
pub(crate) struct Vault<'a> {
    plugin: &'a PluginName,
    contents: &'a Mutex<Contents>,
}

impl<'a> Vault<'a> {
    pub(crate) fn new(plugin: &'a PluginName, contents: &'a Mutex<Contents>) -> Self {
        Vault { plugin, contents }
    }

    /// What the plugin gets, for as long as its hook runs.
    pub(crate) fn view(&'a self, generation: u64, plugins: &'a [RStr<'a>]) -> VaultView<'a> {
        VaultView {
            generation,
            plugins: RSlice::from_slice(plugins),
            making: Making(std::ptr::from_ref(self).cast()),
            bag_set,
            bag_get,
            extend,
        }
    }

    /// # Safety
    /// Called by the plugin whose hook runs with [`view`](Self::view) of one of these.
    unsafe fn of(making: Making) -> &'a Self {
        // SAFETY: the caller's promise: what the view was made of is borrowed until the hook returns.
        unsafe { &*making.0.cast() }
    }

    /// No code of a plugin runs while this is had: what is put into it is copied, or counted.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type OutOf<R> = Out<<R as Shared>::View>;

unsafe extern "C" fn bag_set(making: Making, name: StrView, value: RawArgs, out: RawOut) -> Status {
    // SAFETY: called by the plugin's code, which keeps its arguments alive meanwhile, and waits for this answer.
    unsafe {
        answer(out.0.cast::<OutOf<Result<(), BagError>>>(), || {
            let value = BagValue::from_view(value.0.cast::<<BagValue as Shared>::View>().read());
            let vault = Vault::of(making);
            let author = Author::Plugin(vault.plugin);
            vault.contents().bag.set(author, name.get(), value)
        })
    }
}

unsafe extern "C" fn bag_get(making: Making, name: StrView, out: RawOut) -> Status {
    // SAFETY: as in `bag_set`.
    unsafe {
        answer(out.0.cast::<OutOf<Option<BagValue>>>(), || {
            Vault::of(making).contents().bag.get(name.get()).cloned()
        })
    }
}

unsafe extern "C" fn extend(
    making: Making,
    extension: ExtensionRef,
    slots: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: as in `bag_set`; the slots are of an extension with this description.
    unsafe {
        answer(out.0.cast::<OutOf<Result<(), ExtensionError>>>(), || {
            let vault = Vault::of(making);
            let desc = &*extension.0.cast::<ExtensionDesc>();
            let slots = slots.0.cast::<SliceView<FilledSlot>>().read().get();
            vault.contents().extensions.fill(vault.plugin, desc, slots)
        })
    }
}
