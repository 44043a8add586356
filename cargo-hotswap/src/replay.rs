//! Compiles a plugin as Cargo has last compiled it, without Cargo.
//!
//! Cargo takes longer than rustc to find out that one file has changed. So `run` keeps the [`Invocation`] with which
//! Cargo has started rustc, and starts rustc in the same way again as long as only sources of the plugin's own crate
//! change. After any other change, and whenever something on the disk is not as Cargo has left it, Cargo builds.
//!
//! rustc compares contents, so it does not matter how old a source is. Its output goes to a directory of its own, so
//! Cargo's output still belongs to the sources for which Cargo has recorded it. The two share the directory for
//! incremental compilation, which rustc locks and checks by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cargo_metadata::diagnostic::Diagnostic;
use cargo_metadata::{Package, PackageId};

use crate::Error;
use crate::call::Made;
use crate::dep_info;
use crate::error::io;
use crate::invocation::Invocation;
use crate::selection::Group;
use crate::session::Session;
use crate::workspace::{Workspace, directory};

mod inputs;

use inputs::{Inputs, Part, Stamps};

/// The file that Cargo locks while it builds into a directory.
const CARGO_LOCK: &str = ".cargo-lock";
/// The directory for the output of rustc, below that of everything that is made for a workspace.
const DIRECTORY: &str = "replayed";

/// What is known of each plugin since Cargo has built it.
#[derive(Debug, Default)]
pub(crate) struct Replays {
    plugins: BTreeMap<PackageId, Known>,
}

/// A plugin that Cargo has built.
#[derive(Debug)]
struct Known {
    /// All files of which Cargo has made it.
    all: BTreeSet<PathBuf>,
    replay: Option<Replay>,
}

/// A plugin that can be compiled without Cargo.
#[derive(Debug)]
struct Replay {
    invocation: Invocation,
    inputs: Inputs,
    stamps: Stamps,
    /// Cargo's library.
    library: PathBuf,
    library_paths: Vec<PathBuf>,
}

/// The plugins to compile after a change of sources.
#[derive(Debug, Default)]
pub(crate) struct Affected<'w> {
    /// Those of which only the own crate has changed.
    pub(crate) alone: Vec<&'w Package>,
    /// Those of which another crate has changed, too.
    pub(crate) dependent: Vec<&'w Package>,
}

/// A library that rustc has made.
#[derive(Debug)]
pub(crate) struct Replayed<'w> {
    /// The plugin's package.
    pub(crate) package: &'w Package,
    /// The library.
    pub(crate) file: PathBuf,
    /// The name that Cargo gives to the library.
    pub(crate) file_name: PathBuf,
    /// The lists of sources: rustc's, and Cargo's with the dependencies.
    pub(crate) dep_infos: Vec<PathBuf>,
    /// The directories of libraries that build scripts have made.
    pub(crate) library_paths: Vec<PathBuf>,
    /// The time that linking took, if it is known.
    pub(crate) linking: Option<Duration>,
}

impl Replays {
    /// Forgets what `paths`, which Cargo is about to build, may decide on. A Rust source decides on no argument: where it
    /// is one of a build script, Cargo compiles again whatever depends on the script's output.
    pub(crate) fn forget(&mut self, paths: &[PathBuf]) {
        let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
        if paths.is_empty() || !paths.iter().all(is_rust) {
            self.plugins.clear();
        }
    }

    /// Notes that Cargo has built `plugin`, whose library is `library`.
    pub(crate) fn note(
        &mut self,
        workspace: &Workspace,
        plugin: &Package,
        made: &Made,
        library: &Path,
        configuration: impl IntoIterator<Item = PathBuf>,
    ) {
        let all = dep_info::read(&library.with_extension("d"), &workspace.root);
        let all = all.into_iter().collect();
        let is_fresh = made
            .artifacts
            .iter()
            .filter(|unit| unit.package_id == plugin.id && !unit.target.is_custom_build())
            .all(|unit| unit.fresh);
        let replay = match &made.invocation {
            Some(invocation) => {
                Inputs::of(workspace, plugin, made, invocation).map(|inputs| Replay {
                    invocation: invocation.clone(),
                    inputs,
                    stamps: Stamps::of(plugin, made, invocation, configuration),
                    library: library.to_owned(),
                    library_paths: made.library_paths(&workspace.target_dir),
                })
            }
            // Cargo would call rustc as before.
            None if is_fresh => self.plugins.remove(&plugin.id).and_then(|it| it.replay),
            None => None,
        };
        self.plugins
            .insert(plugin.id.clone(), Known { all, replay });
    }

    /// Returns the plugins of `group` to compile after changes of `paths`, if each of these is a source of a crate of the
    /// workspace, and nothing else depends on it.
    pub(crate) fn affected<'w>(
        &self,
        group: &Group<'w>,
        paths: &[PathBuf],
    ) -> Option<Affected<'w>> {
        let mut affected = Affected::default();
        let mut covered = BTreeSet::new();
        for plugin in &group.plugins {
            let known = self.plugins.get(&plugin.id)?;
            let parts = paths.iter().map(|path| (path, known.part(plugin, path)));
            let parts: Vec<_> = parts.filter(|(_, part)| *part != Part::None).collect();
            let has = |wanted: Part| parts.iter().any(|(_, part)| *part == wanted);
            if has(Part::Other) {
                return None;
            } else if has(Part::Dependency) {
                affected.dependent.push(*plugin);
            } else if has(Part::Own) {
                affected.alone.push(*plugin);
            }
            covered.extend(parts.iter().map(|(path, _)| *path));
        }
        (!paths.is_empty() && covered.len() == paths.len()).then_some(affected)
    }

    /// Takes over what Cargo has compiled for `first`, if `plugin` is made of the same crates. Returns true if `plugin`
    /// itself is all that is left to compile.
    pub(crate) fn take_over(&mut self, plugin: &Package, first: &Package) -> bool {
        let replay = |it: &Known| it.replay.as_ref().map(|it| it.stamps.files());
        let Some(compiled) = self.plugins.get(&first.id).and_then(replay) else {
            return false;
        };
        let known = self.plugins.get_mut(&plugin.id);
        let Some(replay) = known.and_then(|known| known.replay.as_mut()) else {
            return false;
        };
        let is_covered = replay.inputs.libraries.is_subset(&compiled);
        if is_covered {
            replay.stamps.renew(&compiled);
        }
        is_covered
    }

    /// Compiles `plugins`, beside each other. Returns `None` if Cargo has to: another Cargo builds, something is not as
    /// Cargo has left it, or rustc fails, so that Cargo says why.
    pub(crate) fn compile<'w>(
        &mut self,
        session: &Session,
        base: &Path,
        plugins: &[&'w Package],
    ) -> Result<Option<Vec<Replayed<'w>>>, Error> {
        let mut replays = vec![];
        for plugin in plugins {
            match self
                .plugins
                .get(&plugin.id)
                .and_then(|it| it.replay.as_ref())
            {
                Some(replay) => replays.push((*plugin, replay)),
                None => return Ok(None),
            }
        }
        let mut locks = BTreeMap::new();
        for (_, replay) in &replays {
            let Some(lock) = replay.cargo_lock() else {
                return Ok(None);
            };
            if locks.contains_key(&lock) {
                continue;
            }
            let Some(held) = File::open(&lock).ok().filter(|it| it.try_lock().is_ok()) else {
                return Ok(None);
            };
            locks.insert(lock, held);
        }
        if let Some((plugin, _)) = replays.iter().find(|(_, replay)| !replay.stamps.hold()) {
            let name = &plugin.name;
            session.ui.detail(
                "Cargo",
                format_args!("builds {name}, since its dependencies have changed"),
            );
            return Ok(None);
        }
        // Each rustc has threads of its own, so more of them than processors only need more memory.
        let width = std::thread::available_parallelism().map_or(1, NonZero::get);
        let compiled: Vec<_> = std::thread::scope(|scope| {
            let replays = &replays;
            let running = (0..width.min(replays.len())).map(|first| {
                let share = replays.iter().skip(first).step_by(width);
                let share = share.map(|(plugin, replay)| replay.compile(session, base, plugin));
                scope.spawn(move || share.collect::<Vec<_>>())
            });
            let running: Vec<_> = running.collect();
            let ended = running.into_iter().map(|it| it.join());
            ended
                .flat_map(|ended| ended.expect("compiling does not panic"))
                .collect()
        });
        let compiled = compiled
            .into_iter()
            .collect::<Result<Option<Vec<_>>, Error>>()?;
        for replayed in compiled.iter().flatten() {
            let known = self.plugins.get_mut(&replayed.package.id);
            if let Some(replay) = known.and_then(|known| known.replay.as_mut()) {
                replay.inputs.renew(&replayed.file);
            }
        }
        Ok(compiled)
    }
}

impl Known {
    /// Returns what part `path` has in this plugin.
    fn part(&self, plugin: &Package, path: &Path) -> Part {
        match &self.replay {
            Some(replay) => match replay.inputs.part(path) {
                Part::None if self.all.contains(path) => Part::Other,
                part => part,
            },
            None if self.all.contains(path) || path.starts_with(directory(plugin)) => Part::Other,
            None => Part::None,
        }
    }
}

impl Replay {
    /// Returns the file that Cargo locks while it builds there.
    fn cargo_lock(&self) -> Option<PathBuf> {
        let lock = self.invocation.out_dir().parent()?.join(CARGO_LOCK);
        lock.is_file().then_some(lock)
    }

    fn compile<'w>(
        &self,
        session: &Session,
        base: &Path,
        package: &'w Package,
    ) -> Result<Option<Replayed<'w>>, Error> {
        let out_dir = base.join(DIRECTORY).join(package.name.as_str());
        std::fs::create_dir_all(&out_dir).map_err(io("create", &out_dir))?;
        let file = out_dir.join(self.invocation.library());
        // A library that rustc did not make just now would be stale.
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &file)(error));
            }
            _ => {}
        }
        session.ui.detail(
            "Compiling",
            format_args!("{} with rustc alone", package.name),
        );
        let mut command = self.invocation.command(&out_dir);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Cargo reports a compiler that cannot be started.
        let Ok(mut running) = session.interrupt.spawn(&mut command)? else {
            return Ok(None);
        };
        let stderr = running.child.stderr.take();
        let lines = stderr.into_iter().flat_map(|it| BufReader::new(it).lines());
        let diagnostics: Vec<Diagnostic> = lines
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        let is_built = running.wait()?.is_ok_and(|status| status.success()) && file.is_file();
        if !is_built {
            return Ok(None);
        }
        // Cargo leaves out the sum of the warnings, too.
        let shown = diagnostics.iter().filter(|it| !it.spans.is_empty());
        for rendered in shown.filter_map(|it| it.rendered.as_deref()) {
            rendered.lines().for_each(|line| session.ui.relay(line));
        }
        Ok(Some(Replayed {
            package,
            linking: self.invocation.linking(&file),
            dep_infos: vec![dep_info::beside(&file), self.library.with_extension("d")],
            file,
            file_name: self.library.file_name().unwrap_or_default().into(),
            library_paths: self.library_paths.clone(),
        }))
    }
}
