//! `cargo hotswap inspect`

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use hotswap_host::LiveKind;
use hotswap_host::artifact::{
    self, Artifact, Caution, History, Import, ImportKind, Links, LiveEntry, State, UnloadBlocker,
};
use hotswap_host::runtime;
use hotswap_host::shown::{self, Shown};
#[cfg(feature = "source")]
use hotswap_source::Sources;
use serde::Serialize;

use crate::Error;
use crate::cli::InspectArgs;
use crate::error::exit;
use crate::hosts;
use crate::session::Session;

/// Prints the metadata of an artifact, the reasons why it could not leave memory, and warnings.
pub(crate) fn execute(session: &Session, args: &InspectArgs) -> Result<u8, Error> {
    let named = match (args.pid, &args.artifact) {
        (None, Some(named)) => named,
        (pid, _) => return mapped(session, pid.unwrap_or_default(), args.json),
    };
    let path = artifact_of(session, named)?;
    let refused = |error| Error::Artifact(Box::new(error));
    let bytes = artifact::read_bytes(&path).map_err(refused)?;
    #[cfg(feature = "source")]
    if args.source || args.ast || args.function.is_some() {
        return sources(session, args, &path, &bytes);
    }
    let artifact = Artifact::from_bytes(&path, &bytes).map_err(refused)?;
    let view = View {
        links: artifact::links(&bytes),
        cautions: artifact::cautions(&bytes, &artifact.metadata),
        artifact,
        unload_blockers: artifact::unload_blockers(&bytes),
    };
    if args.json {
        session.ui.json(&view);
    } else {
        session.ui.result(view);
    }
    Ok(exit::SUCCESS)
}

/// Prints what is mapped as code into a process.
fn mapped(session: &Session, pid: u32, json: bool) -> Result<u8, Error> {
    let scan = runtime::scan(pid).map_err(|source| Error::NotScanned { pid, source })?;
    match json {
        true => session.ui.json(&scan),
        false => session.ui.result(scan),
    }
    Ok(exit::SUCCESS)
}

/// Returns the file that was named, or the artifact of a running host's plugin that has this name.
fn artifact_of(session: &Session, named: &Path) -> Result<PathBuf, Error> {
    let path = session.absolute(named);
    let is_name = named.components().count() == 1 && named.extension().is_none();
    match named.to_str() {
        Some(name) if is_name && !path.exists() => hosts::artifact_of(session, name),
        _ => Ok(path),
    }
}

/// Prints the sources that an artifact carries, or their syntax trees.
#[cfg(feature = "source")]
fn sources(session: &Session, args: &InspectArgs, path: &Path, bytes: &[u8]) -> Result<u8, Error> {
    let refused = |source| Error::Source {
        file: path.to_owned(),
        source,
    };
    let sources = Sources::of_artifact(bytes).map_err(refused)?;
    match &args.function {
        Some(name) => {
            let function = sources.function(name).map_err(refused)?;
            match args.ast {
                true => session.ui.json(&function.ast()),
                false if args.json => session.ui.json(&function),
                false => session.ui.result(format_args!(
                    "// {}, {}:{}\n{}",
                    function.path, function.file, function.line, function.text
                )),
            }
        }
        None if args.ast => session.ui.json(&sources.ast().map_err(refused)?),
        None if args.json => session.ui.json(&sources),
        None => {
            for file in sources.files() {
                session
                    .ui
                    .result(format_args!("// {}\n{}", file.path, file.text));
            }
        }
    }
    Ok(exit::SUCCESS)
}

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    artifact: Artifact,
    links: Links,
    #[serde(rename = "hindrances")]
    unload_blockers: Vec<UnloadBlocker>,
    cautions: Vec<Caution>,
}

impl Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Artifact {
            file,
            build_id,
            metadata,
            note,
            ..
        } = &self.artifact;
        write!(f, "{} {}", metadata.name, metadata.version)?;
        if metadata.name.as_str() != metadata.crate_name {
            write!(f, " (crate {})", metadata.crate_name)?;
        }
        row(f, "file", [shown::path(file)])?;
        row(f, "build id", [build_id])?;
        let commit = note.as_ref().map_or_else(
            || {
                "not noted; built without `cargo hotswap build`, or changed since (`strip`?): see `cargo hotswap seal`"
                    .to_owned()
            },
            |note| {
                format!(
                    "{}{}",
                    note.commit,
                    if note.dirty { ", changed since" } else { "" }
                )
            },
        );
        row(f, "commit", [commit])?;
        row(
            f,
            "built by",
            [format_args!(
                "{}, profile {}, for {}",
                metadata.rustc, metadata.profile, metadata.target
            )],
        )?;
        row(f, "contract", [metadata.contract])?;
        let reloadable = match metadata.reloadable {
            Some(true) => "yes",
            Some(false) => "no",
            None => "the plugin decides when it is loaded",
        };
        row(f, "reloadable", [reloadable])?;
        let hooks = Some(metadata.hooks.join(", ")).filter(|hooks| !hooks.is_empty());
        row(f, "hooks", hooks)?;
        row(
            f,
            "functions",
            metadata
                .functions
                .iter()
                .map(|function| with_name(&function.signature, &function.name)),
        )?;
        row(
            f,
            "exports",
            metadata.exports.iter().map(|export| &export.interface),
        )?;
        row(f, "imports", metadata.imports.iter().map(import))?;
        let state = |state: &State| {
            let migrations = migrations(state.history.as_ref());
            format!("{}, version {}{migrations}", state.type_name, state.version)
        };
        row(f, "state", metadata.state.iter().map(state))?;
        row(f, "live", metadata.live.iter().map(live))?;
        let Links {
            needed,
            runpath,
            rpath,
            ..
        } = &self.links;
        row(f, "needs", needed.iter().map(Shown))?;
        row(f, "looks in", runpath.iter().map(Shown))?;
        row(f, "looks first in", rpath.iter().map(Shown))?;
        row(
            f,
            "stays in memory",
            self.unload_blockers
                .iter()
                .map(|blocker| format!("because it {blocker}")),
        )?;
        let caution = |caution: &Caution| format!("it {caution}");
        row(f, "beware", self.cautions.iter().map(caution))
    }
}

/// Writes a label and its values, one a line; nothing if there is no value.
fn row<T: Display>(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    let mut label = label;
    for value in values {
        write!(f, "\n  {label:<16} {value}")?;
        label = "";
    }
    Ok(())
}

/// Returns `fn hum(times: u32) -> String` for a signature without the name.
fn with_name(signature: &str, name: &str) -> String {
    match signature.split_once("fn(") {
        Some((keyword @ ("" | "async "), rest)) => format!("{keyword}fn {name}({rest}"),
        _ => format!("{name}: {signature}"),
    }
}

/// Returns `fn live_hum(times: u32) -> String in world::jobs`, or `struct Fire { shots: u32 }, version 2, in
/// world::jobs`.
fn live(item: &LiveEntry) -> String {
    let LiveEntry {
        module,
        name,
        signature,
        ..
    } = item;
    match (item.kind, item.version) {
        (LiveKind::Function, _) => format!("{} in {module}", with_name(signature, name)),
        (_, Some(version)) => {
            let migrations = migrations(item.history.as_ref());
            format!("{signature}, version {version}{migrations}, in {module}")
        }
        (_, None) => format!("{signature} in {module}"),
    }
}

/// Returns `, with migrations from 1 and from 2 (only up)`; nothing if there are none, or none are known.
fn migrations(history: Option<&History>) -> String {
    let declared = history.into_iter().flat_map(|history| &history.migrations);
    let each = declared.map(|step| {
        let ways = match (step.up, step.down) {
            (true, false) => " (only up)",
            (false, true) => " (only down)",
            _ => "",
        };
        format!("from {}{ways}", step.from)
    });
    let each: Vec<_> = each.collect();
    match each.is_empty() {
        true => String::new(),
        false => format!(", with migrations {}", each.join(" and ")),
    }
}

fn import(import: &Import) -> String {
    let wanted = import
        .interface
        .as_deref()
        .unwrap_or("nothing but the order");
    let from = match (import.kind, &import.from) {
        (ImportKind::Host, _) => "the host".to_owned(),
        (_, Some(plugin)) => plugin.to_string(),
        (_, None) => format!("the plugin `{}`", import.field),
    };
    let optional = if import.optional { ", optional" } else { "" };
    format!("{}: {wanted} from {from}{optional}", import.field)
}
