//! The packages of a workspace and what they depend on, as its manifests and its lock file say. To read them is much
//! faster than to ask Cargo for features, and for most projects it shows that there is nothing to ask for.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Package};
use serde::Deserialize;

/// The part of `Cargo.lock` that is read here.
#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    /// Each is a name, and a version and a source where the name is not enough.
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The names of the packages on which each package may depend. Packages with the same name count as one.
struct Graph(BTreeMap<String, BTreeSet<String>>);

/// Returns false if no crate with interfaces can have other features in one of `packages` than in another: each such crate
/// is in one of them only, or has no features. `lock` is the text of the lock file.
pub(super) fn may_differ(members: &[Package], lock: &str, packages: &[&Package]) -> bool {
    let Ok(lock) = toml::from_str::<Lock>(lock) else {
        return true;
    };
    let graph = Graph::of(members, lock);
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        let Some(reached) = graph.below(&package.name) else {
            return true;
        };
        reached
            .into_iter()
            .for_each(|name| *times.entry(name).or_default() += 1);
    }
    let may_have_features = |name: &str| {
        let member = members.iter().find(|member| *member.name == *name);
        member.is_none_or(|member| !member.features.is_empty())
    };
    let mut shared = times.into_iter().filter(|(_, times)| *times > 1);
    shared.any(|(name, _)| graph.0[name].contains("hotswap-plugin") && may_have_features(name))
}

impl Graph {
    fn of(members: &[Package], lock: Lock) -> Self {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in lock.package {
            let names = package.dependencies.iter();
            let names = names.filter_map(|text| text.split(' ').next());
            let known = all.entry(package.name).or_default();
            known.extend(names.map(str::to_owned));
        }
        // The lock file may be older than the manifests, and has what only tests depend on.
        for member in members {
            let built = member.dependencies.iter();
            let built = built.filter(|it| it.kind != DependencyKind::Development);
            let names = built.map(|dependency| dependency.name.clone());
            all.insert(member.name.to_string(), names.collect());
        }
        Self(all)
    }

    /// Returns all packages below `name`, or `None` if one of them is not known.
    fn below(&self, name: &str) -> Option<BTreeSet<&str>> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = self.0.get(name)?.iter().map(String::as_str).collect();
        while let Some(name) = next.pop() {
            if found.insert(name) {
                next.extend(self.0.get(name)?.iter().map(String::as_str));
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::package;
    use super::*;
    use serde_json::json;

    const LOCK: &str = r#"
        version = 4
        [[package]]
        name = "drawn"
        version = "1.0.0"
        source = "registry+https://example.org"
        dependencies = ["hotswap-plugin 0.1.0", "log"]
        [[package]]
        name = "hotswap-host"
        version = "0.1.0"
        dependencies = ["hotswap-plugin"]
        [[package]]
        name = "hotswap-plugin"
        version = "0.1.0"
        dependencies = ["log"]
        [[package]]
        name = "log"
        version = "0.4.0"
    "#;

    #[test]
    fn cargo_is_asked_only_if_a_shared_crate_with_interfaces_may_have_features() {
        let of = |name: &str, dependencies: &[&str]| {
            let each = dependencies.iter().map(|name| json!({"name": name}));
            package(name, each.collect())
        };
        let paint = of("paint", &["hotswap-plugin"]);
        let mut with_features = paint.clone();
        with_features.features.insert("alpha".into(), vec![]);
        let differ = |paint: &Package, host: &[&str], world: &[&str], lock: &str| {
            let host = of("app", &[host, &["hotswap-host"]].concat());
            let world = of("world", &[world, &["hotswap-plugin", "log"]].concat());
            let members = [
                host.clone(),
                world.clone(),
                paint.clone(),
                of("tint", &["paint"]),
            ];
            may_differ(&members, lock, &[&host, &world])
        };
        assert!(
            !differ(&paint, &["log"], &[], LOCK),
            "they share no such crate"
        );
        assert!(
            !differ(&paint, &["paint"], &["paint"], LOCK),
            "it has no features"
        );
        assert!(
            !differ(&with_features, &[], &["paint"], LOCK),
            "one of them has it"
        );
        assert!(differ(&with_features, &["paint"], &["paint"], LOCK));
        assert!(differ(&with_features, &["paint"], &["tint"], LOCK));
        assert!(
            differ(&paint, &["drawn"], &["drawn"], LOCK),
            "its features are unknown"
        );
        assert!(
            differ(&paint, &["new"], &[], LOCK),
            "the lock file does not have it yet"
        );
        assert!(differ(&paint, &[], &[], ""), "there is no lock file");
        assert!(differ(&paint, &[], &[], "[["), "it cannot be read");
    }
}
