//! Finds the plugins of the next generation: compares the plugin directory with the live generation.
use super::candidate::{Candidate, Opening};
use crate::artifact::{Artifact, ArtifactError, Fingerprint, find_each};
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::base::paths::check_absolute;
use crate::error::{PluginErrorKind, ReloadError};
use crate::generation::Generation;
use crate::instance::Instance;
use crate::linked::{Claim, LinkedSet};
use crate::load::Code;
use crate::swapper::examine::BuildOrigin;
use crate::swapper::plan::Plan;
use crate::swapper::policy;
use crate::swapper::stored_build::StoredBuild;
use crate::swapper::writer::Writer;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The optional plugins that failed, with their errors.
pub(super) type Failures = BTreeMap<PluginName, ReloadError>;

/// The plugins that were found.
pub(super) type Candidates = BTreeMap<PluginName, Candidate>;

/// The state of a look at the plugin directory.
pub(super) struct Scan<'a> {
    pub(super) dir: &'a Path,
    pub(super) writer: &'a Writer,
    plan: &'a Plan,
    pub(super) live: &'a Generation,
    pub(super) candidates: Candidates,
    failures: Failures,
    /// The names of all plugins that were found, for suggestions.
    pub(super) found: BTreeSet<PluginName>,
}

/// Returns the candidates, and the optional plugins that are left out because of their files.
///
/// # Errors
/// The directory is empty, the directory or a file cannot be read, a file is not a plugin, two plugins have the same
/// name, or a plugin is missing.
pub(super) fn scan(
    dir: &Path,
    writer: &Writer,
    plan: &Plan,
    live: &Generation,
) -> Result<(Candidates, Failures), ReloadError> {
    let mut scan = Scan {
        dir,
        writer,
        plan,
        live,
        candidates: Candidates::new(),
        failures: Failures::new(),
        found: BTreeSet::new(),
    };
    if let Some(restart) = &plan.restart {
        scan.restart(&restart.plugin)?;
        return Ok((scan.candidates, scan.failures));
    }
    if let Some(builds) = &plan.deploy {
        scan.deploy(builds)?;
        return Ok((scan.candidates, scan.failures));
    }
    if let Some(builds) = &plan.builds {
        builds.iter().try_for_each(|build| scan.stored(build))?;
        return Ok((scan.candidates, scan.failures));
    }
    let files = match &writer.linked {
        Some(linked) => scan.linked(linked)?,
        None => scan.directory()?,
    };
    let deployed = scan.deployed_over_nothing()?;
    scan.check_allowed()?;
    let added = scan.added()?;
    let nothing = files == 0 && added == 0 && deployed == 0;
    scan.check_removed()?;
    scan.only()?;
    if nothing && !writer.allow_empty && (plan.only.is_none() || scan.candidates.is_empty()) {
        return Err(ReloadError::Empty {
            dir: dir.to_owned(),
            live: live.names(),
        });
    }
    Ok((scan.candidates, scan.failures))
}

impl Scan<'_> {
    /// Returns true if this plugin is looked at. A plugin that is out or that leaves needs no file.
    pub(super) fn concerns(&self, name: &PluginName) -> bool {
        let listed = |names: &Option<BTreeSet<PluginName>>| {
            names.as_ref().is_none_or(|names| names.contains(name))
        };
        let out = self.writer.removed.contains(name) || self.plan.remove.contains(name);
        listed(&self.writer.allowed) && listed(&self.plan.only) && !out
    }

    /// Notes an error if it concerns an optional plugin. Otherwise returns it.
    fn fail(&mut self, error: ReloadError) -> Result<(), ReloadError> {
        match error.plugin() {
            Some(name) if self.writer.optional.contains(&name) => {
                self.candidates.remove(&name);
                self.failures.entry(name).or_insert(error);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Looks at the files of the directory and returns their number.
    fn directory(&mut self) -> Result<usize, ReloadError> {
        #[cfg(test)]
        assert!(
            !self.dir.join(".panic").exists(),
            "the test asks for a panic"
        );
        policy::check_dir(self.dir, self.writer.require_private)?;
        let files = find_each(self.dir)?;
        let count = files.len();
        for file in files {
            self.consider(match file {
                Ok(file) => self.look(&file, false),
                Err(error) => Err(known(error, self.live).into()),
            })?;
        }
        Ok(count)
    }

    /// Notes a plugin that was found.
    fn consider(&mut self, candidate: Result<Candidate, ReloadError>) -> Result<(), ReloadError> {
        match candidate {
            Ok(candidate) => {
                let name = candidate.metadata().name.clone();
                if self.concerns(&name) {
                    self.insert(name.clone(), candidate)?;
                }
                self.found.insert(name);
                Ok(())
            }
            Err(error) if error.plugin().is_none_or(|name| self.concerns(&name)) => {
                self.fail(error)
            }
            Err(_) => Ok(()),
        }
    }

    /// Compares an artifact with the live instance from the same file or of the same name. A build that would be loaded is
    /// examined. The live instance stays if it was deployed over this build, unless the build `is_wanted` by its file.
    fn look(&self, file: &Path, is_wanted: bool) -> Result<Candidate, ReloadError> {
        let live = self.live;
        if let (Some(plugin), Ok(metadata)) = (loaded_from(file, live), std::fs::metadata(file))
            && plugin.fingerprint() == Some(Fingerprint::of(&metadata))
        {
            return Ok(Candidate::Same(plugin.clone()));
        }
        let opening = Opening::read(file).map_err(|error| known(error, live))?;
        if let Some(meta) = &opening.read_from {
            let named = |error: ArtifactError| error.of(Some(&opening.artifact.metadata.name));
            policy::check_file(file, meta, self.writer.require_private).map_err(named)?;
        }
        let build_id = opening.artifact.build_id;
        Ok(match live.plugin(&opening.artifact.metadata.name) {
            Some(plugin) if plugin.build_id() == build_id && plugin.file() == file => {
                plugin.set_fingerprint(opening.fingerprint);
                Candidate::Same(plugin.clone())
            }
            // Somebody has put the deployed build into the directory, too.
            Some(plugin) if plugin.build_id() == build_id && plugin.deployed().is_some() => {
                Candidate::Same(plugin.clone())
            }
            Some(plugin) if !is_wanted && plugin.is_deployed_over(Some(build_id)) => {
                Candidate::Same(plugin.clone())
            }
            Some(plugin) if !plugin.is_reloadable() => Candidate::Stays(plugin.clone()),
            running => Candidate::New(Arc::new(Opening {
                evidence: match &opening.code {
                    Code::Library(bytes) => {
                        let examination = &self.writer.examination;
                        examination.of_file(&opening.artifact, bytes)?
                    }
                    Code::Linked(_) => None,
                },
                replaces: running.map(|plugin| plugin.build_id()),
                ..opening
            })),
        })
    }

    /// Notes the live plugins, one of which is to be made again from its build.
    fn restart(&mut self, name: &PluginName) -> Result<(), ReloadError> {
        let live = self.live;
        if live.plugin(name).is_none() {
            return Err(self.not_loaded(name));
        }
        for plugin in &live.plugins {
            let candidate = match plugin.name() == name {
                false => Candidate::Same(plugin.clone()),
                true if !plugin.is_reloadable() => {
                    let chain = vec![plugin.name().clone()];
                    let kind = PluginErrorKind::NotReloadable { chain };
                    return Err(kind.of(name, plugin.file()).into());
                }
                true => Candidate::New(Arc::new(Opening {
                    replaces: Some(plugin.build_id()),
                    restarts: true,
                    ..Opening::again(plugin)?
                })),
            };
            self.insert(plugin.name().clone(), candidate)?;
        }
        Ok(())
    }

    /// Notes a build from a store.
    fn stored(&mut self, build: &StoredBuild) -> Result<(), ReloadError> {
        let opening = Opening::stored(build)?;
        let running = self.live.plugin(&opening.artifact.metadata.name);
        let candidate = match running {
            Some(plugin) if plugin.build_id() == opening.artifact.build_id => {
                Candidate::Same(plugin.clone())
            }
            Some(plugin) if !plugin.is_reloadable() => Candidate::Stays(plugin.clone()),
            running => Candidate::New(Arc::new(Opening {
                evidence: {
                    let origin = match self.live.number {
                        0 => BuildOrigin::Start,
                        _ => BuildOrigin::Earlier,
                    };
                    let examination = &self.writer.examination;
                    examination.of_stored(&opening.artifact, build, origin)?
                },
                replaces: running.map(|plugin| plugin.build_id()),
                ..opening
            })),
        };
        self.insert(candidate.metadata().name.clone(), candidate)
    }

    /// Looks at the plugins that are linked into the program and returns their number.
    fn linked(&mut self, linked: &LinkedSet) -> Result<usize, ReloadError> {
        let claim = Claim::take()?;
        let mut count = 0;
        for plugin in linked.each(&claim) {
            count += 1;
            let opening = plugin.map(|(artifact, code)| Opening::linked(artifact, code));
            let opening = opening.map_err(ReloadError::from);
            self.consider(opening.map(|opening| Candidate::New(Arc::new(opening))))?;
        }
        Ok(count)
    }

    pub(super) fn insert(
        &mut self,
        name: PluginName,
        candidate: Candidate,
    ) -> Result<(), ReloadError> {
        if let Some(first) = self.candidates.get(&name) {
            let of = |candidate: &Candidate| candidate.metadata().crate_name.clone();
            return self.fail(match self.writer.linked {
                Some(_) => ReloadError::LinkedDuplicate {
                    name,
                    first: of(first),
                    second: of(&candidate),
                },
                None => ReloadError::Duplicate {
                    name,
                    first: first.file().to_owned(),
                    second: candidate.file().to_owned(),
                },
            });
        }
        if !self.failures.contains_key(&name) {
            self.candidates.insert(name, candidate);
        }
        Ok(())
    }

    /// Returns an error if a plugin of the allow-list that is not optional is missing.
    fn check_allowed(&self) -> Result<(), ReloadError> {
        let missing = |name: &&PluginName| {
            self.concerns(name)
                && !self.candidates.contains_key(*name)
                && !self.writer.optional.contains(*name)
        };
        let Some(name) = self.writer.allowed.iter().flatten().find(missing) else {
            return Ok(());
        };
        let (name, nearest) = (name.clone(), self.nearest(name));
        Err(match &self.writer.linked {
            Some(linked) => ReloadError::NotLinked {
                name,
                program: linked.program().to_owned(),
                nearest,
            },
            None => ReloadError::Missing {
                name,
                dir: self.dir.to_owned(),
                nearest,
            },
        })
    }

    /// Looks at the files that were added one by one and returns their number.
    fn added(&mut self) -> Result<usize, ReloadError> {
        let mut added = self.writer.added.clone();
        for file in &self.plan.add {
            check_absolute(file)?;
            added.insert(Artifact::read(file)?.metadata.name, file.clone());
        }
        for (name, file) in &added {
            let listed = self.plan.only.as_ref();
            let leaves = self.plan.remove.contains(name);
            if leaves || listed.is_some_and(|names| !names.contains(name)) {
                continue;
            }
            match self.look(file, self.plan.add.contains(file)) {
                Ok(candidate) => {
                    let name = candidate.metadata().name.clone();
                    self.failures.remove(&name);
                    self.candidates.insert(name, candidate);
                }
                Err(ReloadError::Artifact(error)) => self.fail(error.of(Some(name)).into())?,
                Err(error) => self.fail(error)?,
            }
        }
        Ok(added.len())
    }

    /// Returns an error if a plugin that is to leave is not there.
    fn check_removed(&self) -> Result<(), ReloadError> {
        let mut remove = self.plan.remove.iter();
        match remove.find(|name| self.live.plugin(name).is_none()) {
            None => Ok(()),
            Some(name) => Err(self.not_loaded(name)),
        }
    }

    /// Keeps the plugins that are not to be looked at as they are. Those that are have to be somewhere.
    fn only(&mut self) -> Result<(), ReloadError> {
        let Some(only) = &self.plan.only else {
            return Ok(());
        };
        for plugin in &self.live.plugins {
            if !only.contains(plugin.name()) {
                let stays = Candidate::Same(plugin.clone());
                self.candidates.insert(plugin.name().clone(), stays);
            }
        }
        let known = |name: &&PluginName| {
            self.candidates.contains_key(*name)
                || self.failures.contains_key(*name)
                || self.live.plugin(name).is_some()
        };
        match only.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) if self.writer.removed.contains(name) => Err(self.not_loaded(name)),
            Some(name) if self.found.contains(name) => {
                Err(ReloadError::NotAllowed { name: name.clone() })
            }
            Some(name) => Err(ReloadError::Unknown {
                name: name.clone(),
                dir: self.dir.to_owned(),
                nearest: self.nearest(name),
            }),
        }
    }

    fn not_loaded(&self, name: &PluginName) -> ReloadError {
        ReloadError::NotLoaded {
            name: name.clone(),
            loaded: self.live.names(),
        }
    }

    /// Returns the most similar other name that is loaded or in the directory.
    fn nearest(&self, name: &PluginName) -> Option<PluginName> {
        let mut known = self.found.clone();
        known.extend(self.live.names());
        known.remove(name);
        let nearest = nearest(name.as_str(), known.iter().map(PluginName::as_str))?;
        Some(nearest.into())
    }
}

/// Returns the live instance that was loaded from this file. It compares the bytes of the paths, because it is called
/// for each pair of many files and many plugins. A file whose path is spelled differently now is read, and turns out to
/// be the same.
fn loaded_from<'g>(file: &Path, live: &'g Generation) -> Option<&'g Arc<Instance>> {
    let mut plugins = live.plugins.iter();
    plugins.find(|plugin| plugin.file().as_os_str() == file.as_os_str())
}

/// Adds the name of the plugin to an error of a file from which a live plugin was loaded.
fn known(error: ArtifactError, live: &Generation) -> ArtifactError {
    let plugin = loaded_from(&error.file, live).map(|plugin| plugin.name());
    error.of(plugin)
}

/// Returns the files that the plan adds, by name. This includes those that failed, which later reloads try again, and
/// excludes those of plugins that are not reloadable.
pub(super) fn added_by(plan: &Plan, candidates: &Candidates) -> BTreeMap<PluginName, PathBuf> {
    let added = |(name, candidate): (&PluginName, &Candidate)| {
        let file = plan.add.iter().find(|file| *file == candidate.file())?;
        Some((name.clone(), file.clone()))
    };
    candidates.iter().filter_map(added).collect()
}
