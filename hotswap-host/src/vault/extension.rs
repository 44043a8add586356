//! The extensions of a generation: structs of the host, with the objects that plugins have put into their slots.
//!
//! The generations that have an object in a slot share it, each through its own struct. The last of them drops the
//! object, which may run its plugin's `Drop`: see [`Extensions::into_objects`].
use super::author::Author;
use crate::base::name::PluginName;
use crate::requests::LentSlots;
use hotswap_plugin::boundary::ExtensionDesc;
use hotswap_plugin::extension::AnySlot;
use hotswap_plugin::{Extension, ExtensionError};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;

/// The extensions that the host's builder has added.
#[derive(Default)]
pub(crate) struct Kinds(Vec<Kind>);

struct Kind {
    ty: TypeId,
    desc: &'static ExtensionDesc,
    make: fn() -> Box<dyn AnyExtension>,
}

impl Kinds {
    /// Adds an extension, unless it has already been added.
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

    /// Makes one of each, with empty slots.
    pub(super) fn make(&self) -> Extensions {
        let make = |kind: &Kind| Filled {
            desc: kind.desc,
            value: (kind.make)(),
            by: vec![By::Empty; kind.desc.slots.len()],
        };
        Extensions(self.0.iter().map(make).collect())
    }
}

/// An extension of any type.
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
    /// The authors of the objects in the slots.
    by: Vec<By>,
}

/// The author of the object in a slot.
#[derive(Clone, Default)]
enum By {
    #[default]
    Empty,
    /// The host, or this plugin.
    Author(Option<PluginName>),
}

impl By {
    /// Returns true if the author is a plugin that satisfies `which`.
    fn is_plugin(&self, which: impl Fn(&PluginName) -> bool) -> bool {
        matches!(self, By::Author(Some(plugin)) if which(plugin))
    }
}

impl Filled {
    /// Returns an error if the slot is not empty.
    ///
    /// # Errors
    /// The slot has already been filled, by another author or, if `again`, by the same call.
    fn check_empty(
        &self,
        index: usize,
        again: bool,
        author: Author<'_>,
    ) -> Result<(), ExtensionError> {
        let by = match &self.by[index] {
            By::Author(by) => Author::of(by),
            By::Empty if again => author,
            By::Empty => return Ok(()),
        };
        Err(ExtensionError::Filled {
            extension: self.desc.name.to_string(),
            slot: self.desc.slots[index].name.to_string(),
            by: by.to_string(),
        })
    }
}

impl Extensions {
    /// Returns the extension of this type, if the host was opened with it.
    pub(crate) fn get<E: Extension>(&self) -> Option<&E> {
        let mut all = self.0.iter();
        all.find_map(|filled| (&*filled.value as &dyn Any).downcast_ref())
    }

    /// Puts the objects of the plugins that go on into the extensions of another generation of the same host.
    pub(super) fn carry(&self, to: &mut Extensions, goes_on: impl Fn(&PluginName) -> bool) {
        for (from, to) in self.0.iter().zip(&mut to.0) {
            let slots = from.value.slots().into_iter().zip(&from.by);
            let empty = to.value.slots_mut().into_iter().zip(&mut to.by);
            for ((slot, by), (empty, filled_by)) in slots.zip(empty) {
                if by.is_plugin(&goes_on)
                    && let Some(object) = slot.object()
                {
                    empty.set_object(object);
                    filled_by.clone_from(by);
                }
            }
        }
    }

    /// Fills slots of the described extension.
    ///
    /// # Errors
    /// There is no such extension, or only another version of it, or one of the slots has already been filled. In this
    /// case, no slot is filled.
    pub(super) fn fill(
        &mut self,
        plugin: &PluginName,
        desc: &ExtensionDesc,
        slots: LentSlots<'_>,
    ) -> Result<(), ExtensionError> {
        let filled = self.find(desc)?;
        let slots = slots.compared(plugin.as_str(), filled.desc);
        let slots = slots.map_err(|message| ExtensionError::Mismatch { message })?;
        for slot in slots.clone() {
            filled.check_empty(slot.index(), slot.again(), Author::Plugin(plugin))?;
        }
        let mut empty = filled.value.slots_mut();
        for slot in slots {
            slot.put(&mut empty);
            filled.by[slot.index()] = By::Author(Some(plugin.clone()));
        }
        Ok(())
    }

    /// Fills slots of the host's own extension, for the host.
    ///
    /// # Errors
    /// There is no such extension, or one of the slots has already been filled. In this case, no slot is filled.
    pub(super) fn fill_for_host<E: Extension>(
        &mut self,
        fill: impl FnOnce(&mut E),
    ) -> Result<(), ExtensionError> {
        let mut own = E::default();
        fill(&mut own);
        let is_own = |filled: &&mut Filled| (&*filled.value as &dyn Any).is::<E>();
        let Some(filled) = self.0.iter_mut().find(is_own) else {
            return Err(self.unknown(E::DESC));
        };
        let slots = Extension::slots(&own).into_iter().enumerate();
        let slots: Vec<_> = slots.filter(|(_, slot)| slot.is_filled()).collect();
        for (index, slot) in &slots {
            filled.check_empty(*index, slot.was_filled_again(), Author::Host)?;
        }
        let mut empty = filled.value.slots_mut();
        for (index, slot) in slots {
            if let Some(object) = slot.object() {
                empty[index].set_object(object);
                filled.by[index] = By::Author(None);
            }
        }
        Ok(())
    }

    /// Returns this extension, or another version of it.
    fn find(&mut self, desc: &ExtensionDesc) -> Result<&mut Filled, ExtensionError> {
        let named = |filled: &&Filled| filled.desc.name == desc.name;
        let exact = |filled: &&Filled| named(filled) && filled.desc.origin == desc.origin;
        let mut all = self.0.iter();
        let at = all
            .position(|f| exact(&f))
            .or_else(|| self.0.iter().position(|f| named(&f)));
        match at {
            Some(at) => Ok(&mut self.0[at]),
            None => Err(self.unknown(desc)),
        }
    }

    fn unknown(&self, desc: &ExtensionDesc) -> ExtensionError {
        let known = self.0.iter().map(|filled| filled.desc.name.to_string());
        ExtensionError::Unknown {
            extension: desc.name.to_string(),
            known: known.collect(),
        }
    }

    /// Returns the objects that no other generation has in a slot, by the plugins that put them there, or `None` for
    /// the host.
    pub(super) fn into_objects(self) -> BTreeMap<Option<PluginName>, Vec<Box<dyn Send>>> {
        let mut objects: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mut filled in self.0 {
            let slots = filled.value.slots_mut().into_iter().zip(filled.by);
            for (slot, by) in slots {
                if let (Some(object), By::Author(by)) = (slot.take_last(), by) {
                    objects.entry(by).or_default().push(object);
                }
            }
        }
        objects
    }
}
