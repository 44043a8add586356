//! What the plugins of a generation have put into it while it was made.
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
    /// Those of a generation that no plugin has put anything into.
    pub(crate) fn empty(kinds: &Kinds) -> Self {
        Contents {
            bag: Bag::default(),
            extensions: kinds.make(),
        }
    }

    /// Those that a new generation begins with: what the instances that go on have put into the one before.
    pub(crate) fn carried(&self, kinds: &Kinds, goes_on: impl Fn(&PluginName) -> bool) -> Self {
        let mut contents = Contents::empty(kinds);
        self.bag.carry(&mut contents.bag, &goes_on);
        self.extensions.carry(&mut contents.extensions, &goes_on);
        contents
    }

    /// The objects in slots that no other generation has, by the plugins that put them there, `None` for the host. To drop one
    /// may run the code of its plugin, or of the host.
    pub(crate) fn into_objects(self) -> BTreeMap<Option<PluginName>, Vec<Box<dyn Send>>> {
        self.extensions.into_objects()
    }
}
