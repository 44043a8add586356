//! Warns of crates that have different features in two plugins, or in a plugin and its host.
//!
//! [`crate::unify`] adds features where a call of Cargo can have them. What differs still is a crate that a plugin only
//! has through others, or the host, if something else builds it. If a feature changes a type or a trait that crosses, the
//! host refuses the plugin, and another build does not change that.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use cargo_metadata::{Package, PackageId};

use crate::Error;
use crate::call::Made;
use crate::cargo::{Calls, name_of};
use crate::selection::Group;
use crate::ui::shown;

/// The features of the libraries that a plugin or host is made of.
pub(crate) type Features = BTreeMap<PackageId, BTreeSet<String>>;

/// A plugin or a host, with the features in it.
struct Side<'a> {
    what: &'static str,
    package: &'a Package,
    features: &'a Features,
    /// Those in a build by `cargo hotswap run`.
    in_run: &'a Features,
}

/// Returns the features in a finished build.
pub(crate) fn of(made: &Made) -> Features {
    let mut features = Features::new();
    let libraries = made.artifacts.iter().filter(|made| {
        let target = &made.target;
        (target.is_lib() || target.is_rlib()) && !target.is_proc_macro()
    });
    for library in libraries {
        let known = features.entry(library.package_id.clone()).or_default();
        known.extend(library.features.iter().cloned());
    }
    features
}

/// Warns of differences between the plugins of `group`, whose features `built` has, and its host.
pub(crate) fn check(
    calls: &Calls<'_>,
    group: &Group<'_>,
    built: &[(&Package, &Features)],
) -> Result<(), Error> {
    let mut sides: Vec<Side<'_>> = built
        .iter()
        .map(|&(package, features)| Side {
            what: "plugin",
            package,
            features,
            in_run: features,
        })
        .collect();
    let [alone, together] = host_features(calls, group, &sides);
    sides.extend(group.host.map(|package| Side {
        what: "host",
        package,
        features: if calls.builds_host { &together } else { &alone },
        in_run: &together,
    }));
    let differing = differing(&sides);
    if differing.is_empty() {
        return Ok(());
    }
    // Only types and traits of these crates cross.
    let users = calls
        .workspace
        .users_of_hotswap(calls.session, calls.options)?;
    for id in differing {
        if users.contains(id) {
            warn(calls, id, &sides);
        }
    }
    Ok(())
}

/// Returns the features of the crates that the host shares with its plugins, if those have features at all: in a host
/// that Cargo builds alone, and with those that are added for its plugins. Returns nothing if Cargo cannot tell.
fn host_features(calls: &Calls<'_>, group: &Group<'_>, sides: &[Side<'_>]) -> [Features; 2] {
    let is_shared = |package: &&Package| {
        let mut dependencies = package.dependencies.iter();
        !package.features.is_empty()
            && dependencies.any(|dependency| dependency.name == "hotswap-plugin")
            && sides.iter().any(|side| {
                side.package.id != package.id && side.features.contains_key(&package.id)
            })
    };
    let members = calls.workspace.members.iter();
    let shared: Vec<&Package> = members.filter(is_shared).collect();
    let unified = calls.workspace.unified.borrow();
    let trees = match group.host {
        Some(host) => [unified.alone(&host.id), unified.together(&host.id)],
        None => [None; 2],
    };
    trees.map(|tree| {
        let known = shared.iter().filter_map(|package| {
            let features = tree?.features_of(package)?;
            Some((package.id.clone(), features.clone()))
        });
        known.collect()
    })
}

/// Returns the packages whose features differ.
fn differing<'a>(sides: &[Side<'a>]) -> Vec<&'a PackageId> {
    let mut seen = HashSet::new();
    let ids = sides.iter().flat_map(|side| side.features.keys());
    let ids = ids.filter(|id| seen.insert(*id));
    let differs = |id: &&PackageId| {
        let mut sets = sides.iter().filter_map(|side| side.features.get(id));
        let first = sets.next();
        sets.any(|set| Some(set) != first)
    };
    ids.filter(differs).collect()
}

/// Prints a warning for each of the ways in which the sides differ.
fn warn(calls: &Calls<'_>, id: &PackageId, sides: &[Side<'_>]) {
    let with: Vec<(&Side<'_>, &BTreeSet<String>)> = sides
        .iter()
        .filter_map(|side| Some((side, side.features.get(id)?)))
        .collect();
    let all: BTreeSet<&String> = with.iter().flat_map(|(_, features)| *features).collect();
    let mut ways: BTreeMap<Vec<bool>, Vec<&String>> = BTreeMap::new();
    for feature in all {
        let way = with.iter().map(|(_, features)| features.contains(feature));
        ways.entry(way.collect()).or_default().push(feature);
    }
    for (way, features) in ways {
        let sides = |has: bool| {
            let sides = with.iter().zip(&way).filter(move |(_, it)| **it == has);
            sides.map(|((side, _), _)| *side).collect::<Vec<_>>()
        };
        let (having, lacking) = (sides(true), sides(false));
        if !lacking.is_empty() {
            let text = difference(id, &features, &having, &lacking, &calls.workspace.root);
            calls.session.ui.warn(text);
        }
    }
}

fn difference(
    id: &PackageId,
    features: &[&String],
    having: &[&Side<'_>],
    lacking: &[&Side<'_>],
    root: &Path,
) -> String {
    let sides = |sides: &[&Side<'_>]| {
        let names = sides
            .iter()
            .map(|side| format!("the {} `{}`", side.what, side.package.name));
        names.collect::<Vec<_>>().join(" and ")
    };
    let quoted = |quote: &str| {
        let features = features.iter();
        let features = features.map(|feature| format!("{quote}{feature}{quote}"));
        features.collect::<Vec<_>>().join(", ")
    };
    let name = name_of(id);
    let has_in_run = |side: &&Side<'_>| {
        let known = side.in_run.get(id);
        known.is_some_and(|known| features.iter().all(|feature| known.contains(*feature)))
    };
    let unless = match lacking.iter().all(has_in_run) {
        true => ", unless `cargo hotswap run` builds the host",
        false => "",
    };
    let mut text = format!(
        "`{name}` has the feature{} {} for {}, and not for {}; where an interface or a type depends on it, the host refuses \
         these plugins, however often they are built{}. Write\n\n    {name} = {{ …, features = [{}] }}\n",
        if features.len() == 1 { "" } else { "s" },
        quoted("`"),
        sides(having),
        sides(lacking),
        unless,
        quoted("\"")
    );
    for side in lacking {
        let manifest = side.package.manifest_path.as_std_path();
        // Writing into a `String` cannot fail.
        let _ = write!(
            text,
            "\nunder [dependencies] in `{}`",
            shown(manifest, root)
        );
    }
    text
}
