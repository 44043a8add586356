//! Finds the origin of a setting with which a plugin cannot be contained or unloaded: `panic = "abort"` and `-C
//! prefer-dynamic`.
//!
//! Only the output of rustc decides whether such a setting is in force: Cargo has many sources of flags, and each
//! release has more. This module searches the usual sources to name the place. If it is mistaken, only the message is
//! wrong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::Error;
use crate::cargo::Calls;
use crate::output::profile;
use crate::workspace::{CONFIG_NAMES, Workspace};
use hotswap_host::shown;

/// Returns the error for a plugin whose panics end the process.
pub(crate) fn panic_abort(calls: &Calls<'_>) -> Error {
    let (origin, remedy) = find_panic_abort(calls).unwrap_or_else(|| {
        let origin = format!(
            "panic = \"abort\", which the profile `{}` or a flag for rustc asks for,",
            profile(calls.options)
        );
        let remedy = "look for it in the manifest of the workspace, in `.cargo/config.toml` and in the environment";
        (origin, remedy.into())
    });
    Error::PanicAbort { origin, remedy }
}

/// Returns the place that asks for panics that abort, and the way out. Returns `None` if no usual place does.
pub(crate) fn find_panic_abort(calls: &Calls<'_>) -> Option<(String, String)> {
    let flag = |flags: &Flags| codegen(&flags.flags, "panic") == Some("abort");
    let places = Places::of(calls);
    // For rustc, flags count more than the profile.
    if let Some(flags) = places.flags.iter().find(|flags| flag(flags)) {
        let origin = format!("`-C panic=abort` in {}", flags.origin);
        return Some((origin, "remove it".into()));
    }
    places.panic_of_profile(profile(calls.options))
}

/// Returns the place of `-C prefer-dynamic`, or `None` if no usual place has it.
pub(crate) fn find_prefer_dynamic(calls: &Calls<'_>) -> Option<String> {
    let dynamic =
        |flags: &&Flags| codegen(&flags.flags, "prefer-dynamic").is_some_and(|value| value != "no");
    let places = Places::of(calls);
    let flags = places.flags.iter().find(dynamic)?;
    Some(format!("`-C prefer-dynamic` in {}", flags.origin))
}

/// Returns true if the user names a directory of standard libraries, or if Cargo may read such a name elsewhere.
pub(crate) fn names_sysroot(calls: &Calls<'_>) -> bool {
    let is_sysroot = |flag: &String| flag.starts_with("--sysroot");
    let flags = Places::of(calls).flags;
    let given = |arg: &String| arg == "--config" || arg.starts_with("--config=");
    calls.cargo_args.iter().any(given) || flags.iter().any(|it| it.flags.iter().any(is_sysroot))
}

/// Returns the setting `key` of the table `[build]`, with the directory to which a path in it is relative: from the
/// first of `variables` that is set, or from a file.
pub(crate) fn of_builds(
    workspace: &Workspace,
    variables: &[&str],
    key: &str,
) -> Option<(PathBuf, OsString)> {
    let set = variables.iter().find_map(std::env::var_os);
    if let Some(value) = set {
        return Some((workspace.directory.clone(), value));
    }
    configuration(workspace)
        .into_iter()
        .find_map(|(path, table)| {
            let value = table.get("build")?.get(key)?.as_str()?.into();
            Some((path.parent()?.parent()?.to_owned(), value))
        })
}

/// Flags for rustc, and their place.
struct Flags {
    origin: String,
    flags: Vec<String>,
}

/// The places from which settings usually come.
struct Places {
    flags: Vec<Flags>,
    /// The weakest comes last, which is the manifest of the workspace.
    files: Vec<(PathBuf, Table)>,
}

impl Places {
    fn of(calls: &Calls<'_>) -> Self {
        let mut files = configuration(calls.workspace);
        let mut flags = vec![Flags {
            origin: "the arguments for rustc".into(),
            flags: calls.rustc_args.to_vec(),
        }];
        flags.extend(flags_of_environment());
        for (path, table) in &files {
            collect_flags(path, "", table, &mut flags);
        }
        add(&mut files, &calls.workspace.root.join("Cargo.toml"));
        Self { flags, files }
    }

    fn panic_of_profile(&self, profile: &str) -> Option<(String, String)> {
        let mut name = profile.to_owned();
        // The limit ends a circle. A chain of `inherits` ends at a built-in profile.
        for _ in 0..16 {
            let variable = format!(
                "CARGO_PROFILE_{}_PANIC",
                name.to_uppercase().replace('-', "_")
            );
            if std::env::var(&variable).is_ok_and(|value| value == "abort") {
                let origin = format!("{variable}=abort in the environment");
                return Some((origin, "unset it".into()));
            }
            let mut parent = None;
            for (path, table) in &self.files {
                let profiles = table.get("profile");
                let Some(settings) = profiles.and_then(|profiles| profiles.get(&name)) else {
                    continue;
                };
                if settings.get("panic").and_then(Value::as_str) == Some("abort") {
                    let path = shown::path(path);
                    let origin = format!("`panic = \"abort\"` under [profile.{name}] in `{path}`");
                    let remedy = if name == profile {
                        "remove that line".into()
                    } else {
                        format!(
                            "remove that line, or write\n\n    [profile.{profile}]\n    panic = \"unwind\"\n"
                        )
                    };
                    return Some((origin, remedy));
                }
                let inherits = settings.get("inherits").and_then(Value::as_str);
                parent = parent.or_else(|| inherits.map(str::to_owned));
            }
            name = match (parent, name.as_str()) {
                (Some(parent), _) => parent,
                (None, "test") => "dev".into(),
                (None, "bench") => "release".into(),
                (None, _) => return None,
            };
        }
        None
    }
}

/// Returns the variables that the table `[env]` sets, unless they are set already.
pub(crate) fn environment(workspace: &Workspace) -> BTreeMap<String, OsString> {
    let mut environment = BTreeMap::new();
    for (path, table) in configuration(workspace) {
        let variables = table.get("env").and_then(Value::as_table);
        for (name, setting) in variables.into_iter().flatten() {
            let is = |key: &str| setting.get(key).and_then(Value::as_bool) == Some(true);
            let value = setting.get("value").unwrap_or(setting).as_str();
            let Some(value) = value.filter(|_| is("force") || std::env::var_os(name).is_none())
            else {
                continue;
            };
            let base = path.parent().and_then(Path::parent);
            let value = match base.filter(|_| is("relative")) {
                Some(base) => base.join(value).into_os_string(),
                None => value.into(),
            };
            // The nearest file comes first.
            environment.entry(name.clone()).or_insert(value);
        }
    }
    environment
}

/// Returns the paths of the files of configuration for a workspace, with those that they include.
pub(crate) fn configuration_files(workspace: &Workspace) -> impl Iterator<Item = PathBuf> {
    configuration(workspace).into_iter().map(|(path, _)| path)
}

/// Returns the files of configuration for a workspace, the nearest first.
fn configuration(workspace: &Workspace) -> Vec<(PathBuf, Table)> {
    let mut files = vec![];
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let directories = workspace.directory.ancestors();
    let directories = directories.map(|directory| directory.join(".cargo"));
    for directory in directories.chain(home) {
        for name in CONFIG_NAMES {
            add(&mut files, &directory.join(name));
        }
    }
    files
}

/// Adds a file, and those that it includes. Cargo reports a file that cannot be read or is not TOML.
fn add(files: &mut Vec<(PathBuf, Table)>, path: &Path) {
    if files.iter().any(|(known, _)| known == path) {
        return;
    }
    let Some(table) = std::fs::read_to_string(path)
        .ok()
        .and_then(|text| text.parse::<Table>().ok())
    else {
        return;
    };
    let included = table.get("include").cloned();
    files.push((path.to_owned(), table));
    let included = match included {
        Some(Value::Array(several)) => several,
        one => one.into_iter().collect(),
    };
    for one in included {
        let file = one.get("path").unwrap_or(&one);
        if let (Some(file), Some(directory)) = (file.as_str(), path.parent()) {
            add(files, &directory.join(file));
        }
    }
}

/// Returns the flags of every variable from which Cargo reads flags.
fn flags_of_environment() -> impl Iterator<Item = Flags> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut variables: Vec<_> = variables
        .filter(|(name, _)| name == "RUSTFLAGS" || name.starts_with("CARGO_"))
        .filter(|(name, _)| name.ends_with("RUSTFLAGS"))
        .collect();
    variables.sort();
    variables.into_iter().map(|(name, value)| Flags {
        flags: value
            .split(['\x1f', ' '])
            .filter(|flag| !flag.is_empty())
            .map(str::to_owned)
            .collect(),
        origin: format!("{name} of the environment"),
    })
}

/// Collects every `rustflags` in `table`, in all its sections.
fn collect_flags(path: &Path, section: &str, table: &Table, found: &mut Vec<Flags>) {
    for (key, value) in table {
        let name = if section.is_empty() {
            key.clone()
        } else {
            format!("{section}.{key}")
        };
        let flags: Vec<String> = match value {
            Value::Table(table) => {
                collect_flags(path, &name, table, found);
                continue;
            }
            Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            Value::Array(array) => {
                let flags = array.iter().filter_map(Value::as_str);
                flags.map(str::to_owned).collect()
            }
            _ => continue,
        };
        if key == "rustflags" {
            let origin = format!("{name} in `{}`", shown::path(path));
            found.push(Flags { origin, flags });
        }
    }
}

/// Returns the value of the last `-C name=value` among `flags`. An option without a value has the value `yes`.
fn codegen<'a>(flags: &'a [String], name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut expected = false;
    for flag in flags {
        let option = if std::mem::take(&mut expected) {
            Some(flag.as_str())
        } else if flag == "-C" || flag == "--codegen" {
            expected = true;
            None
        } else {
            flag.strip_prefix("-C")
                .or_else(|| flag.strip_prefix("--codegen="))
        };
        if let Some((key, value)) =
            option.map(|option| option.split_once('=').unwrap_or((option, "yes")))
            && key.replace('_', "-") == name
        {
            found = Some(value);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn codegen_options_are_understood_in_every_spelling() {
        for text in [
            "-C panic=abort",
            "-Cpanic=abort",
            "--codegen panic=abort",
            "--codegen=panic=abort",
        ] {
            assert_eq!(codegen(&flags(text), "panic"), Some("abort"), "{text}");
        }
        assert_eq!(
            codegen(&flags("-C prefer-dynamic"), "prefer-dynamic"),
            Some("yes")
        );
        assert_eq!(
            codegen(&flags("-C prefer_dynamic=no"), "prefer-dynamic"),
            Some("no")
        );
    }

    #[test]
    fn the_last_one_counts() {
        assert_eq!(
            codegen(
                &flags("-C panic=abort -C opt-level=3 -C panic=unwind"),
                "panic"
            ),
            Some("unwind")
        );
    }

    #[test]
    fn words_that_are_no_codegen_options_do_not_count() {
        assert_eq!(codegen(&flags("--cfg panic=abort"), "panic"), None);
    }
}
