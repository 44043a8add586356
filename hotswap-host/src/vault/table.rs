//! The names of the live items of one generation.
use crate::base::name::folded;
use crate::instance::Instance;
use hotswap_plugin::contract::LiveCode;
use std::collections::HashMap;
use std::sync::Arc;

/// The places of the live functions and types of a generation. A function and a type may have the same name.
#[derive(Default)]
pub(crate) struct LiveTable {
    functions: HashMap<String, Place>,
    /// The types, by their current and their earlier names.
    types: HashMap<String, Place>,
}

/// The number of the plugin in the generation, and that of the item in the plugin.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) plugin: usize,
    pub(crate) item: usize,
}

impl LiveTable {
    /// Makes the table of these plugins, no two of which have the same item: see `duplicates`.
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

    /// Returns the place of the function with this name.
    pub(crate) fn function(&self, name: &str) -> Option<Place> {
        self.functions.get(&*folded(name)).copied()
    }

    /// Returns the place of the type that has, or had, this name.
    pub(crate) fn type_named(&self, name: &str) -> Option<Place> {
        self.types.get(&*folded(name)).copied()
    }
}
