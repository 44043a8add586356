//! Determines which plugins need which others, and their order.
use crate::artifact::{ImportKind, Metadata};
use crate::base::name::PluginName;
use crate::error::{PluginErrorKind, ReloadError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One plugin of the generation to be made.
pub(crate) struct Node<'a> {
    pub(crate) metadata: &'a Metadata,
    pub(crate) file: &'a Path,
}

/// Returns the plugins that `metadata` imports, and `None` for an optional one that does not exist.
fn imports<'a>(
    metadata: &'a Metadata,
    nodes: &'a BTreeMap<PluginName, Node<'_>>,
) -> impl Iterator<Item = &'a PluginName> {
    let plugins = metadata
        .imports
        .iter()
        .filter(|import| import.kind != ImportKind::Host);
    plugins.filter_map(|import| Some(nodes.get_key_value(import.from.as_ref()?)?.0))
}

/// Returns the names, each after those that it imports, which come in the order of its fields. Otherwise the names are
/// sorted.
///
/// # Errors
/// A plugin for an import does not exist, or there is a cycle.
pub(crate) fn order(
    nodes: &BTreeMap<PluginName, Node<'_>>,
) -> Result<Vec<PluginName>, ReloadError> {
    for node in nodes.values() {
        check_names(node, nodes)?;
    }
    let mut search = Search {
        nodes,
        done: BTreeSet::new(),
        path: Vec::new(),
        order: Vec::new(),
    };
    for name in nodes.keys() {
        search.visit(name)?;
    }
    Ok(search.order)
}

fn check_names(node: &Node<'_>, nodes: &BTreeMap<PluginName, Node<'_>>) -> Result<(), ReloadError> {
    for import in &node.metadata.imports {
        let Some(from) = &import.from else { continue };
        if import.optional || nodes.contains_key(from) {
            continue;
        }
        let known = nodes.keys().filter(|name| **name != node.metadata.name);
        let kind = PluginErrorKind::Import {
            import: from.to_string(),
            message: match crate::base::nearest::nearest(
                from.as_str(),
                known.map(PluginName::as_str),
            ) {
                Some(name) => format!("there is no such plugin; did you mean {name}?"),
                None => "there is no such plugin; build it, or make the import optional".into(),
            },
        };
        return Err(kind.of(&node.metadata.name, node.file).into());
    }
    Ok(())
}

struct Search<'a> {
    nodes: &'a BTreeMap<PluginName, Node<'a>>,
    done: BTreeSet<&'a PluginName>,
    path: Vec<&'a PluginName>,
    order: Vec<PluginName>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, name: &'a PluginName) -> Result<(), ReloadError> {
        if self.done.contains(name) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|above| *above == name) {
            let circle = self.path[start..].iter().chain([&name]);
            return Err(ReloadError::Cycle {
                chain: circle.map(|name| (*name).clone()).collect(),
            });
        }
        self.path.push(name);
        for import in imports(self.nodes[name].metadata, self.nodes) {
            self.visit(import)?;
        }
        self.path.pop();
        self.done.insert(name);
        self.order.push(name.clone());
        Ok(())
    }
}
