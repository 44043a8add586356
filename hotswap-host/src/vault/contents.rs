//! The values and objects that plugins put into a generation while it is made.
use super::bag::Bag;
use super::extension::{Extensions, Kinds};
use crate::base::name::PluginName;
use std::collections::BTreeMap;

/// The data bag and the extensions of a generation.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) bag: Bag,
    pub(crate) extensions: Extensions,
}

impl Contents {
    /// Returns the contents of a generation that no plugin has put anything into.
    pub(crate) fn empty(kinds: &Kinds) -> Self {
        Contents {
            bag: Bag::default(),
            extensions: kinds.make(),
        }
    }

    /// Returns the contents that a new generation begins with: the items of the instances that go on from the previous
    /// one.
    pub(crate) fn carried(&self, kinds: &Kinds, goes_on: impl Fn(&PluginName) -> bool) -> Self {
        let mut contents = Contents::empty(kinds);
        self.bag.carry(&mut contents.bag, &goes_on);
        self.extensions.carry(&mut contents.extensions, &goes_on);
        contents
    }

    /// Returns the objects in slots that no other generation has, by the plugins that put them there, or `None` for the
    /// host. Dropping one may run code of its plugin or of the host.
    pub(crate) fn into_objects(self) -> BTreeMap<Option<PluginName>, Vec<Box<dyn Send>>> {
        self.extensions.into_objects()
    }
}
