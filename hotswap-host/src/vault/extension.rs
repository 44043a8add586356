//! The extensions of a generation: the host's structs, with what its plugins have put into their slots.
//!
//! An object in a slot is shared by the generations that have it, each through its own struct. The last of them lets go of
//! it, which may run its plugin's `Drop`: see [`Extensions::into_objects`].
use crate::generation::Generation;
use crate::name::PluginName;
use hotswap_plugin::boundary::{ExtensionDesc, mismatch};
use hotswap_plugin::contract::vault::FilledSlot;
use hotswap_plugin::extension::AnySlot;
use hotswap_plugin::{Extension, ExtensionError};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;

/// The extensions that a host has, as its builder was told.
#[derive(Default)]
pub(crate) struct Kinds(Vec<Kind>);

struct Kind {
    ty: TypeId,
    desc: &'static ExtensionDesc,
    make: fn() -> Box<dyn AnyExtension>,
}

impl Kinds {
    /// Adds one; nothing where it is there already.
    pub(crate) fn add<E: Extension>(&mut self) {
        let ty = TypeId::of::<E>();
        if !self.0.iter().any(|kind| kind.ty == ty) {
            self.0.push(Kind {
                ty,
                desc: E::DESC,
                make: || Box::new(E::default()),
            });
        }
    }

    /// One of each, with empty slots.
    pub(super) fn make(&self) -> Extensions {
        let make = |kind: &Kind| Filled {
            desc: kind.desc,
            value: (kind.make)(),
            by: vec![None; kind.desc.slots.len()],
        };
        Extensions(self.0.iter().map(make).collect())
    }
}

/// An extension, whatever its type.
trait AnyExtension: Any + Send + Sync {
    fn slots(&self) -> Vec<&dyn AnySlot>;
    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot>;
}

impl<E: Extension> AnyExtension for E {
    fn slots(&self) -> Vec<&dyn AnySlot> {
        Extension::slots(self)
    }

    fn slots_mut(&mut self) -> Vec<&mut dyn AnySlot> {
        Extension::slots_mut(self)
    }
}

/// The extensions of one generation, in the order of their [`Kinds`].
#[derive(Default)]
pub(crate) struct Extensions(Vec<Filled>);

struct Filled {
    desc: &'static ExtensionDesc,
    value: Box<dyn AnyExtension>,
    /// Who has filled each of the slots.
    by: Vec<Option<PluginName>>,
}

impl Extensions {
    /// Puts what these plugins have filled into the extensions of another generation of the same host.
    pub(super) fn carry(&self, to: &mut Extensions, goes_on: impl Fn(&PluginName) -> bool) {
        for (from, to) in self.0.iter().zip(&mut to.0) {
            let slots = from.value.slots().into_iter().zip(&from.by);
            let empty = to.value.slots_mut().into_iter().zip(&mut to.by);
            for ((slot, by), (empty, filled_by)) in slots.zip(empty) {
                if by.as_ref().is_some_and(&goes_on)
                    && let Some(object) = slot.object()
                {
                    empty.set_object(object);
                    filled_by.clone_from(by);
                }
            }
        }
    }

    /// Fills slots of the extension that is described.
    ///
    /// # Errors
    /// There is none, or another version of it; one of the slots is filled already. Then none is filled.
    ///
    /// # Safety
    /// The slots are of an extension with this description, and their objects are alive.
    pub(super) unsafe fn fill(
        &mut self,
        plugin: &PluginName,
        desc: &ExtensionDesc,
        slots: &[FilledSlot],
    ) -> Result<(), ExtensionError> {
        let filled = self.find(desc)?;
        if let Some(message) = mismatch::extension(plugin.as_str(), desc, filled.desc) {
            return Err(ExtensionError::Mismatch { message });
        }
        for slot in slots {
            let own = || slot.again.then_some(plugin);
            if let Some(by) = filled.by[slot.index].as_ref().or_else(own) {
                return Err(ExtensionError::Filled {
                    extension: desc.name.to_string(),
                    slot: desc.slots[slot.index].name.to_string(),
                    by: by.to_string(),
                });
            }
        }
        let mut empty = filled.value.slots_mut();
        for slot in slots {
            // SAFETY: the descriptions are the same, so the object is one for this slot; it is alive by the caller's
            // promise.
            unsafe { empty[slot.index].put(slot.object) };
            filled.by[slot.index] = Some(plugin.clone());
        }
        Ok(())
    }

    /// The extension that is this one, or another version of it.
    fn find(&mut self, desc: &ExtensionDesc) -> Result<&mut Filled, ExtensionError> {
        let named = |filled: &&Filled| filled.desc.name == desc.name;
        let exact = |filled: &&Filled| named(filled) && filled.desc.origin == desc.origin;
        let mut all = self.0.iter();
        let at = all
            .position(|f| exact(&f))
            .or_else(|| self.0.iter().position(|f| named(&f)));
        match at {
            Some(at) => Ok(&mut self.0[at]),
            None => Err(ExtensionError::Unknown {
                extension: desc.name.to_string(),
                known: self
                    .0
                    .iter()
                    .map(|filled| filled.desc.name.to_string())
                    .collect(),
            }),
        }
    }

    /// The objects that no other generation has in a slot, by the plugins that put them there.
    pub(super) fn into_objects(self) -> BTreeMap<PluginName, Vec<Box<dyn Send>>> {
        let mut objects: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mut filled in self.0 {
            let slots = filled.value.slots_mut().into_iter().zip(filled.by);
            for (slot, by) in slots {
                if let (Some(object), Some(by)) = (slot.take_last(), by) {
                    objects.entry(by).or_default().push(object);
                }
            }
        }
        objects
    }
}

impl Generation {
    /// An extension, with what the plugins of this generation have put into its slots; `None` where the host was not opened
    /// with it: see [`Builder::extension`](crate::Builder::extension).
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # use hotswap_plugin::{Slot, extension, interface};
    /// #[interface]
    /// pub trait Meow: Send + Sync {
    ///     fn meow(&self, times: u32) -> String;
    /// }
    ///
    /// #[extension]
    /// pub struct Sounds {
    ///     pub meow: Slot<dyn Meow>,
    /// }
    ///
    /// # fn main() -> Result<(), ReloadError> {
    /// let swapper = Swapper::builder().extension::<Sounds>().open()?;
    /// let pin = swapper.pin();
    /// let sounds = pin.extension::<Sounds>().expect("the host has it");
    /// match sounds.meow.call(|cat| cat.meow(3)) {
    ///     Ok(Some(heard)) => println!("{heard}"),
    ///     Ok(None) => println!("no plugin meows"),
    ///     Err(panicked) => println!("the cat {panicked}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn extension<E: Extension>(&self) -> Option<&E> {
        let mut all = self.contents.extensions.0.iter();
        all.find_map(|filled| (&*filled.value as &dyn Any).downcast_ref())
    }
}
