//! Builds that are deployed, and those that were: they stay while the plugin directory has what it had at the time.
use super::candidate::{Candidate, Opening};
use super::scan::{Candidates, Scan};
use crate::artifact::{Artifact, BuildSet, Deployed, find_each};
use crate::error::{PluginErrorKind, ReloadError};
use crate::swapper::examine::BuildOrigin;
use crate::swapper::stored_build::StoredBuild;
use std::sync::Arc;

impl Scan<'_> {
    /// Notes the live plugins, with the builds in the place of theirs that are to be deployed.
    pub(super) fn deploy(&mut self, builds: &[StoredBuild]) -> Result<(), ReloadError> {
        for plugin in &self.live.plugins {
            self.insert(plugin.name().clone(), Candidate::Same(plugin.clone()))?;
        }
        let there = self.builds_of_files();
        let mut deployed = Candidates::new();
        for build in builds {
            let opening = Opening::stored(build)?;
            let name = opening.artifact.metadata.name.clone();
            if !self
                .writer
                .allowed
                .as_ref()
                .is_none_or(|all| all.contains(&name))
            {
                return Err(ReloadError::NotAllowed { name });
            }
            let running = self.live.plugin(&name);
            let candidate = match running {
                Some(plugin) if plugin.build_id() == opening.artifact.build_id => {
                    Candidate::Same(plugin.clone())
                }
                Some(plugin) if !plugin.is_reloadable() => {
                    let kind = PluginErrorKind::NotReloadable {
                        chain: vec![name.clone()],
                    };
                    return Err(kind.of(&name, &build.file).into());
                }
                running => Candidate::New(Arc::new(Opening {
                    evidence: {
                        let examination = &self.writer.examination;
                        examination.of_stored(&opening.artifact, build, BuildOrigin::Deployed)?
                    },
                    deployed: Some(Deployed::over(there.get(&name).copied())),
                    replaces: running.map(|plugin| plugin.build_id()),
                    ..opening
                })),
            };
            if let Some(first) = deployed.get(&name) {
                return Err(ReloadError::Duplicate {
                    name,
                    first: first.file().to_owned(),
                    second: build.file.clone(),
                });
            }
            deployed.insert(name, candidate);
        }
        self.candidates.extend(deployed);
        Ok(())
    }

    /// Returns the builds in the plugin directory, and in the files that were added one by one. Files that are no plugins do
    /// not matter here.
    fn builds_of_files(&self) -> BuildSet {
        let found = find_each(self.dir)
            .unwrap_or_default()
            .into_iter()
            .flatten();
        let files = found.chain(self.writer.added.values().cloned());
        let artifacts = files.filter_map(|file| Artifact::read(&file).ok());
        artifacts
            .map(|artifact| (artifact.metadata.name, artifact.build_id))
            .collect()
    }

    /// Notes the live plugins that were deployed when no file had them, and returns their number.
    pub(super) fn deployed_over_nothing(&mut self) -> Result<usize, ReloadError> {
        let plugins = self.live.plugins.iter();
        let deployed = plugins.filter(|plugin| plugin.is_deployed_over(None));
        let stay: Vec<_> = deployed
            .filter(|plugin| self.concerns(plugin.name()) && !self.found.contains(plugin.name()))
            .filter(|plugin| !self.candidates.contains_key(plugin.name()))
            .cloned()
            .collect();
        for plugin in &stay {
            self.insert(plugin.name().clone(), Candidate::Same(plugin.clone()))?;
        }
        Ok(stay.len())
    }
}
