//! Finds the packages around a manifest by reading Cargo.toml files, for when Cargo cannot: while one of them is
//! broken, or a dependency is missing. It may find too much; nothing is built from the result.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::file_names::{is_hidden, is_rust, normal};
use super::scope::Scope;

/// Returns the files of which the packages with these manifests may be made, by their manifests and the files below
/// their directories. This is for packages that do not build, so that the compiler has not listed their files. The
/// result includes the packages of the workspaces above them, and of all path dependencies.
pub(crate) fn guess(manifests: impl IntoIterator<Item = PathBuf>) -> Scope {
    let mut scope = Scope::default();
    let mut known = BTreeSet::new();
    let mut open: Vec<PathBuf> = manifests.into_iter().collect();
    for manifest in open.clone() {
        open.extend(
            manifest
                .ancestors()
                .skip(2)
                .map(|above| above.join("Cargo.toml"))
                .filter(|manifest| manifest.is_file()),
        );
    }
    while let Some(manifest) = open.pop() {
        if !known.insert(manifest.clone()) {
            continue;
        }
        let directory = manifest.parent().unwrap_or(&manifest);
        scope.add_package(directory);
        scope.add_configuration(directory);
        let text = std::fs::read_to_string(&manifest).unwrap_or_default();
        let table: Table = text.parse().unwrap_or_default();
        let mut paths = vec![];
        named_paths(&table, &mut paths);
        for path in paths.into_iter().map(|path| normal(&directory.join(path))) {
            if is_rust(&path) {
                scope.add_file(path);
            } else {
                open.push(path.join("Cargo.toml"));
            }
        }
        open.extend(
            members(&table, directory, |directory| scope.add_list(directory))
                .into_iter()
                .map(|directory| directory.join("Cargo.toml")),
        );
    }
    scope
}

/// Adds the places where a new directory becomes a member of the workspace in `root`, since it matches a pattern.
pub(crate) fn add_member_patterns(root: &Path, scope: &mut Scope) {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    for directory in members(&table, root, |directory| scope.add_list(directory)) {
        scope.add_file(directory.join("Cargo.toml"));
    }
}

/// Collects the value of each `path`: those of dependencies, patches, and targets.
fn named_paths<'t>(table: &'t Table, paths: &mut Vec<&'t str>) {
    for (key, value) in table {
        match value {
            Value::String(path) if key == "path" => paths.push(path),
            Value::Table(table) => named_paths(table, paths),
            Value::Array(values) => {
                for table in values.iter().filter_map(Value::as_table) {
                    named_paths(table, paths);
                }
            }
            _ => {}
        }
    }
}

/// Returns the directories of the members that a workspace in `directory` lists. Calls `listed_in` with the directories
/// in which a new name could be a member.
fn members(table: &Table, directory: &Path, mut listed_in: impl FnMut(&Path)) -> Vec<PathBuf> {
    let listed = table
        .get("workspace")
        .and_then(|workspace| workspace.get("members"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut found = vec![];
    for pattern in listed {
        let mut directories = vec![directory.to_owned()];
        for part in pattern.split('/') {
            if part.contains('*') {
                directories
                    .iter()
                    .for_each(|directory| listed_in(directory));
            }
            directories = directories
                .iter()
                .flat_map(|directory| expanded(directory, part))
                .collect();
        }
        found.extend(directories);
    }
    found
}

/// Returns the paths in `directory` that match one part of a pattern. Only the asterisk is understood.
fn expanded(directory: &Path, part: &str) -> Vec<PathBuf> {
    let Some((begin, end)) = part.split_once('*') else {
        return vec![directory.join(part)];
    };
    let end = end.trim_start_matches('*');
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| !is_hidden(path) && path.is_dir())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(begin) && name.ends_with(end))
        })
        .collect()
}
