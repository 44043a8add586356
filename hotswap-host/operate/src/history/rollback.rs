//! Goes back to builds of an earlier time, and forward again.
use super::History;
use super::database::{Database, PermanentSet, SetBuild, set_of, time};
use super::error::HistoryError;
use hotswap_host::artifact::BuildId;
use hotswap_host::{
    BuildSet, Cause, PluginName, ReloadOptions, Report, Requester, StoredBuild, Swapper,
};
use std::time::SystemTime;

/// A set of builds that is or was permanent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSet {
    /// The steps from the present set: 0 is the present one, -1 the one before, and 1 the one to which a redo leads.
    pub steps: i64,
    /// The time at which it became permanent, by the clock of the machine.
    pub since: SystemTime,
    /// The builds, by plugin.
    pub builds: BuildSet,
}

/// A set of builds that does not become live by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldSet {
    /// The builds, by plugin.
    pub builds: BuildSet,
    /// The reason.
    pub reason: String,
    /// The time since which it is held, by the clock of the machine.
    pub since: SystemTime,
}

/// Returns the cause of a rollback that the host's own code, or somebody else, asks for.
fn cause_of(by: Option<&Requester>) -> Cause {
    by.map_or(Cause::Code, |by| Cause::Request(by.clone()))
}

impl History {
    /// Goes back to the set that was permanent `steps` sets ago, on a host that runs. If a rollback window is open, the
    /// first step is to revert the reload. State is handed over, so that what was written since is kept. The set becomes
    /// permanent at once.
    ///
    /// # Errors
    /// There is no such set, a build of it has left the store or is damaged, or the host refuses it. Then nothing
    /// changes.
    pub fn rollback(&self, swapper: &Swapper, steps: usize) -> Result<Report, HistoryError> {
        self.back(swapper, steps, None)
    }

    /// Does the same as [`rollback`](Self::rollback), and says who asked for it in the log, the events, and the history:
    /// [`Cause::Request`](hotswap_host::Cause::Request).
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback).
    pub fn rollback_by(
        &self,
        swapper: &Swapper,
        steps: usize,
        by: impl Into<Requester>,
    ) -> Result<Report, HistoryError> {
        self.back(swapper, steps, Some(&by.into()))
    }

    fn back(
        &self,
        swapper: &Swapper,
        steps: usize,
        by: Option<&Requester>,
    ) -> Result<Report, HistoryError> {
        // The set that is on trial is one step after the permanent one.
        if steps > 0 && swapper.window()?.is_some() {
            let reverted = match by {
                Some(by) => swapper.requested_by(by).rollback(),
                None => swapper.rollback(),
            }?;
            return match steps {
                1 => Ok(reverted),
                steps => self.back(swapper, steps - 1, by),
            };
        }
        let set = self.set_back(steps)?;
        self.go_to(swapper, set, by)
    }

    /// Goes forward again by `steps` sets, after a rollback.
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback).
    pub fn redo(&self, swapper: &Swapper, steps: usize) -> Result<Report, HistoryError> {
        let set = self.set_forward(steps)?;
        self.go_to(swapper, set, None)
    }

    /// Replaces the build of one plugin by one from the store: the last other one that was permanent, or the one whose id
    /// begins with these digits.
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback), and a plugin that is not part of the permanent set.
    pub fn rollback_plugin(
        &self,
        swapper: &Swapper,
        plugin: &str,
        build: Option<&str>,
    ) -> Result<Report, HistoryError> {
        let builds = self.with_plugin(plugin, build)?;
        self.reload(swapper, &builds, Cause::Code)
    }

    /// Does the same as [`rollback_plugin`](Self::rollback_plugin), and says who asked for it.
    ///
    /// # Errors
    /// Those of [`rollback_plugin`](Self::rollback_plugin).
    pub fn rollback_plugin_by(
        &self,
        swapper: &Swapper,
        plugin: &str,
        build: Option<&str>,
        by: impl Into<Requester>,
    ) -> Result<Report, HistoryError> {
        let builds = self.with_plugin(plugin, build)?;
        self.reload(swapper, &builds, Cause::Request(by.into()))
    }

    /// Does the same as [`rollback_plugin`](Self::rollback_plugin), for a plugin that does not do its work.
    #[cfg(feature = "health")]
    pub(crate) fn recover_plugin(
        &self,
        swapper: &Swapper,
        plugin: &str,
        build: Option<&str>,
        reason: &str,
    ) -> Result<Report, HistoryError> {
        let builds = self.with_plugin(plugin, build)?;
        let cause = Cause::Recovery {
            plugin: plugin.into(),
            reason: reason.to_owned(),
        };
        self.reload(swapper, &builds, cause)
    }

    fn go_to(
        &self,
        swapper: &Swapper,
        set: PermanentSet,
        by: Option<&Requester>,
    ) -> Result<Report, HistoryError> {
        self.state().destination = Some(set.place);
        let report = self.reload(swapper, &set.builds, cause_of(by));
        if report.is_err() {
            self.state().destination = None;
        }
        report
    }

    fn reload(
        &self,
        swapper: &Swapper,
        builds: &[SetBuild],
        cause: Cause,
    ) -> Result<Report, HistoryError> {
        let builds = self.read_all(builds)?;
        let mut options = ReloadOptions::development();
        // They have passed their tests, and the operator has decided.
        options.smoke = false;
        let reload = swapper.prepare_reload().builds(builds).caused_by(cause);
        Ok(reload.options(options).force().run()?)
    }

    /// Makes the set that was permanent `steps` sets ago the one with which the host starts. The host is not running.
    ///
    /// # Errors
    /// Those of [`rollback`](Self::rollback).
    pub fn roll_back_offline(&self, steps: usize) -> Result<StoredSet, HistoryError> {
        let set = self.set_back(steps)?;
        self.read_all(&set.builds)?;
        self.state().database.move_to(set.place)?;
        Ok(StoredSet::of(&set, 0))
    }

    /// Makes a set the one with which the host starts: the permanent one with another build of this plugin. The host is
    /// not running.
    ///
    /// # Errors
    /// Those of [`rollback_plugin`](Self::rollback_plugin).
    pub fn roll_back_plugin_offline(
        &self,
        plugin: &str,
        build: Option<&str>,
    ) -> Result<StoredSet, HistoryError> {
        let builds = self.with_plugin(plugin, build)?;
        self.read_all(&builds)?;
        self.state().database.append(&builds)?;
        let mut sets = self.sets()?.into_iter().filter(|set| set.steps == 0);
        sets.next().ok_or(HistoryError::NoPlugin {
            plugin: plugin.to_owned(),
        })
    }

    /// Makes the set and the patches that were on trial when the host ended permanent. The host is not running. Returns false
    /// if there were none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn confirm_offline(&self) -> Result<bool, HistoryError> {
        self.state().database.confirm()
    }

    /// Returns the sets that are or were permanent, from the oldest one on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sets(&self) -> Result<Vec<StoredSet>, HistoryError> {
        let (before, after) = self.state().database.permanents(usize::MAX)?;
        let before = (0..)
            .zip(&before)
            .map(|(steps, set)| StoredSet::of(set, -steps));
        let mut sets: Vec<_> = before.collect();
        sets.reverse();
        sets.extend(
            (1..)
                .zip(&after)
                .map(|(steps, set)| StoredSet::of(set, steps)),
        );
        Ok(sets)
    }

    /// Returns the sets that do not become live by themselves.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn held(&self) -> Result<Vec<HeldSet>, HistoryError> {
        let held = self.state().database.held()?.into_iter();
        let held = held.map(|(builds, reason, at)| HeldSet {
            builds: set_of(&builds),
            reason,
            since: time(at),
        });
        Ok(held.collect())
    }

    /// Releases the held sets that have this plugin in a build whose id begins with these digits, or all of them. A host
    /// that is running knows the sets that were held when it started. Returns the number of sets.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn unhold(&self, digits: Option<&str>) -> Result<usize, HistoryError> {
        let fits = |builds: &[SetBuild]| {
            let fits = |digits| {
                builds
                    .iter()
                    .any(|b| b.build.to_string().starts_with(digits))
            };
            digits.is_none_or(fits)
        };
        self.state().database.unhold(fits)
    }

    /// Returns the builds in the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn builds(&self) -> Result<Vec<BuildId>, HistoryError> {
        self.store.builds()
    }

    /// Returns the bytes of a build, by the first digits of its id. They are checked.
    ///
    /// # Errors
    /// The store does not have such a build, has several, or it is damaged.
    pub fn build(&self, digits: &str) -> Result<(BuildId, Vec<u8>), HistoryError> {
        let build = self.named(digits)?;
        Ok((build, self.store.get(build)?))
    }

    /// Returns what the host's [`Examiner`](hotswap_host::Examiner) returned for a build, such as its signature, if it is in
    /// the store.
    pub fn evidence(&self, build: BuildId) -> Option<Vec<u8>> {
        self.store.evidence(build)
    }

    /// Checks the bytes of all builds in the store. Returns those that are damaged.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn verify(&self) -> Result<Vec<BuildId>, HistoryError> {
        let builds = self.store.builds()?.into_iter();
        Ok(builds
            .filter(|build| self.store.get(*build).is_err())
            .collect())
    }

    /// Returns the bytes of the present permanent set, or of the newest one before it that is whole and not held.
    pub(super) fn intact_permanent(
        &self,
        database: &mut Database,
    ) -> Result<Option<Vec<StoredBuild>>, HistoryError> {
        let (before, _) = database.permanents(usize::MAX)?;
        let held: Vec<_> = database
            .held()?
            .iter()
            .map(|(builds, ..)| set_of(builds))
            .collect();
        for set in before {
            if held.contains(&set_of(&set.builds)) {
                continue;
            }
            match self.read_all(&set.builds) {
                Ok(builds) => {
                    database.move_to(set.place)?;
                    return Ok(Some(builds));
                }
                Err(error) => {
                    tracing::error!(target: "hotswap", "a permanent set cannot be used, so the host starts with an older one: {error}");
                }
            }
        }
        Ok(None)
    }

    fn set_back(&self, steps: usize) -> Result<PermanentSet, HistoryError> {
        let (before, _) = self.state().database.permanents(usize::MAX)?;
        nth(before, steps, "back", 0)
    }

    fn set_forward(&self, steps: usize) -> Result<PermanentSet, HistoryError> {
        let (_, after) = self.state().database.permanents(usize::MAX)?;
        nth(after, steps, "forward", 1)
    }

    /// Returns the permanent set with another build of a plugin.
    fn with_plugin(
        &self,
        plugin: &str,
        build: Option<&str>,
    ) -> Result<Vec<SetBuild>, HistoryError> {
        let (before, _) = self.state().database.permanents(usize::MAX)?;
        let name = PluginName::from(plugin);
        let of_plugin = |set: &PermanentSet| {
            let mut builds = set.builds.iter();
            builds.find(|b| name == b.plugin.as_str()).cloned()
        };
        let present = before.first().and_then(of_plugin);
        let present = present.ok_or_else(|| HistoryError::NoPlugin {
            plugin: plugin.to_owned(),
        })?;
        let other = match build {
            Some(digits) => SetBuild {
                build: self.named(digits)?,
                ..present.clone()
            },
            None => {
                let mut others = before.iter().filter_map(of_plugin);
                let other = others.find(|other| other.build != present.build);
                other.ok_or(HistoryError::NoSuchStep {
                    steps: 1,
                    direction: "back",
                    known: 0,
                })?
            }
        };
        let mut builds = before
            .into_iter()
            .next()
            .map(|set| set.builds)
            .unwrap_or_default();
        for build in &mut builds {
            if name == build.plugin.as_str() {
                build.build = other.build;
                build.deployed = other.deployed;
            }
        }
        Ok(builds)
    }

    /// Returns the build of the store whose id begins with these digits.
    fn named(&self, digits: &str) -> Result<BuildId, HistoryError> {
        let there = self.store.builds()?;
        let fitting = there
            .iter()
            .filter(|build| build.to_string().starts_with(digits));
        let fitting: Vec<_> = fitting.copied().collect();
        match fitting[..] {
            [build] => Ok(build),
            [] => Err(HistoryError::Gone {
                build: digits.to_owned(),
                there,
            }),
            _ => Err(HistoryError::Ambiguous {
                digits: digits.to_owned(),
                builds: fitting,
            }),
        }
    }

    fn read_all(&self, builds: &[SetBuild]) -> Result<Vec<StoredBuild>, HistoryError> {
        let read = |build: &SetBuild| {
            let bytes = self.store.get(build.build)?;
            let plugin = build.plugin.as_str().into();
            let stored = StoredBuild::new(plugin, build.file.clone(), bytes);
            let stored = stored.with_evidence(self.store.evidence(build.build));
            Ok(stored.with_deployed(build.deployed))
        };
        builds.iter().map(read).collect()
    }
}

impl StoredSet {
    fn of(set: &PermanentSet, steps: i64) -> Self {
        StoredSet {
            steps,
            since: time(set.at),
            builds: set_of(&set.builds),
        }
    }
}

fn nth(
    sets: Vec<PermanentSet>,
    steps: usize,
    direction: &'static str,
    first: usize,
) -> Result<PermanentSet, HistoryError> {
    let known = sets.len().saturating_sub(1 - first);
    let set = steps
        .checked_sub(first)
        .and_then(|n| sets.into_iter().nth(n));
    set.filter(|_| steps > 0).ok_or(HistoryError::NoSuchStep {
        steps,
        direction,
        known,
    })
}
