//! Tries the next generation in a child process: what the host sends there, and what the child does.
use super::arrange::Arranged;
use super::candidate::{Candidate, Opening};
use super::fallback::with_fallbacks;
use super::restore::restore;
use super::scan::scan;
use super::smoke::plugin_test;
use super::stage::{Staged, check_files};
use crate::artifact::SmokeTime;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::saved_state::SavedState;
use crate::swapper::hooks::refused;
use crate::swapper::inner::Inner;
use crate::swapper::options::ReloadOptions;
use crate::swapper::plan::Plan;
use crate::swapper::probe::Probe;
use crate::swapper::stored_build::StoredBuild;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Builds, and the states of live instances, by plugin.
type Tried = (Vec<StoredBuild>, Vec<(PluginName, Vec<u8>)>);

/// What a probe tries.
pub(in crate::swapper) struct Probed {
    pub(in crate::swapper) builds: Vec<StoredBuild>,
    /// The states of live instances, by plugin.
    pub(in crate::swapper) states: Vec<(PluginName, Vec<u8>)>,
    /// True if tests run that take longer.
    pub(in crate::swapper) deep: bool,
}

impl Inner {
    /// Tries the next generation in a child process. If `deep` is true, tests that take longer run there, too.
    ///
    /// # Errors
    /// It failed there.
    pub(super) fn probe(
        &self,
        arranged: &Arranged,
        live: &Generation,
        options: &ReloadOptions,
        deep: bool,
    ) -> Result<(), ReloadError> {
        // It starts while the request is prepared.
        let probe = Probe::start()?;
        match self.for_probe(arranged, live) {
            Ok((builds, states)) => probe.run(builds, states, options, deep),
            Err(error) => {
                probe.abandon();
                Err(error)
            }
        }
    }

    /// Returns the bytes of all builds, and copies of the states for those that are new.
    fn for_probe(&self, arranged: &Arranged, live: &Generation) -> Result<Tried, ReloadError> {
        let (mut builds, mut states) = (Vec::new(), Vec::new());
        for (name, candidate) in &arranged.candidates {
            let bytes = match (candidate.bytes(), candidate.live()) {
                (Some(bytes), _) => bytes.to_vec(),
                (None, Some(live)) => Opening::again(live)?.into_bytes(),
                (None, None) => continue,
            };
            builds.push(StoredBuild::new(
                name.clone(),
                candidate.file().to_owned(),
                bytes,
            ));
            if let (Candidate::New(_), Some(from)) = (candidate, live.plugin(name)) {
                states.extend(
                    self.state_of(from, candidate)?
                        .map(|bytes| (name.clone(), bytes)),
                );
            }
        }
        Ok((builds, states))
    }

    /// Returns a copy of the state of a live instance for its successor. Returns `None` if it has no state, or one with
    /// descriptors.
    fn state_of(
        &self,
        from: &Arc<Instance>,
        to: &Candidate,
    ) -> Result<Option<Vec<u8>>, ReloadError> {
        let (Some(_), Some(state)) = (from.state(), &to.metadata().state) else {
            return Ok(None);
        };
        let (instance, version) = (Arc::downgrade(from), state.version);
        let mut hooks = self.hook_thread();
        let job = move || {
            instance
                .upgrade()
                .map(|instance| instance.save(version))
                .transpose()
        };
        // If it hangs, the error says so. The build is live, and not on its way out of memory.
        let saved = hooks
            .run(job, drop)
            .map_err(|not_run| refused(not_run, hooks.limit()))??;
        Ok(saved.and_then(SavedState::into_bytes))
    }

    /// Does in the child what the host asks for: stages the builds, restores the states, and runs the smoke tests.
    /// `step` is told of each step before it begins.
    ///
    /// # Errors
    /// The first step that fails.
    pub(in crate::swapper) fn run_probe(
        self: &Arc<Self>,
        probed: Probed,
        step: &mut dyn FnMut(&str),
    ) -> Result<(), ReloadError> {
        let writer = self.writer()?;
        let plan = Plan {
            builds: Some(probed.builds),
            ..Plan::new(ReloadOptions::default())
        };
        let live = self.live.pin_quietly().hold();
        let (candidates, failures) = scan(&self.plugin_dir(), &writer, &plan, &live)?;
        let mut staged = None;
        with_fallbacks(&writer, &live, &candidates, failures, |arranged, _| {
            step("stage");
            let made = check_files(arranged, self.toolchain)
                .and_then(|()| Staged::make(self, &writer, arranged, &live));
            staged = Some(made.map_err(|error| super::fallback::Failed {
                error: Box::new(error),
                may_retry: false,
            })?);
            Ok(())
        })?;
        let Some(staged) = staged else {
            return Ok(());
        };
        let mut states: BTreeMap<_, _> = probed.states.into_iter().collect();
        for instance in staged.fresh_instances() {
            let mut hooks = self.hook_thread();
            if let Some(state) = states.remove(instance.name()) {
                step("restore");
                restore(&mut hooks, instance, SavedState::new(state, Vec::new()))?;
            }
            step("smoke");
            let times = [
                (SmokeTime::Staged, true),
                (SmokeTime::Restored, instance.state().is_some()),
                (SmokeTime::Deep, probed.deep),
            ];
            for (time, _) in times.into_iter().filter(|(_, wanted)| *wanted) {
                for test in instance.metadata().smoke_tests(time) {
                    plugin_test(self, &mut hooks, instance, test)?;
                }
            }
        }
        // The parent ends this process. Freeing the instances would take time and prove nothing.
        std::mem::forget(staged);
        Ok(())
    }
}
