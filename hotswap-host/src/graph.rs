//! The dependencies between artifacts, and the problems that a host would find, before anything is loaded.
use crate::artifact::{Artifact, Import, ImportKind, Metadata};
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::base::paths::as_text;
use crate::error::{PluginError, PluginErrorKind, ReloadError, exports_instead};
use crate::resolve::{self, Node};
use crate::vault::check_duplicates;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The plugins of a directory and their dependencies, from their metadata alone.
///
/// ```no_run
/// use hotswap_host::artifact::{self, Artifact};
/// use hotswap_host::graph::Graph;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut artifacts = Vec::new();
/// for file in artifact::find("plugins".as_ref())? {
///     artifacts.push(Artifact::read(&file)?);
/// }
/// let graph = Graph::of(&artifacts)?;
/// for plugin in &graph.plugins {
///     println!("{}: used by {} others", plugin.name, plugin.users.len());
/// }
/// for problem in &graph.problems {
///     eprintln!("a host would refuse this: {problem}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Graph {
    /// The plugins in the order in which a host loads them: each after those that it needs, and otherwise by name. A
    /// cycle is cut at one place.
    pub plugins: Vec<Plugin>,
    /// The reasons why a host would refuse to load them together, as far as the metadata shows them. It does not show
    /// what the host provides and what their functions do. At most a few hundred needs that cannot be met are listed.
    /// They are serialized as texts.
    #[serde(serialize_with = "as_texts")]
    pub problems: Vec<ReloadError>,
}

/// A plugin in a [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plugin {
    /// The name of the plugin.
    pub name: PluginName,
    /// The version of its crate.
    pub version: String,
    /// Its artifact.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The needs of the plugin, in the order in which its author wrote them.
    pub needs: Vec<Need>,
    /// The plugins that need it, in the order in which they are loaded.
    pub users: Vec<PluginName>,
}

/// A need of a plugin for another one or for the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Need {
    /// The plugin that it comes from, spelled as that plugin spells its name if it exists, or `None` for the host.
    pub from: Option<PluginName>,
    /// The interface, if more than the order matters.
    pub interface: Option<String>,
    /// The provider.
    pub kind: ImportKind,
    /// True if the plugin also works without it.
    pub optional: bool,
    /// The state of the need.
    pub state: NeedState,
}

/// The state of a [`Need`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NeedState {
    /// It is met, or the host has to meet it.
    Met,
    /// It is optional, and there is no such plugin.
    Absent,
    /// There is no such plugin.
    Missing,
    /// The plugin does not export the interface.
    NotExported,
    /// The plugin exports another version of the interface.
    AnotherVersion,
    /// The needed plugin is reloadable, but the one that needs it is not, so it could not follow.
    Replaceable,
    /// It closes a cycle.
    Circular,
}

impl NeedState {
    /// Returns true if a host refuses the plugins because of it.
    pub fn is_refused(self) -> bool {
        !matches!(self, NeedState::Met | NeedState::Absent)
    }
}

impl Graph {
    /// Makes the graph of these plugins. The order of `artifacts` does not matter.
    ///
    /// # Errors
    /// [`ReloadError::Duplicate`] if two artifacts contain the same plugin. All other errors are among the
    /// [`problems`](Self::problems).
    pub fn of(artifacts: &[Artifact]) -> Result<Self, ReloadError> {
        let mut named: BTreeMap<PluginName, &Artifact> = BTreeMap::new();
        for artifact in artifacts {
            let name = artifact.metadata.name.clone();
            if let Some(first) = named.get(&name) {
                return Err(ReloadError::Duplicate {
                    first: first.file.clone(),
                    second: artifact.file.clone(),
                    name,
                });
            }
            named.insert(name, artifact);
        }
        let mut problems = Vec::new();
        let mut plugins = named
            .iter()
            .map(|(name, artifact)| (name.clone(), plugin(artifact, &named, &mut problems)))
            .collect();
        let order = order(&named, &mut plugins, &mut problems);
        let live = order.iter().filter_map(|name| {
            let artifact = named.get(name)?;
            Some((name, &*artifact.file, &*artifact.metadata.live))
        });
        problems.extend(check_duplicates(live).err());
        let mut graph = Graph {
            plugins: order
                .iter()
                .filter_map(|name| plugins.remove(name))
                .collect(),
            problems,
        };
        graph.note_users();
        Ok(graph)
    }

    fn note_users(&mut self) {
        let users_of = |name: &PluginName| {
            let needs = |plugin: &&Plugin| {
                let mut needs = plugin.needs.iter();
                needs.any(|need| need.from.as_ref() == Some(name))
            };
            let users = self.plugins.iter().filter(needs);
            users.map(|user| user.name.clone()).collect()
        };
        let users: Vec<_> = self.plugins.iter().map(|p| users_of(&p.name)).collect();
        for (plugin, users) in self.plugins.iter_mut().zip(users) {
            plugin.users = users;
        }
    }
}

/// Returns the plugin with its needs, each of which is looked at on its own.
fn plugin(
    artifact: &Artifact,
    named: &BTreeMap<PluginName, &Artifact>,
    problems: &mut Vec<ReloadError>,
) -> Plugin {
    let Metadata { name, version, .. } = &artifact.metadata;
    let need = |import: &Import| {
        let from = import.from.as_ref();
        let exporter = from.and_then(|from| named.get_key_value(from));
        let mut state = NeedState::Met;
        if let Some((_, exporter)) = exporter {
            if let Some((refused, problem)) = unfit(artifact, import, &exporter.metadata) {
                state = refused;
                problems.push(problem);
            }
        } else if from.is_some() && import.optional {
            state = NeedState::Absent;
        }
        Need {
            from: exporter.map(|(name, _)| name).or(from).cloned(),
            interface: import.interface.clone(),
            kind: import.kind,
            optional: import.optional,
            state,
        }
    };
    Plugin {
        name: name.clone(),
        version: version.clone(),
        file: artifact.file.clone(),
        needs: artifact.metadata.imports.iter().map(need).collect(),
        users: Vec::new(),
    }
}

/// Returns the reason why the import cannot come from `exporter`.
fn unfit(
    importer: &Artifact,
    import: &Import,
    exporter: &Metadata,
) -> Option<(NeedState, ReloadError)> {
    let interface = import.interface.as_ref()?;
    let Metadata {
        name, crate_name, ..
    } = &importer.metadata;
    let Some(export) = exporter.exports.iter().find(|e| e.interface == *interface) else {
        let exports = exporter.exports.iter().map(|e| e.interface.clone());
        let exports: Vec<_> = exports.collect();
        let nearest = nearest(interface, exports.iter().map(String::as_str));
        let problem = PluginErrorKind::Import {
            import: format!("{interface} of {}", exporter.name),
            message: exports_instead(&nearest.map(str::to_owned), &exports),
        };
        return Some((
            NeedState::NotExported,
            problem.of(name, &importer.file).into(),
        ));
    };
    if export.hash != import.hash {
        let message = format!(
            "{name} cannot use {interface} of {}: they were built with different versions of it; build both again: \
             cargo hotswap build -p {crate_name} -p {}",
            exporter.name, exporter.crate_name
        );
        let problem = PluginErrorKind::Mismatch(message)
            .of(name, &importer.file)
            .into();
        return Some((NeedState::AnotherVersion, problem));
    }
    let reloadable = (importer.metadata.reloadable, exporter.reloadable);
    (reloadable == (Some(false), Some(true))).then(|| {
        let chain = vec![name.clone(), exporter.name.clone()];
        let problem = PluginErrorKind::NotReloadable { chain };
        (
            NeedState::Replaceable,
            problem.of(name, &importer.file).into(),
        )
    })
}

/// Returns the load order. It marks and leaves out the needs that have no order.
fn order(
    named: &BTreeMap<PluginName, &Artifact>,
    plugins: &mut BTreeMap<PluginName, Plugin>,
    problems: &mut Vec<ReloadError>,
) -> Vec<PluginName> {
    /// The number of reasons that are listed. Each requires a look at all plugins, and a crafted file may have any
    /// number of them.
    const MAX_PROBLEMS: usize = 256;
    let mut left: BTreeMap<_, _> = named
        .iter()
        .map(|(name, artifact)| (name.clone(), artifact.metadata.clone()))
        .collect();
    loop {
        let node = |(name, metadata)| {
            let file = &*named[name].file;
            (PluginName::clone(name), Node { metadata, file })
        };
        let error = match resolve::order(&left.iter().map(node).collect()) {
            Ok(order) => return order,
            Err(error) => error,
        };
        let (refused, state) = refused_needs(&error);
        for (user, from) in &refused {
            let needs = plugins.get_mut(user).map(|plugin| &mut plugin.needs);
            let needs = needs.into_iter().flatten();
            needs
                .filter(|need| need.from.as_ref() == Some(from))
                .for_each(|need| need.state = state);
        }
        problems.push(error);
        // The next look has one need less.
        let next = refused.last().filter(|_| problems.len() < MAX_PROBLEMS);
        let Some((user, from)) = next else {
            return left.into_keys().collect();
        };
        if let Some(metadata) = left.get_mut(user) {
            metadata
                .imports
                .retain(|import| import.from.as_ref() != Some(from));
        }
    }
}

/// Returns the needs for which there is no order.
fn refused_needs(error: &ReloadError) -> (Vec<(PluginName, PluginName)>, NeedState) {
    match error {
        ReloadError::Plugin(PluginError {
            plugin,
            kind: PluginErrorKind::Import { import, .. },
            ..
        }) => {
            let from = PluginName::from(import.as_str());
            (vec![(plugin.clone(), from)], NeedState::Missing)
        }
        ReloadError::Cycle { chain } => {
            let pairs = chain.iter().zip(chain.iter().skip(1));
            let pairs = pairs.map(|(user, from)| (user.clone(), from.clone()));
            (pairs.collect(), NeedState::Circular)
        }
        _ => (Vec::new(), NeedState::Met),
    }
}

fn as_texts<S: Serializer>(problems: &[ReloadError], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(problems.iter().map(ReloadError::to_string))
}

#[cfg(test)]
mod tests;
