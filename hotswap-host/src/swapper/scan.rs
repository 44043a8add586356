//! Which plugins the next generation is to have: the plugin directory, compared with what is live.
use super::inner::Writer;
use super::reload::Plan;
use super::report::Outcome;
use crate::artifact::{
    Artifact, ArtifactError, BuildId, FindError, Fingerprint, Metadata, find, read_source,
};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::name::PluginName;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A plugin of the generation to be made.
pub(super) enum Candidate {
    /// The live instance is of the same build.
    Same(Arc<Instance>),
    /// The live instance stays, though the artifact is of another build: it is not reloadable.
    Stays(Arc<Instance>),
    /// It has to be opened.
    New(Box<Opening>),
}

/// What is to be opened.
pub(super) struct Opening {
    pub(super) artifact: Artifact,
    pub(super) bytes: Vec<u8>,
    /// `None` when the file was changed so recently that another change could look the same.
    pub(super) fingerprint: Option<Fingerprint>,
    /// The build that it replaces.
    pub(super) replaces: Option<BuildId>,
}

impl Candidate {
    /// Whether it is there already.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self, Candidate::New(_))
    }

    /// What becomes of it, unless it has to follow another.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Candidate::Same(_) => Outcome::Unchanged,
            Candidate::Stays(_) => Outcome::NotReloadable,
            Candidate::New(opening) => match opening.replaces {
                Some(from) => Outcome::Reloaded { from },
                None => Outcome::Loaded,
            },
        }
    }

    pub(super) fn metadata(&self) -> &Metadata {
        match self {
            Candidate::Same(live) | Candidate::Stays(live) => live.metadata(),
            Candidate::New(opening) => &opening.artifact.metadata,
        }
    }

    pub(super) fn file(&self) -> &Path {
        match self {
            Candidate::Same(live) | Candidate::Stays(live) => live.file(),
            Candidate::New(opening) => &opening.artifact.file,
        }
    }
}

/// The candidates, by name.
///
/// # Errors
/// The directory is empty; it or a file of it cannot be read or holds no plugin; two plugins of one name; a plugin that is missing.
pub(super) fn scan(
    dir: &Path,
    writer: &Writer,
    plan: &Plan,
    live: &Generation,
) -> Result<BTreeMap<PluginName, Candidate>, ReloadError> {
    let mut candidates = BTreeMap::new();
    let files = find(dir).map_err(|error| known(error, live))?;
    let empty = files.is_empty() && writer.added.is_empty() && plan.add.is_empty();
    for file in files {
        let candidate = match look(&file, live) {
            Err(error) if !allowed_file(writer, &file, &error) => continue,
            candidate => candidate?,
        };
        let name = candidate.metadata().name.clone();
        if writer
            .allowed
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(&name))
        {
            continue;
        }
        insert(&mut candidates, candidate)?;
    }
    if let Some(name) = writer
        .allowed
        .iter()
        .flatten()
        .find(|name| !candidates.contains_key(*name))
    {
        return Err(ReloadError::Missing {
            name: name.clone(),
            dir: dir.to_owned(),
        });
    }
    if empty && !writer.allow_empty {
        return Err(ReloadError::Empty {
            dir: dir.to_owned(),
            live: live.names(),
        });
    }
    let mut added = writer.added.clone();
    let mut removed = writer.removed.clone();
    for file in &plan.add {
        let name = Artifact::read(file)?.metadata.name;
        removed.remove(&name);
        added.insert(name, file.clone());
    }
    for file in added.values() {
        let candidate = look(file, live)?;
        candidates.insert(candidate.metadata().name.clone(), candidate);
    }
    for name in &plan.remove {
        if live.plugin(name).is_none() {
            return Err(ReloadError::NotLoaded {
                name: name.clone(),
                loaded: live.names(),
            });
        }
    }
    candidates.retain(|name, _| !removed.contains(name) && !plan.remove.contains(name));
    check_users(&candidates, plan)?;
    Ok(candidates)
}

fn insert(
    candidates: &mut BTreeMap<PluginName, Candidate>,
    candidate: Candidate,
) -> Result<(), ReloadError> {
    let name = candidate.metadata().name.clone();
    if let Some(first) = candidates.get(&name) {
        return Err(ReloadError::Duplicate {
            first: first.file().to_owned(),
            second: candidate.file().to_owned(),
            name,
        });
    }
    candidates.insert(name, candidate);
    Ok(())
}

fn loaded_from<'g>(file: &Path, live: &'g Generation) -> Option<&'g Arc<Instance>> {
    live.plugins.iter().find(|plugin| plugin.file() == file)
}

/// An error of a file from which a live plugin was loaded names that plugin.
fn known(error: FindError, live: &Generation) -> FindError {
    match error {
        FindError::Artifact(error) => {
            let plugin = loaded_from(&error.file, live).map(|plugin| plugin.name());
            FindError::Artifact(error.of(plugin))
        }
        error => error,
    }
}

/// What an artifact is, compared with the live instance from the same file or of the same name.
fn look(file: &Path, live: &Generation) -> Result<Candidate, ArtifactError> {
    let from_here = loaded_from(file, live);
    if let (Some(plugin), Ok(metadata)) = (from_here, std::fs::metadata(file))
        && plugin.has_fingerprint(&Fingerprint::of(&metadata))
    {
        return Ok(Candidate::Same(plugin.clone()));
    }
    let opening =
        Opening::read(file).map_err(|error| error.of(from_here.map(|plugin| plugin.name())))?;
    let build_id = opening.artifact.build_id;
    Ok(match live.plugin(&opening.artifact.metadata.name) {
        Some(plugin) if plugin.build_id() == build_id && plugin.file() == file => {
            plugin.set_fingerprint(opening.fingerprint);
            Candidate::Same(plugin.clone())
        }
        Some(plugin) if !plugin.is_reloadable() => Candidate::Stays(plugin.clone()),
        running => Candidate::New(Box::new(Opening {
            replaces: running.map(|plugin| plugin.build_id()),
            ..opening
        })),
    })
}

impl Opening {
    /// Reads the artifact.
    ///
    /// # Errors
    /// The file cannot be read or holds no plugin.
    pub(super) fn read(file: &Path) -> Result<Self, ArtifactError> {
        let read_at = SystemTime::now();
        let source = read_source(file)?;
        Ok(Opening {
            artifact: Artifact::from_bytes(file, &source.bytes)?,
            bytes: source.bytes,
            fingerprint: source
                .fingerprint
                .is_settled(read_at)
                .then_some(source.fingerprint),
            replaces: None,
        })
    }
}

/// Whether a file that cannot be read as an artifact concerns this host: not if there is an allow-list and neither the
/// plugin's name nor the file's is on it.
fn allowed_file(writer: &Writer, file: &Path, error: &ArtifactError) -> bool {
    let Some(allowed) = &writer.allowed else {
        return true;
    };
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let named = PluginName::from(stem.strip_prefix("lib").unwrap_or(&stem));
    allowed.contains(error.plugin.as_ref().unwrap_or(&named))
}

/// What `unload` takes out must not be imported by what stays.
fn check_users(
    candidates: &BTreeMap<PluginName, Candidate>,
    plan: &Plan,
) -> Result<(), ReloadError> {
    for name in &plan.remove {
        let imports = |candidate: &&Candidate| {
            candidate
                .metadata()
                .imports
                .iter()
                .any(|i| i.from.as_ref() == Some(name) && !i.optional)
        };
        let users: Vec<_> = candidates
            .values()
            .filter(imports)
            .map(|user| user.metadata().name.clone())
            .collect();
        if !users.is_empty() {
            return Err(ReloadError::InUse {
                name: name.clone(),
                users,
            });
        }
    }
    Ok(())
}

/// The files that a successful plan has added, by name.
pub(super) fn added_by(plan: &Plan, generation: &Generation) -> BTreeMap<PluginName, PathBuf> {
    let of = |file: &PathBuf| {
        generation
            .plugins
            .iter()
            .find(|p| p.file() == file)
            .map(|p| (p.name().clone(), file.clone()))
    };
    plan.add.iter().filter_map(of).collect()
}
