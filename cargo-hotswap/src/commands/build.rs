//! `cargo hotswap build`

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use hotswap_host::artifact::BuildId;
use hotswap_host::shown;
use serde::Serialize;

use crate::build::{self, Built};
use crate::cargo::Calls;
use crate::cli::{BuildArgs, MessageFormat};
use crate::error::exit;
use crate::install::Installed;
use crate::linked::{self, Program};
use crate::manifest::find_manifest;
use crate::selection::{Filter, Group, select};
use crate::session::Session;
use crate::workspace::Workspace;
use crate::{Error, thin, unify};

/// Builds what `args` select, and prints the paths of the artifacts.
pub(crate) fn execute(session: &Session, args: &BuildArgs) -> Result<u8, Error> {
    let (cargo_args, rustc_args) = split(&args.args);
    let (mut built, mut programs) = (vec![], vec![]);
    for (workspace, manifests) in workspaces(session, args)? {
        let filter = Filter {
            package: &args.package,
            workspace: args.workspace,
            exclude: &args.exclude,
        };
        let mut groups: Vec<Group<'_>> = vec![];
        for manifest in manifests {
            groups.extend(select(&workspace, &manifest, filter)?);
        }
        for groups in alike(&workspace, groups) {
            let host = groups.first().and_then(|group| group.host);
            let configured = workspace.configured_for(session, host, &args.compile)?;
            let calls = Calls {
                session,
                workspace: configured.as_ref().unwrap_or(&workspace),
                options: &args.compile,
                cargo_args,
                rustc_args,
                format: args.message_format,
                relabel: None,
                replayed: false,
                builds_host: args.linked,
            };
            if args.linked {
                programs.extend(linked(&calls, &groups, args)?);
            } else if args.dry_run {
                dry_run(&calls, &groups)?;
            } else {
                built.extend(build::build(&calls, &groups)?.built);
            }
        }
    }
    for built in &built {
        match args.message_format {
            MessageFormat::Human => session.ui.result(shown::path(&built.file)),
            MessageFormat::Json => session.ui.json(&Message::of(built)),
        }
    }
    for program in &programs {
        match args.message_format {
            MessageFormat::Human => session.ui.result(shown::path(&program.file)),
            MessageFormat::Json => session.ui.json(&ProgramMessage::of(program)),
        }
    }
    Ok(exit::SUCCESS)
}

/// Returns the groups by the directory whose configuration they are built with, in the order in which they were
/// selected.
fn alike<'w>(workspace: &'w Workspace, groups: Vec<Group<'w>>) -> Vec<Vec<Group<'w>>> {
    let mut alike: Vec<(&Path, Vec<Group<'w>>)> = vec![];
    for group in groups {
        let directory = workspace.directory_for(group.host);
        match alike.iter_mut().find(|(known, _)| *known == directory) {
            Some((_, groups)) => groups.push(group),
            None => alike.push((directory, vec![group])),
        }
    }
    alike.into_iter().map(|(_, groups)| groups).collect()
}

/// Builds the programs of these hosts with their plugins, or removes the files that were generated for that.
fn linked(
    calls: &Calls<'_>,
    groups: &[Group<'_>],
    args: &BuildArgs,
) -> Result<Vec<Program>, Error> {
    let mut programs = vec![];
    for group in groups {
        if args.clean {
            let host = linked::check(calls, group)?;
            if !linked::clean(calls.session, calls.workspace, calls.options, host)? {
                let nothing = format_args!("nothing was generated for `{}`", host.name);
                calls.session.ui.info("Clean", nothing);
            }
        } else if args.dry_run {
            linked::dry_run(calls, group, args.bin.as_deref())?;
        } else {
            programs.push(linked::build(calls, group, args.bin.as_deref())?);
        }
    }
    Ok(programs)
}

/// Returns the selected workspaces, each asked about once, with the manifests from which to start.
fn workspaces(
    session: &Session,
    args: &BuildArgs,
) -> Result<Vec<(Workspace, Vec<PathBuf>)>, Error> {
    let manifests = match (&args.compile.manifest_path, &args.paths[..]) {
        (Some(manifest), _) => vec![find_manifest(session, &session.absolute(manifest), false)?],
        (None, []) => vec![find_manifest(session, &session.dir, true)?],
        (None, paths) => paths
            .iter()
            .map(|path| find_manifest(session, &session.absolute(path), false))
            .collect::<Result<_, _>>()?,
    };
    let mut workspaces: Vec<(Workspace, Vec<PathBuf>)> = vec![];
    for manifest in manifests {
        match workspaces
            .iter_mut()
            .find(|(workspace, _)| workspace.member_at(&manifest).is_some())
        {
            Some((_, manifests)) => manifests.push(manifest),
            None => workspaces.push((
                Workspace::load(session, &manifest, &args.compile)?,
                vec![manifest],
            )),
        }
    }
    Ok(workspaces)
}

/// Splits the arguments: those before a second `--` go to Cargo, and all others to rustc.
fn split(args: &[String]) -> (&[String], &[String]) {
    match args.iter().position(|arg| arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (&[], args),
    }
}

fn dry_run(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<(), Error> {
    build::check(calls, groups)?;
    unify::resolve(calls, groups)?;
    let thin = thin::find(calls)?;
    for group in groups {
        for plugin in &group.plugins {
            calls
                .session
                .ui
                .result(calls.plugin(plugin, thin.as_deref()).shown());
        }
    }
    Ok(())
}

/// The message of `--message-format json` about an artifact.
#[derive(Serialize)]
struct Message<'a> {
    reason: &'static str,
    package: &'a str,
    file: Cow<'a, str>,
    build_id: BuildId,
    changed: bool,
}

impl<'a> Message<'a> {
    fn of(built: &'a Built) -> Self {
        Self {
            reason: "hotswap-artifact",
            package: &built.package,
            file: built.file.to_string_lossy(),
            build_id: built.build_id,
            changed: built.installed == Installed::Written,
        }
    }
}

/// The message of `--message-format json` about a program.
#[derive(Serialize)]
struct ProgramMessage<'a> {
    reason: &'static str,
    package: &'a str,
    file: Cow<'a, str>,
    plugins: &'a [String],
    changed: bool,
}

impl<'a> ProgramMessage<'a> {
    fn of(program: &'a Program) -> Self {
        Self {
            reason: "hotswap-program",
            package: &program.package,
            file: program.file.to_string_lossy(),
            plugins: &program.plugins,
            changed: program.installed == Installed::Written,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_dash_dash_tells_cargo_from_rustc() {
        let args = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let only_rustc = args(&["-C", "opt-level=1"]);
        assert_eq!(split(&only_rustc), (&[][..], &only_rustc[..]));
        let both = args(&["--timings", "--", "-C", "opt-level=1"]);
        assert_eq!(split(&both), (&both[..1], &both[2..]));
    }
}
