//! The data bag: named values of the plugins of a generation.
use super::author::Author;
use crate::base::name::{PluginName, folded};
use hotswap_plugin::{BagError, BagValue};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A named value in the data bag of a generation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BagItem {
    /// The name, as the plugin spelled it.
    pub name: String,
    /// The plugin that put it there, or `None` for the host.
    pub plugin: Option<PluginName>,
    /// The value.
    pub value: BagValue,
}

/// It is displayed as `port = 80, of server` or `port = 80, of the host`.
impl fmt::Display for BagItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BagItem {
            name,
            plugin,
            value,
        } = self;
        write!(f, "{name} = {value}, of {}", Author::of(plugin))
    }
}

/// The items, by the compared form of their names. Generations share the items that they have in common.
#[derive(Default)]
pub(crate) struct Bag(BTreeMap<String, Arc<BagItem>>);

impl Bag {
    /// All items, sorted by name.
    pub(crate) fn items(&self) -> impl ExactSizeIterator<Item = &BagItem> {
        self.0.values().map(|item| &**item)
    }

    /// Puts the items of the plugins that go on into another bag.
    pub(super) fn carry(&self, to: &mut Bag, goes_on: impl Fn(&PluginName) -> bool) {
        let goes_on = |item: &BagItem| item.plugin.as_ref().is_some_and(&goes_on);
        let items = self.0.iter().filter(|(_, item)| goes_on(item));
        to.0.extend(items.map(|(name, item)| (name.clone(), item.clone())));
    }

    /// Puts an item into the bag.
    ///
    /// # Errors
    /// Another author has already used this name.
    pub(super) fn set(
        &mut self,
        author: Author<'_>,
        name: &str,
        value: BagValue,
    ) -> Result<(), BagError> {
        let folded = folded(name).into_owned();
        let plugin = author.plugin();
        if let Some(known) = self.0.get(&folded).filter(|known| known.plugin != plugin) {
            return Err(BagError::Taken {
                name: known.name.clone(),
                by: Author::of(&known.plugin).to_string(),
            });
        }
        let item = BagItem {
            name: name.to_owned(),
            plugin,
            value,
        };
        self.0.insert(folded, Arc::new(item));
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&BagValue> {
        Some(&self.0.get(&*folded(name))?.value)
    }
}
