//! Compiles plugins, and installs them where a host finds them.
//!
//! All plugins are compiled before the first is installed, so that an error in one leaves all as they were.

use std::ffi::OsString;
use std::fs::Permissions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cargo_metadata::{Package, PackageId};
use hotswap_host::artifact::{self, Artifact, BuildId, Note};
use hotswap_host::shown;

use crate::call::file_of;
use crate::cargo::{Calls, check_features};
use crate::carried;
use crate::commit::Commits;
use crate::error::io;
use crate::features::{self, Features};
use crate::install::{Installed, Locked, OUT_LOCK};
use crate::output::{base_dir, out_dir};
use crate::replay::{Replayed, Replays};
use crate::selection::Group;
use crate::session::Session;
use crate::timing::Timing;
use crate::ui::shown;
use crate::workspace::{config_of, directory};
use crate::{Error, edges, settings, thin, unify};

mod examine;
mod names;

use examine::{examine, stays_in_memory, warn_of_packed_debug_information};

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
    /// The dep-info files, in which Cargo and rustc list what the plugin is made of.
    pub(crate) dep_infos: Vec<PathBuf>,
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
    /// The time at which the compilers had finished, and how much of it linking took, if that is known.
    pub(crate) compiled: Option<(Instant, Option<Duration>)>,
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

    /// Adds the time at which the compilers had finished with `compiled`.
    fn timed(mut self, finished: Instant, compiled: &[Compiled<'_>]) -> Self {
        let linking = compiled.iter().filter_map(|compiled| compiled.linking);
        self.compiled = Some((finished, linking.max()));
        self
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
    /// More arguments for rustc.
    pub(crate) rustc_args: Vec<OsString>,
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
    dep_infos: Vec<PathBuf>,
    library_paths: Vec<PathBuf>,
    features: Features,
    linking: Option<Duration>,
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
    let outcome = build_changed(calls, groups, &mut Replays::default())?;
    outcome.say_unchanged(calls.session);
    Ok(outcome)
}

/// Does the same as [`build`], without a message about plugins that did not change. If the plugins are to be compiled
/// again without Cargo, `replays` learns how.
pub(crate) fn build_changed(
    calls: &Calls<'_>,
    groups: &[Group<'_>],
    replays: &mut Replays,
) -> Result<Outcome, Error> {
    check(calls, groups)?;
    unify::resolve(calls, groups)?;
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
    let outcome = compile_all(calls, &plugins, replays).and_then(|compiled| {
        let finished = Instant::now();
        let outcome = install_all(calls, groups, &compiled)?;
        Ok(outcome.timed(finished, &compiled))
    });
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
    unify::resolve(calls, std::slice::from_ref(group))?;
    let _lock = Locked::of_builds(calls.session, &base_dir(calls.workspace))?;
    warn_of_configuration(calls, plugin);
    let mut commits = Commits::new(base_dir(calls.workspace).join(COMMITS));
    let compiled = compile_variant(
        calls,
        plugin,
        &mut commits,
        &mut Replays::default(),
        made()?,
    )?;
    install(calls, &out_directory(calls, group)?, &compiled)?;
    Ok(())
}

/// Builds and installs those plugins of `group` of which the changed `paths` are sources. Cargo compiles what they depend
/// on, and the others compile without it, beside each other. Returns `None` if Cargo has to build everything.
pub(crate) fn rebuild(
    calls: &Calls<'_>,
    group: &Group<'_>,
    paths: &[PathBuf],
    replays: &mut Replays,
) -> Result<Option<Outcome>, Error> {
    let Some(affected) = replays.affected(group, paths) else {
        return Ok(None);
    };
    let plugins = [&affected.alone[..], &affected.dependent].concat();
    let base = base_dir(calls.workspace);
    let _lock = Locked::of_builds(calls.session, &base)?;
    let mut commits = Commits::new(base.join(COMMITS));
    let mut compiled = vec![];
    let mut alone = affected.alone;
    let mut dependent = affected.dependent.into_iter();
    if let Some(first) = dependent.next() {
        compiled.push(compile(calls, first, &mut commits, replays)?);
        for plugin in dependent {
            if replays.take_over(plugin, first) {
                alone.push(plugin);
            } else {
                compiled.push(compile(calls, plugin, &mut commits, replays)?);
            }
        }
    }
    let replayed = replays.compile(calls.session, &base, &alone)?;
    let mut finished = Instant::now();
    match replayed {
        Some(replayed) => {
            for replayed in replayed {
                let plugin = replayed.package;
                let library = Library::from(replayed);
                let timing = Timing::new();
                let completed = complete(calls, plugin, library, &mut commits, None, timing)?;
                compiled.push(completed);
            }
        }
        None => {
            for plugin in alone {
                compiled.push(compile(calls, plugin, &mut commits, replays)?);
            }
            finished = Instant::now();
        }
    }
    let part = Group {
        plugins,
        complete: false,
        ..group.clone()
    };
    let outcome = install_all(calls, &[part], &compiled)?;
    Ok(Some(outcome.timed(finished, &compiled)))
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

fn compile_all<'w>(
    calls: &Calls<'w>,
    plugins: &[&'w Package],
    replays: &mut Replays,
) -> Result<Vec<Compiled<'w>>, Error> {
    let mut commits = Commits::new(base_dir(calls.workspace).join(COMMITS));
    let mut compiled = vec![];
    for plugin in plugins {
        calls.session.ui.progress(&plugin.name);
        warn_of_configuration(calls, plugin);
        compiled.push(compile(calls, plugin, &mut commits, replays)?);
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

/// A shared library that a compiler has made.
struct Library {
    file: PathBuf,
    /// The name under which it is installed.
    file_name: String,
    /// The lists of what it is made of. The first has all sources of the plugin's own crate.
    dep_infos: Vec<PathBuf>,
    library_paths: Vec<PathBuf>,
    features: Features,
    linking: Option<Duration>,
}

impl From<Replayed<'_>> for Library {
    fn from(replayed: Replayed<'_>) -> Self {
        Self {
            file_name: replayed.file_name.to_string_lossy().into_owned(),
            file: replayed.file,
            dep_infos: replayed.dep_infos,
            library_paths: replayed.library_paths,
            // They are as they were.
            features: Features::new(),
            linking: replayed.linking,
        }
    }
}

fn compile<'w>(
    calls: &Calls<'w>,
    plugin: &'w Package,
    commits: &mut Commits,
    replays: &mut Replays,
) -> Result<Compiled<'w>, Error> {
    compile_variant(calls, plugin, commits, replays, Variant::default())
}

fn compile_variant<'w>(
    calls: &Calls<'w>,
    plugin: &'w Package,
    commits: &mut Commits,
    replays: &mut Replays,
    variant: Variant,
) -> Result<Compiled<'w>, Error> {
    let thin = thin::prepare(calls)?;
    let mut timing = Timing::new();
    let mut call = calls.plugin(plugin, thin.as_deref());
    call.env.extend(variant.env);
    call.args.extend(variant.rustc_args);
    let made = calls.make(&call, plugin).inspect_err(|_| {
        // Another toolchain may have been chosen, which cannot use these libraries.
        calls.workspace.toolchain.take();
    })?;
    let wanted = |artifact: &cargo_metadata::Artifact, file: &Path| {
        (artifact.target.is_lib() || artifact.target.is_cdylib()) && is_shared_library(file)
    };
    let file = file_of(&made.artifacts, &plugin.id, wanted).ok_or_else(|| Error::NoArtifact {
        package: plugin.name.to_string(),
        wanted: "shared library",
    })?;
    timing.step("compile");
    if calls.replayed {
        let configuration = settings::configuration_files(calls.workspace);
        replays.note(calls.workspace, plugin, &made, &file, configuration);
        timing.step("note");
    }
    let library = Library {
        file_name: file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        dep_infos: vec![file.with_extension("d")],
        library_paths: made.library_paths(&calls.workspace.target_dir),
        features: features::of(&made),
        linking: made
            .invocation
            .as_ref()
            .and_then(|invocation| invocation.linking(&file)),
        file,
    };
    complete(calls, plugin, library, commits, variant.sources, timing)
}

/// Reads and checks a library, and adds its note, with these sources in place of those on disk if there are any.
fn complete<'w>(
    calls: &Calls<'_>,
    plugin: &'w Package,
    library: Library,
    commits: &mut Commits,
    sources: Option<Vec<u8>>,
    mut timing: Timing,
) -> Result<Compiled<'w>, Error> {
    let session = calls.session;
    let file = &library.file;
    let mut bytes = std::fs::read(file).map_err(io("read", file))?;
    timing.step("read");
    if !stays_in_memory(plugin) && artifact::clear_no_delete(&mut bytes) {
        session.ui.detail(
            "Cleared",
            format_args!(
                "{}: `-z nodelete`, which would keep each version of it in memory",
                plugin.name
            ),
        );
    }
    let (build_id, artifact) = examine(calls, plugin, file, &bytes)?;
    warn_of_packed_debug_information(calls, plugin, file);
    timing.step("check");
    let mut note = Note {
        location: calls.source_location(plugin),
        ..commits.note(directory(plugin))
    };
    note.dirty |= sources.is_some();
    timing.step("commit");
    let dirty = if note.dirty { ", changed since" } else { "" };
    session.ui.detail(
        "Commit",
        format_args!("{}: {}{dirty}", plugin.name, note.commit),
    );
    let sources = match sources {
        Some(sources) => Some(sources),
        None => {
            let artifact = artifact.as_ref();
            let dep_info = library.dep_infos.first().map_or(file, |first| first);
            let profile = artifact.map(|artifact| &*artifact.metadata.profile);
            carried::packed(calls, plugin, profile, dep_info)?
        }
    };
    note.append_with(&mut bytes, sources.as_deref());
    timing.step("source");
    session
        .ui
        .detail("Timing", format_args!("{}: {timing}", plugin.name));
    Ok(Compiled {
        package: plugin,
        file_name: library.file_name,
        build_id,
        artifact,
        bytes,
        permissions: file.metadata().map_err(io("read", file))?.permissions(),
        dep_infos: library.dep_infos,
        library_paths: library.library_paths,
        features: library.features,
        linking: library.linking,
    })
}

fn install_all(
    calls: &Calls<'_>,
    groups: &[Group<'_>],
    compiled: &[Compiled<'_>],
) -> Result<Outcome, Error> {
    for group in groups {
        names::check(calls, group, compiled)?;
    }
    calls.session.interrupt.check_build()?;
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
        dep_infos: compiled.dep_infos.clone(),
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
