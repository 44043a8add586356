//! Links the plugins of a host into its program.
//!
//! Each plugin is compiled as a library with `--cfg hotswap_static`, in the user's own workspace and with the host's
//! options, as for loading. One generated file lists the plugins. `linked_plugins!` in the host's source includes that
//! file, and Cargo compiles the host together with the libraries. The host's manifest, build script, and features are
//! the same as without plugins.

mod plugin;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use plugin::{LIBRARY_SUFFIX, Plugin, alias, external, file_name};

use crate::build::{COMMITS, check_asked, describe, warn_of_configuration};
use crate::cargo::Calls;
use crate::cli::CompileOptions;
use crate::commit::Commits;
use crate::error::io;
use crate::install::{Installed, Locked, OUT_LOCK};
use crate::output::{base_dir, below};
use crate::selection::Group;
use crate::session::Session;
use crate::ui::shown;
use crate::workspace::{Workspace, binaries, library};
use crate::{Error, dep_info, features, host, install, settings, unify};

/// The generated file.
const LIST: &str = "plugins.rs";

/// A host with its plugins linked into it.
#[derive(Debug)]
pub(crate) struct Program {
    /// The host's package.
    pub(crate) package: String,
    /// The executable.
    pub(crate) file: PathBuf,
    /// The packages of the plugins, sorted.
    pub(crate) plugins: Vec<String>,
    /// True if installing changed the file.
    pub(crate) installed: Installed,
}

/// Builds the plugins of `group` and its host with them.
///
/// # Errors
/// Returns an error for a group without a host, for a package that Cargo cannot build, and for a host that does not ask
/// for its plugins.
pub(crate) fn build(
    calls: &Calls<'_>,
    group: &Group<'_>,
    binary: Option<&str>,
) -> Result<Program, Error> {
    let host = check(calls, group)?;
    let binary = host::binary(host, binary)?;
    let session = calls.session;
    unify::resolve(calls, std::slice::from_ref(group))?;
    describe(calls, group);
    // Where this applies, the program itself reports it.
    if let Some((origin, remedy)) = settings::find_panic_abort(calls) {
        session.ui.warn(Error::PanicAbort { origin, remedy });
    }
    let _lock = Locked::of_builds(session, &base_dir(calls.workspace))?;
    session.ui.start_progress(group.plugins.len() + 1);
    let built = compile(calls, group).and_then(|plugins| link(calls, host, binary, &plugins));
    session.ui.finish_progress();
    built
}

/// Refuses groups that must not be built, and returns the host. A crate may depend on a plugin's crate: it has a copy
/// of its own of that code, as it would have beside a loaded plugin, and here neither copy is ever replaced.
pub(crate) fn check<'w>(calls: &Calls<'_>, group: &Group<'w>) -> Result<&'w Package, Error> {
    check_asked(calls, std::slice::from_ref(group))?;
    group.host.ok_or_else(|| Error::LinkedWithoutHost {
        plugins: names(group),
    })
}

/// Returns the directory for the files that are generated for `host`.
fn out_dir(workspace: &Workspace, options: &CompileOptions, host: &Package) -> PathBuf {
    let directory = below(base_dir(workspace).join("static"), options, Some(host));
    install::of_workspace(directory, &workspace.root)
}

fn names(group: &Group<'_>) -> Vec<String> {
    let plugins = group.plugins.iter();
    plugins.map(|plugin| plugin.name.to_string()).collect()
}

/// Returns the calls of Cargo, as far as they are known before they are made.
pub(crate) fn dry_run(
    calls: &Calls<'_>,
    group: &Group<'_>,
    binary: Option<&str>,
) -> Result<(), Error> {
    let host = check(calls, group)?;
    unify::resolve(calls, std::slice::from_ref(group))?;
    let out = out_dir(calls.workspace, calls.options, host);
    let mut link = vec![];
    for plugin in &group.plugins {
        calls.session.ui.result(calls.linked_plugin(plugin).shown());
        link.extend(library(plugin).map(|library| external(&out, &library.name)));
    }
    link.sort();
    let binary = host::binary(host, binary)?;
    let call = calls.linked_host(host, binary, &out.join(LIST), link.into_iter().flatten());
    calls.session.ui.result(call.shown());
    Ok(())
}

fn compile(calls: &Calls<'_>, group: &Group<'_>) -> Result<Vec<Plugin>, Error> {
    let live = calls
        .workspace
        .users_of_hotswap(calls.session, calls.options)?;
    let mut commits = Commits::new(base_dir(calls.workspace).join(COMMITS));
    let (mut plugins, mut all_features) = (vec![], vec![]);
    for plugin in &group.plugins {
        calls.session.ui.progress(&plugin.name);
        warn_of_configuration(calls, plugin);
        let made = calls.make(&calls.linked_plugin(plugin), plugin)?;
        plugins.push(Plugin::of(plugin, &made, &live, &mut commits)?);
        all_features.push((*plugin, features::of(&made)));
        calls.session.ui.advance();
    }
    let built = all_features.iter();
    let built: Vec<_> = built
        .map(|(plugin, features)| (*plugin, features))
        .collect();
    features::check(calls, group, &built)?;
    // The order in which they were found should not be visible.
    plugins.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(plugins)
}

/// Returns the text of the generated file, for sorted plugins.
fn list(host: &str, plugins: &[Plugin]) -> String {
    let mut text = format!(
        "// The plugins that `cargo hotswap build --static` links into `{host}`, which writes this file anew each time.\n{{\n"
    );
    for plugin in plugins {
        let alias = alias(&plugin.library);
        // Writing into a `String` cannot fail.
        let _ = writeln!(text, "    extern crate {alias} as _;");
    }
    text.push_str("    __hotswap::LinkedPlugins::new(&[\n");
    text.extend(plugins.iter().map(Plugin::listed));
    text.push_str("    ])\n}\n");
    text
}

/// Builds the host with its plugins.
fn link(
    calls: &Calls<'_>,
    host: &Package,
    binary: &str,
    plugins: &[Plugin],
) -> Result<Program, Error> {
    let session = calls.session;
    let path = out_dir(calls.workspace, calls.options, host);
    let out = Locked::wait(session, &path, OUT_LOCK, calls.options.keep_temps)?;
    out.claim(&calls.workspace.root)?;
    out.remove_stale()?;
    let plain = || Permissions::from_mode(0o644);
    for plugin in plugins {
        out.install(session, &file_name(&plugin.library), &plugin.bytes, plain())?;
    }
    out.remove_others_with(LIBRARY_SUFFIX, |name| {
        plugins
            .iter()
            .any(|plugin| file_name(&plugin.library) == name)
    })?;
    let list_file = out.file(LIST);
    let text = list(&host.name, plugins);
    out.install(session, LIST, text.as_bytes(), plain())?;

    session.ui.progress(&host.name);
    let mut link: Vec<OsString> = vec![];
    for plugin in plugins {
        link.extend(external(&path, &plugin.library));
    }
    // Each pair once, at the place where it occurred first.
    let mut known = HashSet::new();
    let search = plugins.iter().flat_map(|plugin| plugin.link.chunks(2));
    link.extend(search.filter(|pair| known.insert(*pair)).flatten().cloned());
    let made = calls.make(&calls.linked_host(host, binary, &list_file, link), host)?;
    session.ui.advance();
    let built = host::executable(&made, host, binary)?;
    check_takes_plugins(calls, host, binary, &built, &list_file)?;
    let bytes = std::fs::read(&built).map_err(io("read", &built))?;
    let permissions = built.metadata().map_err(io("read", &built))?.permissions();
    let name = built.file_name().unwrap_or_default().to_string_lossy();
    let program = Program {
        package: host.name.to_string(),
        file: out.file(&name),
        plugins: plugins
            .iter()
            .map(|plugin| plugin.package.clone())
            .collect(),
        installed: out.install(session, &name, &bytes, permissions)?,
    };
    let verb = match program.installed {
        Installed::Written => "Linked",
        Installed::Unchanged => "Unchanged",
    };
    let file = shown(&program.file, &calls.workspace.root);
    session.ui.status(
        verb,
        format_args!("{} -> {file}", program.plugins.join(", ")),
    );
    Ok(program)
}

/// Checks that the program's source includes the list. Otherwise the program has none of its plugins.
fn check_takes_plugins(
    calls: &Calls<'_>,
    host: &Package,
    binary: &str,
    built: &Path,
    list: &Path,
) -> Result<(), Error> {
    let sources = dep_info::read(&built.with_extension("d"), &calls.workspace.root);
    if sources.iter().any(|source| source == list) {
        return Ok(());
    }
    let target = host.targets.iter().find(|t| t.is_bin() && t.name == binary);
    Err(Error::NotLinked {
        host: host.name.to_string(),
        source_file: target
            .map(|t| t.src_path.clone().into())
            .unwrap_or_default(),
    })
}

/// Removes what was generated for `host`, from a directory below the target directory that carries the mark of this
/// workspace, and nothing else. Returns true if there was anything.
pub(crate) fn clean(
    session: &Session,
    workspace: &Workspace,
    options: &CompileOptions,
    host: &Package,
) -> Result<bool, Error> {
    let path = out_dir(workspace, options, host);
    let base = &workspace.target_dir;
    let Some((out, way)) = Locked::marked(session, base, &path, &workspace.root)? else {
        return Ok(false);
    };
    out.remove_stale()?;
    let program = |name: &str| {
        let name = name
            .strip_suffix(std::env::consts::EXE_SUFFIX)
            .unwrap_or(name);
        binaries(host).any(|binary| binary == name)
    };
    let library = |name: &str| name.starts_with("lib") && name.ends_with(LIBRARY_SUFFIX);
    let generated = |name: &str| name == LIST || library(name) || program(name);
    let removed = out.remove(generated)?;
    for name in &removed {
        let file = path.join(name);
        session.ui.status("Removed", shown(&file, &workspace.root));
    }
    // A foreign file keeps its directory. The directory of all builds stays.
    way.remove_empty(1);
    Ok(!removed.is_empty())
}
