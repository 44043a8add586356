//! Compiles plugins, and installs them where a host finds them.
//!
//! All plugins are compiled before the first is installed, so that an error in one leaves all as they were.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cargo_metadata::{Package, PackageId};
use hotswap_host::artifact::{
    self, Artifact, ArtifactError, ArtifactProblem, BuildId, Note, UnloadBlocker,
};
use hotswap_host::shown;

use crate::call::file_of;
use crate::cargo::{Calls, check_features};
use crate::carried;
use crate::commit::Commits;
use crate::error::io;
use crate::features::{self, Features};
use crate::install::{Installed, Locked, OUT_LOCK};
use crate::output::{base_dir, out_dir};
use crate::selection::Group;
use crate::session::Session;
use crate::ui::shown;
use crate::workspace::{config_of, directory};
use crate::{Error, edges, settings};

mod names;

/// The file that keeps the commits that were found for the next builds.
pub(crate) const COMMITS: &str = ".hotswap-commits.json";

/// A plugin that was built and installed.
#[derive(Debug)]
pub(crate) struct Built {
    /// Its package.
    pub(crate) package: String,
    /// The installed file.
    pub(crate) file: PathBuf,
    /// The hash of the library's bytes.
    pub(crate) build_id: BuildId,
    /// True if installing changed the file.
    pub(crate) installed: Installed,
    /// The dep-info file, in which Cargo lists what the plugin is made of.
    pub(crate) dep_info: PathBuf,
    /// The directories of libraries that its build scripts have made, and that it may need when it is loaded.
    pub(crate) library_paths: Vec<PathBuf>,
}

/// The result of a build.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The plugins, in the order in which they were selected.
    pub(crate) built: Vec<Built>,
    /// True if plugins were removed that the host no longer has.
    pub(crate) removed: bool,
}

impl Outcome {
    /// Returns true if there is anything new for a host.
    pub(crate) fn changed(&self) -> bool {
        self.removed
            || self
                .built
                .iter()
                .any(|built| built.installed == Installed::Written)
    }

    /// Prints the plugins that did not change.
    pub(crate) fn say_unchanged(&self, session: &Session) {
        let unchanged = |built: &&Built| built.installed == Installed::Unchanged;
        for built in self.built.iter().filter(unchanged) {
            session.ui.info("Unchanged", &built.package);
        }
    }
}

/// The ways in which a build differs from one of the files on disk. By default, it does not differ.
#[derive(Default)]
pub(crate) struct Variant {
    /// More environment variables for Cargo.
    pub(crate) env: Vec<(&'static str, OsString)>,
    /// The packed sources that the artifact carries in place of those on disk.
    pub(crate) sources: Option<Vec<u8>>,
}

/// A finished shared library that was read and checked, with its note.
struct Compiled<'w> {
    package: &'w Package,
    file_name: String,
    build_id: BuildId,
    /// The artifact; `None` if it is for another machine.
    artifact: Option<Artifact>,
    bytes: Vec<u8>,
    permissions: Permissions,
    dep_info: PathBuf,
    library_paths: Vec<PathBuf>,
    features: Features,
}

/// Refuses plugins and hosts that must not be built, before the first is built.
pub(crate) fn check(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<(), Error> {
    groups
        .iter()
        .try_for_each(|group| edges::check(calls.workspace, group))?;
    check_asked(calls, groups)
}

/// Does the same if it does not matter what depends on a plugin.
pub(crate) fn check_asked(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<(), Error> {
    let packages = groups
        .iter()
        .flat_map(|group| group.host.into_iter().chain(group.plugins.iter().copied()));
    check_features(packages, &calls.options.features)
}

/// Builds and installs the plugins of `groups`.
///
/// Returns an error if any step fails. Then no plugin is installed, unless an installation fails half way. In any case,
/// each file is either the old one or the new one.
pub(crate) fn build(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<Outcome, Error> {
    let outcome = build_changed(calls, groups)?;
    outcome.say_unchanged(calls.session);
    Ok(outcome)
}

/// Does the same as [`build`], without a message about plugins that did not change.
pub(crate) fn build_changed(calls: &Calls<'_>, groups: &[Group<'_>]) -> Result<Outcome, Error> {
    check(calls, groups)?;
    let session = calls.session;
    let mut plugins: Vec<&Package> = vec![];
    for group in groups {
        describe(calls, group);
        for &plugin in &group.plugins {
            if !plugins.iter().any(|known| known.id == plugin.id) {
                plugins.push(plugin);
            }
        }
    }
    // Held until all plugins are installed. Another build could replace Cargo's output while it is read, and an older
    // build must not be installed after a newer one.
    let _lock = Locked::of_builds(session, &base_dir(calls.workspace))?;
    session.ui.start_progress(plugins.len());
    let outcome =
        compile_all(calls, &plugins).and_then(|compiled| install_all(calls, groups, &compiled));
    session.ui.finish_progress();
    outcome
}

/// Builds and installs a variant of one plugin of `group`. No other build works in the target directory from the time at
/// which the variant is `made`.
///
/// # Errors
/// A step fails. Then nothing is installed.
#[cfg(feature = "source")]
pub(crate) fn variant(
    calls: &Calls<'_>,
    group: &Group<'_>,
    plugin: &Package,
    made: impl FnOnce() -> Result<Variant, Error>,
) -> Result<(), Error> {
    check(calls, std::slice::from_ref(group))?;
    let _lock = Locked::of_builds(calls.session, &base_dir(calls.workspace))?;
    warn_of_configuration(calls, plugin);
    let mut commits = Commits::new(base_dir(calls.workspace).join(COMMITS));
    let compiled = compile(calls, plugin, &mut commits, made()?)?;
    install(calls, &out_directory(calls, group)?, &compiled)?;
    Ok(())
}

pub(crate) fn describe(calls: &Calls<'_>, group: &Group<'_>) {
    let names: Vec<&str> = group
        .plugins
        .iter()
        .map(|plugin| plugin.name.as_str())
        .collect();
    let of = group
        .host
        .map_or_else(String::new, |host| format!(" of {}", host.name));
    calls.session.ui.detail(
        "Plugins",
        format_args!("{}{of} ({})", names.join(", "), group.rule),
    );
}

fn compile_all<'w>(calls: &Calls<'w>, plugins: &[&'w Package]) -> Result<Vec<Compiled<'w>>, Error> {
    let mut commits = Commits::new(base_dir(calls.workspace).join(COMMITS));
    let mut compiled = vec![];
    for plugin in plugins {
        calls.session.ui.progress(&plugin.name);
        warn_of_configuration(calls, plugin);
        compiled.push(compile(calls, plugin, &mut commits, Variant::default())?);
        calls.session.ui.advance();
    }
    Ok(compiled)
}

/// Warns if a plugin is built with the configuration of its host, and not with that of its own directory.
pub(crate) fn warn_of_configuration(calls: &Calls<'_>, plugin: &Package) {
    let workspace = calls.workspace;
    let configured = workspace.configured(directory(plugin));
    if !workspace.directory.starts_with(configured)
        && let Some(file) = config_of(configured)
    {
        calls.session.ui.warn(format_args!(
            "`{}` does not apply to `{}`, since all plugins of a host are built with one configuration, that of `{}`; \
             move the settings there",
            shown::path(&file),
            plugin.name,
            shown::path(&workspace.directory)
        ));
    }
}

fn compile<'w>(
    calls: &Calls<'w>,
    plugin: &'w Package,
    commits: &mut Commits,
    variant: Variant,
) -> Result<Compiled<'w>, Error> {
    let session = calls.session;
    let mut timing = Timing::new();
    let mut call = calls.plugin(plugin);
    call.env.extend(variant.env);
    let made = calls.make(&call, plugin)?;
    let wanted = |artifact: &cargo_metadata::Artifact, file: &Path| {
        (artifact.target.is_lib() || artifact.target.is_cdylib()) && is_shared_library(file)
    };
    let file = file_of(&made.artifacts, &plugin.id, wanted).ok_or_else(|| Error::NoArtifact {
        package: plugin.name.to_string(),
        wanted: "shared library",
    })?;
    timing.step("compile");
    let mut bytes = std::fs::read(&file).map_err(io("read", &file))?;
    if !stays_in_memory(plugin) && artifact::clear_no_delete(&mut bytes) {
        session.ui.detail(
            "Cleared",
            format_args!(
                "{}: `-z nodelete`, which would keep each version of it in memory",
                plugin.name
            ),
        );
    }
    let (build_id, artifact) = examine(calls, plugin, &file, &bytes)?;
    warn_of_packed_debug_information(calls, plugin, &file);
    timing.step("check");
    let mut note = Note {
        location: calls.source_location(plugin),
        ..commits.note(directory(plugin))
    };
    note.dirty |= variant.sources.is_some();
    timing.step("commit");
    let dirty = if note.dirty { ", changed since" } else { "" };
    session.ui.detail(
        "Commit",
        format_args!("{}: {}{dirty}", plugin.name, note.commit),
    );
    let sources = match variant.sources {
        Some(sources) => Some(sources),
        None => {
            let artifact = artifact.as_ref();
            let profile = artifact.map(|artifact| &*artifact.metadata.profile);
            carried::packed(calls, plugin, profile, &file.with_extension("d"))?
        }
    };
    note.append_with(&mut bytes, sources.as_deref());
    timing.step("source");
    session
        .ui
        .detail("Timing", format_args!("{}: {timing}", plugin.name));
    Ok(Compiled {
        package: plugin,
        file_name: file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        build_id,
        artifact,
        bytes,
        permissions: file.metadata().map_err(io("read", &file))?.permissions(),
        dep_info: file.with_extension("d"),
        library_paths: made.library_paths(&calls.workspace.target_dir),
        features: features::of(&made),
    })
}

/// Warns of `split-debuginfo = "packed"`: it leaves a file beside the library, and none beside the host's private copy.
fn warn_of_packed_debug_information(calls: &Calls<'_>, plugin: &Package, library: &Path) {
    let mut packed = library.as_os_str().to_owned();
    packed.push(".dwp");
    let packed = PathBuf::from(packed);
    let changed = |file: &Path| file.metadata().and_then(|found| found.modified()).ok();
    // A file that an earlier build has left is older.
    if changed(&packed).is_some_and(|packed| Some(packed) >= changed(library)) {
        calls.session.ui.warn(format_args!(
            "the debug information of {} is in {}, which debuggers do not find beside the host's private copy: set \
             `split-debuginfo` to \"off\" or \"unpacked\" in the profile, or see hotswap-host/docs/debugging.md",
            plugin.name,
            shown(&packed, &calls.workspace.root)
        ));
    }
}

/// Returns true if the author wants to keep the flag `-z nodelete`. The flag alone does not show that, since a compiler
/// may set it on every library.
fn stays_in_memory(plugin: &Package) -> bool {
    let section = plugin.metadata.get("hotswap");
    let wanted = section.and_then(|section| section.get("nodelete"));
    wanted.and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// Refuses, or warns of, properties that only the finished library shows.
fn examine(
    calls: &Calls<'_>,
    plugin: &Package,
    file: &Path,
    bytes: &[u8],
) -> Result<(BuildId, Option<Artifact>), Error> {
    let (build_id, artifact, cautions) = match Artifact::from_bytes(file, bytes) {
        Ok(artifact) => {
            let cautions = artifact::cautions(bytes, &artifact.metadata);
            (artifact.build_id, Some(artifact), cautions)
        }
        // An artifact for another machine cannot be examined here. The configuration may have set the target.
        Err(ArtifactError {
            problem: ArtifactProblem::AnotherMachine { .. },
            ..
        }) => {
            if let Some((origin, remedy)) = settings::find_panic_abort(calls) {
                calls.session.ui.warn(Error::PanicAbort { origin, remedy });
            }
            (BuildId::of(bytes), None, Vec::new())
        }
        Err(ArtifactError {
            problem: ArtifactProblem::PanicAbort { .. },
            ..
        }) => return Err(settings::panic_abort(calls)),
        Err(source) => {
            return Err(Error::NotAPlugin {
                package: plugin.name.to_string(),
                source: Box::new(source),
            });
        }
    };
    let name = &plugin.name;
    for blocker in artifact::unload_blockers(bytes) {
        let consequence = match &blocker {
            UnloadBlocker::Needs { library } if library.starts_with("libstd-") => {
                let origin = settings::find_prefer_dynamic(calls);
                let origin = origin
                    .unwrap_or_else(|| format!("something that makes `{name}` need {library}"));
                return Err(Error::PreferDynamic { origin });
            }
            UnloadBlocker::StaticTls => {
                "no version of it ever leaves memory, and after some dozen reloads no other can be loaded; build what it \
                 links with the default TLS model: mimalloc with its feature `local_dynamic_tls`, jemalloc with \
                 `disable_initial_exec_tls`"
            }
            _ => "no version of it ever leaves memory",
        };
        calls
            .session
            .ui
            .warn(format_args!("{name} {blocker}: {consequence}"));
    }
    for caution in cautions {
        calls.session.ui.warn(format_args!("{name} {caution}"));
    }
    Ok((build_id, artifact))
}

fn install_all(
    calls: &Calls<'_>,
    groups: &[Group<'_>],
    compiled: &[Compiled<'_>],
) -> Result<Outcome, Error> {
    for group in groups {
        names::check(calls, group, compiled)?;
    }
    let mut outcome = Outcome::default();
    for group in groups {
        warn_of_features(calls, group, compiled)?;
        let directory = out_directory(calls, group)?;
        let of_group = |id: &PackageId| compiled.iter().find(|compiled| compiled.package.id == *id);
        let mut names = vec![];
        for compiled in group
            .plugins
            .iter()
            .filter_map(|plugin| of_group(&plugin.id))
        {
            outcome.built.push(install(calls, &directory, compiled)?);
            names.push(compiled.file_name.clone());
        }
        // A directory that the user has named may be used for more than this host.
        if group.complete && calls.options.out_dir.is_none() {
            for name in directory.remove_others(&names)? {
                calls.session.ui.status(
                    "Removed",
                    format_args!("{name}: no longer a plugin of the host"),
                );
                outcome.removed = true;
            }
        }
    }
    Ok(outcome)
}

/// Locks the directory into which the plugins of `group` are installed.
fn out_directory(calls: &Calls<'_>, group: &Group<'_>) -> Result<Locked, Error> {
    let path = out_dir(calls.session, calls.workspace, calls.options, group.host);
    let directory = Locked::wait(calls.session, &path, OUT_LOCK, calls.options.keep_temps)?;
    if calls.options.out_dir.is_none() {
        directory.claim(&calls.workspace.root)?;
    }
    directory.remove_stale()?;
    Ok(directory)
}

fn warn_of_features(
    calls: &Calls<'_>,
    group: &Group<'_>,
    compiled: &[Compiled<'_>],
) -> Result<(), Error> {
    let of_group = compiled.iter().filter(|compiled| {
        let mut plugins = group.plugins.iter();
        plugins.any(|plugin| plugin.id == compiled.package.id)
    });
    let built: Vec<_> = of_group
        .map(|compiled| (compiled.package, &compiled.features))
        .collect();
    features::check(calls, group, &built)
}

fn install(calls: &Calls<'_>, directory: &Locked, compiled: &Compiled<'_>) -> Result<Built, Error> {
    let ui = &calls.session.ui;
    let permissions = compiled.permissions.clone();
    let installed = directory.install(
        calls.session,
        &compiled.file_name,
        &compiled.bytes,
        permissions,
    )?;
    let (name, file) = (&compiled.package.name, directory.file(&compiled.file_name));
    match installed {
        Installed::Written => ui.status(
            "Built",
            format_args!("{name} -> {}", shown(&file, &calls.workspace.root)),
        ),
        Installed::Unchanged => {}
    }
    ui.detail("Build id", format_args!("{name}: {}", compiled.build_id));
    Ok(Built {
        package: name.to_string(),
        file,
        build_id: compiled.build_id,
        installed,
        dep_info: compiled.dep_info.clone(),
        library_paths: compiled.library_paths.clone(),
    })
}

fn is_shared_library(file: &Path) -> bool {
    file.extension().is_some_and(|extension| {
        ["so", "dylib", "dll"]
            .iter()
            .any(|known| extension == *known)
    })
}

/// How long each step took.
struct Timing {
    last: Instant,
    steps: Vec<(&'static str, u128)>,
}

impl Timing {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            steps: vec![],
        }
    }

    fn step(&mut self, name: &'static str) {
        let now = Instant::now();
        self.steps.push((name, (now - self.last).as_millis()));
        self.last = now;
    }
}

impl Display for Timing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|(name, took)| format!("{name} {took} ms"))
            .collect();
        f.write_str(&steps.join(", "))
    }
}
