//! Links the plugins of a host into its program.
//!
//! Each plugin is compiled as a library with `--cfg hotswap_static`, in the user's own workspace and with the host's options, as
//! for loading. One generated file lists them; `linked_plugins!` in the host's source includes it, and Cargo compiles the host
//! with the libraries at hand. The host's manifest, build script and features are what they are without plugins.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, Package, PackageId};
use hotswap_host::artifact::{BuildId, Note};

use crate::build::{COMMITS, base_dir, below, check_asked, describe};
use crate::cargo::{Calls, Made, file_of};
use crate::cli::CompileOptions;
use crate::commit::Commits;
use crate::error::io;
use crate::install::{BUILD_LOCK, Installed, Locked, OUT_LOCK};
use crate::selection::Group;
use crate::session::Session;
use crate::ui::shown;
use crate::workspace::{Workspace, binaries, directory, library};
use crate::{Error, dep_info, host};

/// The generated file.
const LIST: &str = "plugins.rs";
const LIBRARY_SUFFIX: &str = ".rlib";

/// A host with its plugins in it.
#[derive(Debug)]
pub(crate) struct Program {
    /// The host's package.
    pub(crate) package: String,
    /// The executable.
    pub(crate) file: PathBuf,
    /// The packages of the plugins, sorted.
    pub(crate) plugins: Vec<String>,
    /// Whether anything about the file changed.
    pub(crate) installed: Installed,
}

/// A plugin that was compiled to be linked.
#[derive(Debug)]
struct Plugin {
    package: String,
    /// The name of its library target.
    library: String,
    bytes: Vec<u8>,
    note: Note,
    /// The crates whose live functions and types it has.
    crates: BTreeSet<String>,
    /// What the program needs to be linked with it.
    link: Vec<OsString>,
}

/// Builds the plugins of `group` and its host with them.
///
/// # Errors
/// A group without a host; whatever Cargo does not build; a host that does not ask for its plugins.
pub(crate) fn build(
    calls: &Calls<'_>,
    group: &Group<'_>,
    binary: Option<&str>,
) -> Result<Program, Error> {
    let host = check(calls, group)?;
    let binary = host::binary(host, binary)?;
    let session = calls.session;
    describe(calls, group);
    let base = base_dir(calls.workspace);
    let _lock = Locked::wait(session, &base, BUILD_LOCK, false)?;
    session.ui.start_progress(group.plugins.len() + 1);
    let built = compile(calls, group).and_then(|plugins| link(calls, host, binary, &plugins));
    session.ui.finish_progress();
    built
}

/// Refuses what must not be built, and returns the host. That one crate depends on a plugin's is no reason: it has a copy of
/// its own of that code, as it would have beside a loaded plugin, and here nothing of either is ever replaced.
pub(crate) fn check<'w>(calls: &Calls<'_>, group: &Group<'w>) -> Result<&'w Package, Error> {
    check_asked(calls, std::slice::from_ref(group))?;
    group.host.ok_or_else(|| Error::LinkedWithoutHost {
        plugins: names(group),
    })
}

/// Where what is generated for `host` lies.
fn out_dir(workspace: &Workspace, options: &CompileOptions, host: &Package) -> PathBuf {
    below(base_dir(workspace).join("static"), options, Some(host))
}

fn names(group: &Group<'_>) -> Vec<String> {
    let plugins = group.plugins.iter();
    plugins.map(|plugin| plugin.name.to_string()).collect()
}

/// The calls of Cargo, as far as they can be told before they are made.
pub(crate) fn dry_run(
    calls: &Calls<'_>,
    group: &Group<'_>,
    binary: Option<&str>,
) -> Result<(), Error> {
    let host = check(calls, group)?;
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
    let mut plugins = vec![];
    for plugin in &group.plugins {
        calls.session.ui.progress(&plugin.name);
        let made = calls
            .linked_plugin(plugin)
            .run(calls.session, calls.format)?;
        plugins.push(Plugin::of(plugin, &made, &live, &mut commits)?);
        calls.session.ui.advance();
    }
    // Nobody shall see in which order they were found.
    plugins.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(plugins)
}

impl Plugin {
    fn of(
        package: &Package,
        made: &Made,
        live: &HashSet<PackageId>,
        commits: &mut Commits,
    ) -> Result<Self, Error> {
        let wanted = |artifact: &Artifact, file: &Path| is_library(artifact) && is_rlib(file);
        let file = file_of(&made.artifacts, &package.id, wanted);
        let (file, library) = file
            .zip(library(package))
            .ok_or_else(|| Error::NoArtifact {
                package: package.name.to_string(),
                wanted: "library",
            })?;
        let library = library.name.replace('-', "_");
        let mut with_live = made.artifacts.clone();
        with_live.retain(|made| is_library(made) && live.contains(&made.package_id));
        let crates = with_live
            .into_iter()
            .map(|made| made.target.name.replace('-', "_"));
        Ok(Plugin {
            package: package.name.to_string(),
            bytes: std::fs::read(&file).map_err(io("read", &file))?,
            note: commits.note(directory(package)),
            crates: crates.chain([library.clone()]).collect(),
            link: search_paths(made),
            library,
        })
    }

    /// The entry of the list.
    fn listed(&self) -> String {
        let Note { commit, dirty } = &self.note;
        let crates: Vec<&String> = self.crates.iter().collect();
        format!(
            "        __hotswap::LinkedPlugin {{\n            \
                 package: {:?},\n            \
                 build: \"{}\",\n            \
                 commit: {commit:?},\n            \
                 dirty: {dirty},\n            \
                 crates: &{crates:?},\n        \
             }},\n",
            self.package,
            build_id(&self.bytes)
        )
    }
}

fn is_library(artifact: &Artifact) -> bool {
    artifact.target.is_lib() || artifact.target.is_rlib()
}

fn is_rlib(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "rlib")
}

/// Where rustc finds the crates that a plugin is made of, and the linker the libraries that those need.
fn search_paths(made: &Made) -> Vec<OsString> {
    let libraries = made.artifacts.iter().filter(|made| is_library(made));
    let files = libraries.flat_map(|made| &made.filenames);
    let directories: BTreeSet<_> = files.filter_map(|file| file.parent()).collect();
    let crates = directories.into_iter();
    let crates = crates.map(|directory| format!("dependency={directory}"));
    let paths = crates.chain(made.linked_paths.iter().cloned());
    paths.flat_map(|path| ["-L".into(), path.into()]).collect()
}

/// The identity of a library: what is in it. rustc gives the objects in it other names in each run.
fn build_id(library: &[u8]) -> BuildId {
    let content = members(library).map(|members| members.concat());
    BuildId::of(content.as_deref().unwrap_or(library))
}

/// What is in an archive, without its tables of names; `None` where it is not laid out as they are on Unix.
fn members(archive: &[u8]) -> Option<Vec<&[u8]>> {
    const SIZE: std::ops::Range<usize> = 48..58;
    let (mut members, mut rest) = (vec![], archive.strip_prefix(b"!<arch>\n")?);
    while let Some((head, after)) = rest.split_first_chunk::<60>() {
        let size: usize = str::from_utf8(&head[SIZE]).ok()?.trim_end().parse().ok()?;
        let (member, after) = after.split_at_checked(size)?;
        if !head.starts_with(b"/ ") && !head.starts_with(b"// ") {
            members.push(member);
        }
        // Each begins at an even place.
        rest = after.get(size % 2..).unwrap_or_default();
    }
    Some(members)
}

/// What the host's source calls the library of a plugin.
fn alias(library: &str) -> String {
    format!("hotswap_linked_{}", library.replace('-', "_"))
}

fn file_name(library: &str) -> String {
    format!("lib{}{LIBRARY_SUFFIX}", library.replace('-', "_"))
}

/// Has rustc find the library of a plugin in `out`.
fn external(out: &Path, library: &str) -> [OsString; 2] {
    let mut external = OsString::from(format!("{}=", alias(library)));
    external.push(out.join(file_name(library)));
    ["--extern".into(), external]
}

/// The text of the generated file, for plugins that are sorted.
fn list(host: &str, plugins: &[Plugin]) -> String {
    let mut text = format!(
        "// The plugins that `cargo hotswap build --static` links into `{host}`, which writes this file anew each time.\n{{\n"
    );
    for plugin in plugins {
        let alias = alias(&plugin.library);
        // Writing into a text cannot fail.
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
    // Each pair once, where they were met first.
    let mut known = HashSet::new();
    let search = plugins.iter().flat_map(|plugin| plugin.link.chunks(2));
    link.extend(search.filter(|pair| known.insert(*pair)).flatten().cloned());
    let made = calls
        .linked_host(host, binary, &list_file, link)
        .run(session, calls.format)?;
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

/// A program whose source does not include the list has none of its plugins.
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

/// Removes what was generated for `host`, and nothing else. Returns whether there was anything.
pub(crate) fn clean(
    session: &Session,
    workspace: &Workspace,
    options: &CompileOptions,
    host: &Package,
) -> Result<bool, Error> {
    let path = out_dir(workspace, options, host);
    if !path.is_dir() {
        return Ok(false);
    }
    let out = Locked::wait(session, &path, OUT_LOCK, false)?;
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
    // Those that are empty now; a file of somebody else's keeps its directory.
    let base = base_dir(workspace);
    path.ancestors()
        .take_while(|above| **above != base)
        .take_while(|above| std::fs::remove_dir(above).is_ok())
        .for_each(drop);
    Ok(!removed.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_a_library_is_what_is_in_it() {
        let member = |name: &str, content: &str| {
            let padding = if content.len() % 2 == 1 { "\n" } else { "" };
            let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}", 0, 0, 0, 644);
            format!("{head}{:<10}`\n{content}{padding}", content.len())
        };
        let archive = |name: &str, content: &str| {
            let members = [
                member("/", name),
                member("//", name),
                member(name, content),
                member("/0", "b"),
            ];
            format!("!<arch>\n{}", members.concat()).into_bytes()
        };
        let first = archive("a.o/", "odd");
        assert_eq!(members(&first).unwrap(), [&b"odd"[..], b"b"]);
        assert_eq!(build_id(&first), build_id(&archive("other.o/", "odd")));
        assert_ne!(build_id(&first), build_id(&archive("a.o/", "even")));
        // Whatever it is, it has an identity.
        assert_eq!(members(b"no archive"), None);
        assert_eq!(build_id(b"no archive"), BuildId::of(b"no archive"));
    }
}
