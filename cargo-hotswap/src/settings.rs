//! Refuses settings with which a plugin cannot be contained or unloaded: `panic = "abort"` and `-C prefer-dynamic`.
//!
//! They are looked for where Cargo looks: flags, environment, `.cargo/config.toml` and the profile. That is early and
//! names the place; what an artifact was really built with is checked again when it is read.

use std::path::{Path, PathBuf};

use toml::Table;

use crate::Error;
use crate::error::io;
use crate::workspace::Workspace;

/// What a build is asked for, as far as it matters here.
pub(crate) struct Asked<'a> {
    /// The profile's name, as Cargo takes it.
    pub(crate) profile: &'a str,
    /// The target triple, if one was given.
    pub(crate) target: Option<&'a str>,
    /// Flags for rustc from the command line.
    pub(crate) rustc_args: &'a [String],
}

/// Refuses what must not be set.
pub(crate) fn check(workspace: &Workspace, asked: &Asked<'_>) -> Result<(), Error> {
    let configs = configs(&workspace.root)?;
    let flags = flags(&configs, asked);
    let dynamic =
        |set: &&Flags| codegen(&set.flags, "prefer-dynamic").is_some_and(|value| value != "no");
    if let Some(set) = flags.iter().find(dynamic) {
        return Err(Error::PreferDynamic {
            origin: format!("`-C prefer-dynamic` in {}", set.origin),
        });
    }
    // rustc obeys the last flag, and flags come after what the profile asks for.
    let by_flag = flags
        .iter()
        .rev()
        .find_map(|set| codegen(&set.flags, "panic").map(|value| (value, &set.origin)));
    match by_flag {
        Some(("abort", origin)) => Err(Error::PanicAbort {
            origin: format!("`-C panic=abort` in {origin}"),
            remedy: "remove it".into(),
        }),
        Some(_) => Ok(()),
        None => check_profile(workspace, &configs, asked.profile),
    }
}

fn check_profile(
    workspace: &Workspace,
    configs: &[(PathBuf, Table)],
    profile: &str,
) -> Result<(), Error> {
    let manifest = workspace.root.join("Cargo.toml");
    let root = read(&manifest)?.unwrap_or_default();
    let mut name = profile.to_owned();
    // A chain of `inherits` ends at a built-in profile; Cargo refuses one that does not.
    for _ in 0..16 {
        let variable = format!(
            "CARGO_PROFILE_{}_PANIC",
            name.to_uppercase().replace('-', "_")
        );
        if let Ok(value) = std::env::var(&variable) {
            return refuse(&value, || {
                (
                    format!("{variable}={value} in the environment"),
                    "unset it".into(),
                )
            });
        }
        let files = configs
            .iter()
            .map(|(path, table)| (path.as_path(), table))
            .chain([(manifest.as_path(), &root)]);
        let mut parent = None;
        for (path, table) in files {
            let Some(settings) = table
                .get("profile")
                .and_then(|profiles| profiles.get(&name))
            else {
                continue;
            };
            if let Some(value) = settings.get("panic").and_then(toml::Value::as_str) {
                return refuse(value, || {
                    let origin = format!(
                        "`panic = \"abort\"` under [profile.{name}] in `{}`",
                        path.display()
                    );
                    let remedy = if name == profile {
                        "remove that line".into()
                    } else {
                        format!(
                            "remove that line, or write\n\n    [profile.{profile}]\n    panic = \"unwind\"\n"
                        )
                    };
                    (origin, remedy)
                });
            }
            let inherits = settings.get("inherits").and_then(toml::Value::as_str);
            parent = parent.or_else(|| inherits.map(str::to_owned));
        }
        name = match (parent, name.as_str()) {
            (Some(parent), _) => parent,
            (None, "test") => "dev".into(),
            (None, "bench") => "release".into(),
            (None, _) => return Ok(()),
        };
    }
    Ok(())
}

fn refuse(value: &str, text: impl FnOnce() -> (String, String)) -> Result<(), Error> {
    if value != "abort" {
        return Ok(());
    }
    let (origin, remedy) = text();
    Err(Error::PanicAbort { origin, remedy })
}

/// Flags for rustc and where they stand.
struct Flags {
    origin: String,
    flags: Vec<String>,
}

/// All flags that reach rustc, in the order it sees them. Of environment and configuration Cargo uses one source only.
fn flags(configs: &[(PathBuf, Table)], asked: &Asked<'_>) -> Vec<Flags> {
    let given = Flags {
        origin: "the arguments for rustc".into(),
        flags: asked.rustc_args.to_vec(),
    };
    let from_environment = [("CARGO_ENCODED_RUSTFLAGS", '\x1f'), ("RUSTFLAGS", ' ')]
        .into_iter()
        .find_map(|(name, by)| {
            let value = std::env::var(name).ok()?;
            let flags = value
                .split(by)
                .filter(|flag| !flag.is_empty())
                .map(str::to_owned)
                .collect();
            Some(Flags {
                origin: format!("{name} of the environment"),
                flags,
            })
        });
    let general = match from_environment {
        Some(flags) => vec![flags],
        None => configs
            .iter()
            .flat_map(|(path, table)| configured(path, table, asked.target))
            .collect(),
    };
    general.into_iter().chain([given]).collect()
}

/// `build.rustflags` and `target.<triple>.rustflags` of one file. Conditional tables, `target.'cfg(…)'`, are taken as
/// if they applied: a flag that must not be set somewhere must hardly be set elsewhere.
fn configured(path: &Path, table: &Table, target: Option<&str>) -> Vec<Flags> {
    let targets = table
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    let targets = targets.filter(|(name, _)| match target {
        _ if name.starts_with("cfg(") => true,
        Some(target) => target == name.as_str(),
        None => name.starts_with(std::env::consts::ARCH) && name.contains(std::env::consts::OS),
    });
    let sections = table
        .get("build")
        .into_iter()
        .map(|section| ("build".to_owned(), section));
    let sections =
        sections.chain(targets.map(|(name, section)| (format!("target.{name}"), section)));
    sections
        .filter_map(|(name, section)| {
            let flags = match section.get("rustflags")? {
                toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
                toml::Value::Array(array) => array
                    .iter()
                    .filter_map(|flag| flag.as_str().map(str::to_owned))
                    .collect(),
                _ => return None,
            };
            Some(Flags {
                origin: format!("{name}.rustflags in `{}`", path.display()),
                flags,
            })
        })
        .collect()
}

/// Cargo's configuration files for a build in `root`, the nearest first.
fn configs(root: &Path) -> Result<Vec<(PathBuf, Table)>, Error> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let directories = root
        .ancestors()
        .map(|directory| directory.join(".cargo"))
        .chain(home);
    let mut found: Vec<(PathBuf, Table)> = vec![];
    for directory in directories {
        for name in ["config", "config.toml"] {
            let path = directory.join(name);
            if found.iter().any(|(known, _)| *known == path) {
                continue;
            }
            if let Some(table) = read(&path)? {
                found.push((path, table));
            }
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Option<Table>, Error> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::read_to_string(path) {
        Ok(text) => match text.parse() {
            Ok(table) => Ok(Some(table)),
            Err(source) => Err(Error::Toml {
                path: path.to_owned(),
                source: Box::new(source),
            }),
        },
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(io("read", path)(error)),
    }
}

/// The value of the last `-C name=value` among `flags`; an option without a value has the value `yes`.
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
