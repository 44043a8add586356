//! Gives the crates with interfaces the features in a host and its plugins that one `cargo build` of them all would give.
//!
//! Cargo builds one package at a time as a shared library, and resolves features for each call. So Cargo is asked which
//! features the crates of each package have. Where a package depends on a crate with interfaces that lacks a feature
//! which it has in another package, the call for that package gets `--features dependency/feature`. There is no such
//! argument for a crate that a package only has through others: [`crate::features`] warns of those.
//!
//! A plugin has a copy of its own of every other crate, and nothing of those crosses. They keep the features that the
//! plugin asks for, since a feature may have an effect in each copy: `hotswap-plugin/tokio` starts a runtime in each
//! plugin, and with `tokio/signal`, each runtime leaves two descriptors open.

use std::collections::BTreeSet;
use std::num::NonZero;

use cargo_metadata::semver::Version;
use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::Error;
use crate::call::Call;
use crate::cargo::Calls;
use crate::selection::{Group, plugins_of};
use crate::session::Session;

mod graph;
pub(crate) mod tree;

use tree::{Added, Resolved, Tree};

/// Cargo is asked again after features were added, since these may enable others. One round is usual.
const ROUNDS: usize = 5;

/// Finds out which features the hosts of `groups` and all of their plugins need, also those that are not selected now,
/// unless this is known. Plugins without a host are built as they are.
pub(crate) fn resolve(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<(), Error> {
    for packages in sets(calls, groups)? {
        let is_known = |package: &&Package| {
            let unified = calls.workspace.unified.borrow();
            unified.packages.contains_key(&package.id)
        };
        if packages.iter().all(is_known) || !may_differ(calls, &packages) {
            continue;
        }
        let is_built = |package: &Package| {
            let mut groups = groups.iter();
            groups.any(|group| {
                let host = group.host.filter(|_| calls.builds_host);
                let mut packages = group.plugins.iter().copied().chain(host);
                packages.any(|built| built.id == package.id)
            })
        };
        for (package, resolved) in resolve_together(calls, &packages)? {
            if is_built(package) && !resolved.added.is_empty() {
                let added = described(&resolved.added);
                let message = format_args!("{}: {added}", package.name);
                calls.session.ui.detail("Features", message);
            }
            let mut unified = calls.workspace.unified.borrow_mut();
            unified.packages.insert(package.id.clone(), resolved);
        }
    }
    Ok(())
}

/// Returns the packages that are to have the same features. Two hosts are in one set if they have a plugin in common,
/// since that is built once for both.
fn sets<'w>(calls: &Calls<'w>, groups: &[Group<'w>]) -> Result<Vec<Vec<&'w Package>>, Error> {
    let mut sets: Vec<Vec<&Package>> = vec![];
    for group in groups {
        let Some(host) = group.host else { continue };
        let mut set = vec![host];
        set.extend(plugins_of(calls.workspace, host)?);
        let shares = |other: &Vec<&Package>| {
            let mut packages = other.iter();
            packages.any(|package| set.iter().any(|known| known.id == package.id))
        };
        let (sharing, others): (Vec<_>, Vec<_>) = sets.into_iter().partition(shares);
        set.extend(sharing.into_iter().flatten());
        let mut seen = BTreeSet::new();
        set.retain(|package| seen.insert(&package.id));
        sets = others;
        sets.push(set);
    }
    Ok(sets)
}

/// Returns false if it is known without Cargo that there is nothing to add.
fn may_differ(calls: &Calls<'_>, packages: &[&Package]) -> bool {
    let workspace = calls.workspace;
    // Without a lock file, the empty text does not have the dependencies.
    let lock = std::fs::read_to_string(workspace.root.join("Cargo.lock"));
    graph::may_differ(&workspace.members, &lock.unwrap_or_default(), packages)
}

fn resolve_together<'w>(
    calls: &Calls<'_>,
    packages: &[&'w Package],
) -> Result<Vec<(&'w Package, Resolved)>, Error> {
    let ask = |packages: &[(&Package, &Added)]| {
        let calls_of_tree = packages
            .iter()
            .map(|(package, added)| calls.tree(package, added));
        answers(calls.session, &calls_of_tree.collect::<Vec<_>>())
    };
    let none = Added::new();
    let plain: Vec<_> = packages.iter().map(|package| (*package, &none)).collect();
    let alone: Option<Vec<Tree>> = ask(&plain)?.into_iter().collect();
    // If Cargo cannot tell, it cannot build either, and then says why. It is asked again with the next build.
    let Some(alone) = alone else {
        return Ok(vec![]);
    };
    let mut all: Vec<_> = alone
        .into_iter()
        .map(|alone| Resolved {
            together: alone.clone(),
            alone,
            added: Added::new(),
        })
        .collect();
    let mut refused = BTreeSet::new();
    for _ in 0..ROUNDS {
        let sides = packages.iter().zip(&all);
        let sides: Vec<_> = sides
            .map(|(it, resolved)| (*it, &resolved.together))
            .collect();
        let lacking = lacking(&sides).into_iter().enumerate();
        let lacking: Vec<(usize, Added)> = lacking
            .filter(|(at, added)| !added.is_empty() && !refused.contains(at))
            .collect();
        if lacking.is_empty() {
            break;
        }
        for (at, added) in &lacking {
            all[*at].added.extend(added.clone());
        }
        let asked = lacking.iter();
        let asked: Vec<_> = asked
            .map(|(at, _)| (packages[*at], &all[*at].added))
            .collect();
        let answered = ask(&asked)?;
        for ((at, _), answer) in lacking.iter().zip(answered) {
            let resolved = &mut all[*at];
            if let Some(tree) = answer {
                resolved.together = tree;
            } else {
                // A build without these features is better than none.
                refused.insert(*at);
                resolved.together = resolved.alone.clone();
                resolved.added.clear();
            }
        }
    }
    Ok(packages.iter().copied().zip(all).collect())
}

/// Returns the answers to these calls of `cargo tree`, or `None` where Cargo has failed.
fn answers(session: &Session, calls: &[Call]) -> Result<Vec<Option<Tree>>, Error> {
    let ask = |call: &Call| {
        let answer = call.answer(session)?;
        Ok::<_, Error>(answer.map(|text| Tree::parse(&text)))
    };
    // The first may write the lock file and download packages, and then the others only read.
    let Some((first, rest)) = calls.split_first() else {
        return Ok(vec![]);
    };
    let mut trees = vec![ask(first)?];
    let width = std::thread::available_parallelism().map_or(1, NonZero::get);
    for some in rest.chunks(width) {
        std::thread::scope(|scope| {
            let running = some.iter().map(|call| scope.spawn(|| ask(call)));
            let running: Vec<_> = running.collect();
            for ended in running {
                trees.push(ended.join().expect("asking does not panic")?);
            }
            Ok::<_, Error>(())
        })?;
    }
    Ok(trees)
}

/// Returns the features that crates with interfaces lack for each package that depends on them, and have for another.
fn lacking(sides: &[(&Package, &Tree)]) -> Vec<Added> {
    let of_side = |&(package, tree): &(&Package, &Tree)| {
        let mut added = Added::new();
        for key in tree.direct.intersection(&tree.crossing) {
            let Some(dependency) = argument(package, key) else {
                continue;
            };
            for (other, theirs) in sides {
                let features = theirs.features.get(key).into_iter().flatten();
                for feature in features.filter(|feature| !tree.features[key].contains(*feature)) {
                    let argument = format!("{dependency}/{feature}");
                    let because = added.entry(argument).or_default();
                    because.insert(other.name.to_string());
                }
            }
        }
        added
    };
    sides.iter().map(of_side).collect()
}

/// Returns the name by which `--features` means the dependency `key` of `package`. With a question mark, the name means
/// an optional dependency, which is enabled, and no feature of `package` that has the same name.
fn argument(package: &Package, key: &str) -> Option<String> {
    let mut words = key.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let own_name = |dependency: &Dependency| {
        let rename = dependency.rename.clone();
        rename.unwrap_or_else(|| dependency.name.clone())
    };
    let is_meant = |it: &&Dependency| it.kind == DependencyKind::Normal && it.name == name;
    let mut found: Vec<_> = package.dependencies.iter().filter(is_meant).collect();
    let first = own_name(found.first()?);
    if found.iter().any(|it| own_name(it) != first) {
        // There are several packages of this name.
        let version = Version::parse(version).ok()?;
        found.retain(|it| match &it.path {
            Some(path) => key.ends_with(&format!("({path})")),
            None => it.req.matches(&version),
        });
    }
    let dependency = found.first()?;
    let mark = if dependency.optional { "?" } else { "" };
    Some(format!("{}{mark}", own_name(dependency)))
}

/// Returns the features for people: `util/color (as in world)`.
fn described(added: &Added) -> String {
    let each = added.iter().map(|(argument, because)| {
        let because: Vec<&str> = because.iter().map(String::as_str).collect();
        format!("{argument} (as in {})", because.join(", "))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A package with these dependencies, each with what the manifest says of it, but for the usual.
    pub(super) fn package(name: &str, dependencies: Value) -> Package {
        let usual = json!({
            "req": "*", "kind": null, "optional": false, "uses_default_features": true, "features": [], "target": null,
        });
        let each = dependencies.as_array().expect("a list").iter();
        let each = each.map(|given| {
            let mut all = usual.as_object().expect("a table").clone();
            all.extend(given.as_object().expect("a table").clone());
            Value::Object(all)
        });
        let package = json!({
            "name": name, "version": "0.1.0", "id": name, "dependencies": each.collect::<Vec<_>>(), "targets": [],
            "features": {}, "manifest_path": format!("/ws/{name}/Cargo.toml"),
        });
        serde_json::from_value(package).expect("a package as Cargo describes it")
    }

    /// Returns what each of these packages lacks, if its tree is this text.
    fn added<const N: usize>(packages: [(&Package, &str); N]) -> [String; N] {
        let trees = packages.map(|(package, text)| (package, Tree::parse(text)));
        let sides: Vec<_> = trees
            .iter()
            .map(|(package, tree)| (*package, tree))
            .collect();
        let all: Vec<_> = lacking(&sides).iter().map(described).collect();
        all.try_into().expect("as many as before")
    }

    #[test]
    fn a_tree_has_the_crates_with_their_features() {
        let text = "0|world v0.1.0 (/a|b/world)|\n\
                    1|util v0.1.0 (/a|b/util)|color,deep\n\
                    2|hotswap-plugin v0.1.0|\n\
                    3|log v0.4.1|std\n\
                    1|log v0.4.1|std (*)\n\
                    1|hotswap-plugin v0.1.0| (*)\n";
        let tree = Tree::parse(text);
        let direct: Vec<_> = tree.direct.iter().collect();
        let util = "util v0.1.0 (/a|b/util)";
        assert_eq!(direct, ["hotswap-plugin v0.1.0", "log v0.4.1", util]);
        let crossing: Vec<_> = tree.crossing.iter().collect();
        assert_eq!(crossing, [util, "world v0.1.0 (/a|b/world)"]);
        let features = |name: &str| tree.features_of(&package(name, json!([])));
        let util: Vec<_> = features("util").expect("it is there").iter().collect();
        assert_eq!(util, ["color", "deep"]);
        assert!(features("world").expect("it is there").is_empty());
        assert_eq!(features("log"), None, "it has another version");
        assert_eq!(tree.features["log v0.4.1"].len(), 1);
    }

    #[test]
    fn a_crate_with_interfaces_gets_what_it_has_elsewhere() {
        let util = json!([{"name": "util", "path": "/ws/util"}]);
        let [host, world, moon] = ["app", "world", "moon"].map(|name| package(name, util.clone()));
        let tree = |features: &str| {
            format!(
                "0|it v0.1.0 (/ws/it)|\n1|util v0.1.0 (/ws/util)|{features}\n2|hotswap-plugin v0.1.0|\n"
            )
        };
        let result = added([
            (&host, &tree("deep")),
            (&world, &tree("color,deep")),
            (&moon, &tree("")),
        ]);
        let expected = [
            "util/color (as in world)",
            "",
            "util/color (as in world), util/deep (as in app, world)",
        ];
        assert_eq!(result, expected);
        let alike = tree("color");
        assert_eq!(added([(&host, &alike), (&world, &alike)]), ["", ""]);
    }

    #[test]
    fn a_crate_of_another_crate_gets_nothing_and_neither_does_one_without_interfaces() {
        let world = package("world", json!([{"name": "util", "path": "/ws/util"}]));
        let moon = package("moon", json!([{"name": "deep", "path": "/ws/deep"}]));
        let own = |features: &str| {
            format!("1|deep v0.1.0 (/ws/deep)|{features}\n2|hotswap-plugin v0.1.0|\n")
        };
        let through = own("").replace("2|", "3|").replace("1|", "2|");
        let of_world = format!("0|world v0.1.0 (/ws/world)|\n1|util v0.1.0 (/ws/util)|\n{through}");
        let of_moon = format!("0|moon v0.1.0 (/ws/moon)|\n{}", own("red"));
        assert_eq!(added([(&world, &of_world), (&moon, &of_moon)]), ["", ""]);
        let another = package("another", json!([{"name": "deep", "path": "/ws/deep"}]));
        let crossing = own("");
        let without = "1|deep v0.1.0 (/ws/deep)|\n";
        for (tree, expected) in [(&*crossing, "deep/red (as in moon)"), (without, "")] {
            let result = added([(&another, tree), (&moon, &of_moon)]);
            assert_eq!(result, [expected, ""]);
        }
    }

    #[test]
    fn a_dependency_has_the_name_that_the_manifest_gives_to_it() {
        let name = |dependencies: Value, key: &str| argument(&package("world", dependencies), key);
        let util = "util v0.1.0 (/ws/util)";
        let renamed = json!([{"name": "util", "rename": "tool", "path": "/ws/util"}]);
        assert_eq!(name(renamed, util).as_deref(), Some("tool"));
        let optional = json!([{"name": "util", "optional": true, "path": "/ws/util"}]);
        assert_eq!(name(optional, util).as_deref(), Some("util?"));
        let of_tests = json!([{"name": "util", "kind": "dev", "path": "/ws/util"}]);
        assert_eq!(name(of_tests, util), None);
        // For two targets, or with two versions.
        let twice = json!([
            {"name": "util", "path": "/ws/util", "target": "cfg(unix)"},
            {"name": "util", "path": "/ws/util", "target": "cfg(windows)"},
        ]);
        assert_eq!(name(twice, util).as_deref(), Some("util"));
        let two = json!([
            {"name": "rand", "req": "^0.8"},
            {"name": "rand", "req": "^0.9", "rename": "newer"},
            {"name": "rand", "rename": "own", "path": "/ws/rand"},
        ]);
        for (key, expected) in [
            ("rand v0.8.5", "rand"),
            ("rand v0.9.1", "newer"),
            ("rand v0.8.0-dev (/ws/rand)", "own"),
        ] {
            assert_eq!(name(two.clone(), key).as_deref(), Some(expected), "{key}");
        }
    }
}
