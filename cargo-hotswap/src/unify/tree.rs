//! The crates of a package with their features, as Cargo tells them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Package, PackageId};

/// The format of a line of `cargo tree`, after the depth.
pub(crate) const FORMAT: &str = "|{p}|{f}";

/// The features that are added to a call of Cargo, in the form of its arguments, each with the packages that enable it.
pub(crate) type Added = BTreeMap<String, BTreeSet<String>>;

/// The crates of a package, as `cargo tree` prints them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The features of each, by its name, version, and source: `util v0.1.0 (/a/place)`.
    pub(super) features: BTreeMap<String, BTreeSet<String>>,
    /// Those on which the package depends itself.
    pub(super) direct: BTreeSet<String>,
    /// Those that may have interfaces and types that cross: they depend on `hotswap-plugin`.
    pub(super) crossing: BTreeSet<String>,
}

/// The features of the packages of one workspace, as far as they were asked for.
#[derive(Default)]
pub(crate) struct Unified {
    pub(super) packages: BTreeMap<PackageId, Resolved>,
}

/// The features of one package.
pub(super) struct Resolved {
    /// The crates in a build of this package alone.
    pub(super) alone: Tree,
    /// The crates in a build with the added features.
    pub(super) together: Tree,
    pub(super) added: Added,
}

impl Unified {
    /// Returns the features to add to a call of Cargo for `package`.
    pub(crate) fn added(&self, package: &PackageId) -> impl Iterator<Item = &str> {
        let resolved = self.packages.get(package);
        resolved
            .into_iter()
            .flat_map(|resolved| resolved.added.keys().map(String::as_str))
    }

    /// Returns the crates in a build of `package` alone, if they are known.
    pub(crate) fn alone(&self, package: &PackageId) -> Option<&Tree> {
        self.packages.get(package).map(|resolved| &resolved.alone)
    }

    /// Returns the crates in a build of `package` with the added features, if they are known.
    pub(crate) fn together(&self, package: &PackageId) -> Option<&Tree> {
        let resolved = self.packages.get(package);
        resolved.map(|resolved| &resolved.together)
    }
}

impl Tree {
    /// Returns what `text`, in which each line has a depth and the [`FORMAT`], says.
    pub(super) fn parse(text: &str) -> Self {
        let mut tree = Self::default();
        // The packages above the line.
        let mut above: Vec<&str> = vec![];
        for line in text.lines() {
            // A path may have any character in it.
            let Some((depth, rest)) = line.split_once('|') else {
                continue;
            };
            let Some((package, features)) = rest.rsplit_once('|') else {
                continue;
            };
            // Cargo marks a package of which it has printed the dependencies before.
            let features = features.trim_end_matches(" (*)").split(',');
            let known = tree.features.entry(package.to_owned()).or_default();
            known.extend(features.filter(|it| !it.is_empty()).map(str::to_owned));
            let Ok(depth) = depth.parse() else { continue };
            above.truncate(depth);
            if depth == 1 {
                tree.direct.insert(package.to_owned());
            }
            if package.starts_with("hotswap-plugin v") {
                tree.crossing
                    .extend(above.last().map(|it| (*it).to_owned()));
            }
            above.push(package);
        }
        tree
    }

    /// Returns the features of `package`, if it is one of these crates.
    pub(crate) fn features_of(&self, package: &Package) -> Option<&BTreeSet<String>> {
        let name = format!("{} v{}", package.name, package.version);
        let mut all = self.features.iter();
        let is_meant = |key: &str| {
            let source = key.strip_prefix(&*name);
            source.is_some_and(|source| source.is_empty() || source.starts_with(' '))
        };
        all.find(|(key, _)| is_meant(key))
            .map(|(_, features)| features)
    }
}
