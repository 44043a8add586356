//! The names of what is live in one generation.
use crate::base::name::folded;
use crate::instance::Instance;
use hotswap_plugin::contract::LiveCode;
use std::collections::HashMap;
use std::sync::Arc;

/// Where the live functions and types of a generation are: functions have names of their own, and types.
#[derive(Default)]
pub(crate) struct LiveTable {
    functions: HashMap<String, Place>,
    /// By their earlier names, too.
    types: HashMap<String, Place>,
}

/// The plugin's place in the generation, and the item's in the plugin.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) plugin: usize,
    pub(crate) item: usize,
}

impl LiveTable {
    /// Of these plugins, no two of which have the same item: see `duplicates`.
    pub(crate) fn of(plugins: &[Arc<Instance>]) -> Self {
        let mut table = LiveTable::default();
        for (plugin, instance) in plugins.iter().enumerate() {
            for (item, desc) in instance.live().iter().enumerate() {
                let place = Place { plugin, item };
                let (names, earlier) = match desc.code {
                    LiveCode::Function(_) => (&mut table.functions, &[][..]),
                    LiveCode::Type(ty) => (&mut table.types, ty.earlier.as_slice()),
                };
                for name in std::iter::once(&desc.name).chain(earlier) {
                    names.insert(folded(name.as_str()).into_owned(), place);
                }
            }
        }
        table
    }

    /// Where the function of this name is.
    pub(crate) fn function(&self, name: &str) -> Option<Place> {
        self.functions.get(&*folded(name)).copied()
    }

    /// Where the type is that has this name, or had it.
    pub(crate) fn type_named(&self, name: &str) -> Option<Place> {
        self.types.get(&*folded(name)).copied()
    }
}
