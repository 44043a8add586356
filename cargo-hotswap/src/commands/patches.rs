//! `cargo hotswap patches`, and what `patch` does with the versions of a plugin.

use hotswap_control::api::{Patch, PatchSource, Patches};
#[cfg(feature = "source")]
use hotswap_control::{Client, api::PatchesRequest};
use hotswap_host::shown::Shown;

use super::live::ago;
use super::table::table;
use crate::Error;
use crate::chosen::client;
use crate::cli::PatchesArgs;
#[cfg(feature = "source")]
use crate::cli::{PatchAction, PatchedArgs};
use crate::error::exit;
use crate::session::Session;

/// Lists the patches of one plugin, or of all that have some.
pub(crate) fn list(session: &Session, args: &PatchesArgs) -> Result<u8, Error> {
    let client = client(session, &args.host)?;
    let all = match &args.plugin {
        Some(plugin) => vec![client.patches(plugin)?],
        None => client.all_patches()?,
    };
    if args.source {
        return sources(session, &all);
    }
    #[cfg(feature = "source")]
    if args.ast {
        return trees(session, &all);
    }
    show(session, &all, args.json);
    Ok(exit::SUCCESS)
}

/// Returns the sources of closures that the host has kept, each with its plugin and its patch.
///
/// # Errors
/// It has kept none.
fn kept(all: &[Patches]) -> Result<Vec<(&str, &Patch, &PatchSource)>, Error> {
    let mut kept = Vec::new();
    for of in all {
        for patch in of.patches.iter().rev() {
            let sources = patch.sources.iter();
            kept.extend(sources.map(|source| (of.plugin.as_str(), patch, source)));
        }
    }
    match kept.is_empty() {
        true => Err(Error::NoPatchSource),
        false => Ok(kept),
    }
}

/// Prints the sources of closures.
fn sources(session: &Session, all: &[Patches]) -> Result<u8, Error> {
    for (plugin, patch, source) in kept(all)? {
        let PatchSource {
            function,
            text,
            file,
            line,
            ..
        } = source;
        session.ui.result(format_args!(
            "// patch {} of {plugin}::{}, {}:{line}\n{text}",
            patch.number,
            Shown(function),
            Shown(file),
        ));
    }
    Ok(exit::SUCCESS)
}

/// Prints the syntax trees of closures.
#[cfg(feature = "source")]
fn trees(session: &Session, all: &[Patches]) -> Result<u8, Error> {
    #[derive(serde::Serialize)]
    struct Tree<'a> {
        plugin: &'a str,
        patch: u64,
        function: &'a str,
        file: &'a str,
        line: u32,
        tree: serde_json::Value,
    }
    let trees = kept(all)?.into_iter().map(|(plugin, patch, source)| {
        let tree = hotswap_source::expression_ast(&source.text);
        Ok(Tree {
            plugin,
            patch: patch.number,
            function: &source.function,
            file: &source.file,
            line: source.line,
            tree: tree.map_err(|error| Error::Source {
                file: source.file.as_str().into(),
                source: error,
            })?,
        })
    });
    let trees: Vec<_> = trees.collect::<Result<_, Error>>()?;
    session.ui.json(&trees);
    Ok(exit::SUCCESS)
}

fn show(session: &Session, all: &[Patches], json: bool) {
    if json {
        session.ui.json(&all);
        return;
    }
    let head = ["PLUGIN", "PATCH", "WHAT", "BY", "SINCE", "CALLS", "STATE"];
    let mut rows = vec![head.map(str::to_owned)];
    for of in all {
        let applied = of.patches.iter().rev().map(|patch| (patch, "applies"));
        let undone = of.undone.iter().map(|patch| (patch, "rolled back"));
        let listed = applied.chain(undone);
        rows.extend(listed.map(|(patch, state)| row(&of.plugin, patch, state)));
    }
    match rows.len() {
        1 => session.ui.result("no patches"),
        _ => session.ui.result(table(&rows)),
    }
}

fn row(plugin: &str, patch: &Patch, state: &str) -> [String; 7] {
    let sticky = match patch.overrode_sticky {
        true => " (although it is sticky)",
        false => "",
    };
    let persistent = match patch.persistent {
        true => ", persistent",
        false => "",
    };
    [
        plugin.to_owned(),
        patch.number.to_string(),
        format!("{}{sticky}", Shown(patch.changes.join(", "))),
        Shown(&patch.by).to_string(),
        ago(patch.since),
        patch.calls.to_string(),
        format!("{state}{persistent}"),
    ]
}

/// Rolls patches back, does them again, or takes all of them away.
#[cfg(feature = "source")]
pub(crate) fn change(session: &Session, action: &PatchAction) -> Result<u8, Error> {
    let of = match action {
        PatchAction::Rollback { of, .. }
        | PatchAction::Redo { of, .. }
        | PatchAction::Reset { of } => of,
    };
    let client = client(session, &of.host)?;
    let plugin = plugin(&client, of)?;
    let mut request = PatchesRequest::default();
    request.reason.clone_from(&of.why.reason);
    request.deployment.clone_from(&of.why.deployment);
    let patches = match action {
        PatchAction::Rollback { count, .. } => {
            request.count = Some(*count);
            client.rollback_patches(&plugin, &request)
        }
        PatchAction::Redo { count, .. } => {
            request.count = Some(*count);
            client.redo_patches(&plugin, &request)
        }
        PatchAction::Reset { .. } => client.reset_patches(&plugin, &request),
    }?;
    match of.json {
        true => session.ui.json(&patches),
        false => session.ui.result(format_args!(
            "{plugin} is at version {} of its patches",
            patches.version
        )),
    }
    Ok(exit::SUCCESS)
}

/// Returns the plugin that is meant.
#[cfg(feature = "source")]
fn plugin(client: &Client, of: &PatchedArgs) -> Result<String, Error> {
    if let Some(named) = &of.plugin {
        return Ok(named.clone());
    }
    let all = client.all_patches()?;
    let mut plugins: Vec<_> = all.into_iter().map(|of| of.plugin).collect();
    match plugins.len() {
        1 => Ok(plugins.remove(0)),
        _ => Err(Error::WhichPatches { plugins }),
    }
}
