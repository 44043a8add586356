//! The names of what is live in one generation.
use crate::generation::Generation;
use crate::instance::Instance;
use crate::name::folded;
use crate::nearest::nearest;
use crate::vault::LiveTypeRef;
use hotswap_plugin::boundary::FunctionDesc;
use hotswap_plugin::contract::{LiveCode, LiveDesc};
use hotswap_plugin::{LiveItem, LiveKind};
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
struct Place {
    plugin: usize,
    item: usize,
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
}

impl Generation {
    /// The live function of this name, with the plugin that has it.
    pub(crate) fn live_function(&self, name: &str) -> Option<(&Arc<Instance>, &FunctionDesc)> {
        let place = self.live.functions.get(&*folded(name))?;
        let plugin = &self.plugins[place.plugin];
        match plugin.live()[place.item].code {
            LiveCode::Function(desc) => Some((plugin, desc)),
            LiveCode::Type(_) => None,
        }
    }

    /// The live type that has this name, or had it.
    pub(crate) fn type_named(&self, name: &str) -> Option<LiveTypeRef<'_>> {
        let place = self.live.types.get(&*folded(name))?;
        let plugin = &self.plugins[place.plugin];
        let desc = &plugin.live()[place.item];
        match desc.code {
            LiveCode::Type(ty) => Some(LiveTypeRef::new(plugin, desc.name.as_str(), ty)),
            LiveCode::Function(_) => None,
        }
    }

    /// The name most similar to one that nothing live of this kind has.
    pub(crate) fn nearest_live(&self, kind: LiveKind, name: &str) -> Option<String> {
        let items = self.plugins.iter().flat_map(|plugin| plugin.live());
        let known = items.filter(|item| kind_of(item) == kind);
        nearest(name, known.map(|item| item.name.as_str())).map(str::to_owned)
    }

    /// Its live functions and types, sorted by module and name.
    pub fn live_items(&self) -> Vec<LiveItem> {
        let of_plugin = |plugin: &Arc<Instance>| {
            let name = plugin.name().clone();
            let item = move |desc: &LiveDesc| LiveItem {
                module: desc.module.as_str().to_owned(),
                name: desc.name.as_str().to_owned(),
                kind: kind_of(desc),
                plugin: name.to_string(),
                signature: desc.signature.as_str().to_owned(),
                version: match desc.code {
                    LiveCode::Type(ty) => Some(ty.version),
                    LiveCode::Function(_) => None,
                },
            };
            plugin.live().iter().map(item).collect::<Vec<_>>()
        };
        let mut items: Vec<_> = self.plugins.iter().flat_map(of_plugin).collect();
        items.sort();
        items
    }
}

/// What an item is.
pub(crate) fn kind_of(item: &LiveDesc) -> LiveKind {
    match item.code {
        LiveCode::Function(_) => LiveKind::Function,
        LiveCode::Type(_) => LiveKind::Type,
    }
}
