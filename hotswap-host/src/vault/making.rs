//! Answers the requests of plugins in `on_init`, which they make through their `Vault`.
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

/// A generation that is being made, as seen by the plugin whose `on_init` is running.
pub(crate) struct Vault<'a> {
    plugin: &'a PluginName,
    contents: &'a Mutex<Contents>,
}

impl<'a> Vault<'a> {
    pub(crate) fn new(plugin: &'a PluginName, contents: &'a Mutex<Contents>) -> Self {
        Vault { plugin, contents }
    }

    /// Returns the view that the plugin gets for as long as its hook runs.
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

    /// Returns the vault behind a view.
    ///
    /// # Safety
    /// The plugin whose hook is running calls this, with the [`view`](Self::view) of a vault.
    unsafe fn of(making: Making) -> &'a Self {
        // SAFETY: the caller guarantees that the view belongs to a vault, which is borrowed until the hook returns.
        unsafe { &*making.0.cast() }
    }

    /// Locks the contents. No code of a plugin runs while they are locked, because everything that is put into them is
    /// copied or counted.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type OutOf<R> = Out<<R as Shared>::View>;

unsafe extern "C" fn bag_set(making: Making, name: StrView, value: RawArgs, out: RawOut) -> Status {
    // SAFETY: the code of the plugin calls this. It keeps its arguments alive meanwhile, and waits for this answer.
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
    // SAFETY: the code of the plugin calls this. It keeps its arguments alive meanwhile, and waits for this answer.
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
    // SAFETY: the code of the plugin calls this. It keeps its arguments alive meanwhile, and waits for this answer. The
    // slots belong to an extension with this description.
    unsafe {
        answer(out.0.cast::<OutOf<Result<(), ExtensionError>>>(), || {
            let vault = Vault::of(making);
            let desc = &*extension.0.cast::<ExtensionDesc>();
            let slots = slots.0.cast::<SliceView<FilledSlot>>().read().get();
            vault.contents().extensions.fill(vault.plugin, desc, slots)
        })
    }
}
