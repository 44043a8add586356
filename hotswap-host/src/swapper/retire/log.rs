//! The progress of all retirements, for callers that ask.
use crate::base::time::after;
use crate::load::library::Library;
use crate::reclaim::record;
use crate::retirement::{Holder, Retirement, RetirementState};
use crate::telemetry::contain;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The number of finished retirements that are remembered.
const REMEMBERED: usize = 64;
/// The interval at which a waiting thread looks whether it has destructors to run.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The progress of all retirements, for callers that ask.
#[derive(Default)]
pub(super) struct RetirementLog {
    entries: Mutex<Entries>,
    changed: Condvar,
}

#[derive(Default)]
struct Entries {
    /// The retirements, by the address of their library.
    open: Vec<(usize, Retirement)>,
    finished: VecDeque<Retirement>,
}

impl RetirementLog {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, library: &Arc<Library>, generation: Option<u64>) {
        let of = Arc::as_ptr(library).addr();
        let retirement = Retirement::new(library.plugin(), library.build_id(), generation);
        let open = &mut self.entries().open;
        // A retirement whose hook hangs is listed already.
        if !open.iter().any(|(known, _)| *known == of) {
            open.push((of, retirement));
        }
    }

    pub(super) fn update(&self, library: &Arc<Library>, change: impl FnOnce(&mut Retirement)) {
        let ended = {
            let mut entries = self.entries();
            let open = &mut entries.open;
            let Some((_, retirement)) = open
                .iter_mut()
                .find(|(of, _)| *of == Arc::as_ptr(library).addr())
            else {
                return;
            };
            change(retirement);
            retirement.state.is_end().then(|| retirement.clone())
        };
        // The log line comes before threads that wait for the end are notified, since they may end the process.
        if let Some(retirement) = ended {
            // A subscriber that panics must not end the retire thread.
            contain((), || match (retirement.state, retirement.generation) {
                (RetirementState::Kept, _) => tracing::warn!(target: "hotswap", "{retirement}"),
                (_, Some(_)) => tracing::info!(target: "hotswap", "{retirement}"),
                // For a build that never was live, the error of its reload has said enough.
                (_, None) => {}
            });
            self.finish(library);
        }
    }

    /// Moves a retirement that has ended to those that are remembered.
    fn finish(&self, library: &Arc<Library>) {
        let mut entries = self.entries();
        let ended = |(of, _): &(usize, _)| *of == Arc::as_ptr(library).addr();
        let Some(at) = entries.open.iter().position(ended) else {
            return;
        };
        let (_, finished) = entries.open.remove(at);
        // A kept library stays listed, since it is still there.
        let kept = |r: &Retirement| r.state == RetirementState::Kept;
        let gone = entries.finished.iter().filter(|r| !kept(r)).count();
        if gone >= REMEMBERED
            && let Some(oldest) = entries.finished.iter().position(|r| !kept(r))
        {
            entries.finished.remove(oldest);
        }
        entries.finished.push_back(finished);
        self.changed.notify_all();
    }

    /// Names the holders of these libraries, if they are being retired, and logs them if they are new.
    pub(super) fn name(&self, libraries: &[Arc<Library>], holders: &[Holder]) {
        for library in libraries {
            let mut news = None;
            self.update(library, |retirement| {
                if retirement.held_by != holders {
                    retirement.held_by = holders.to_vec();
                    news = Some(retirement.clone());
                }
            });
            if let Some(retirement) = news {
                contain((), || tracing::warn!(target: "hotswap", "{retirement}"));
            }
        }
    }

    pub(super) fn list(&self) -> Vec<Retirement> {
        let entries = self.entries();
        entries
            .finished
            .iter()
            .chain(entries.open.iter().map(|(_, r)| r))
            .cloned()
            .collect()
    }

    /// Waits until no retirement that `which` selects is open, and returns those that still are when the time is up.
    /// The calling thread meanwhile runs destructors that retired plugins have left on it, because a retirement might
    /// wait for this thread.
    pub(super) fn wait(
        &self,
        timeout: Duration,
        which: impl Fn(&Retirement) -> bool,
    ) -> Vec<Retirement> {
        let until = after(Instant::now(), timeout);
        loop {
            record::mine().run_pending_destructors();
            let entries = self.entries();
            let left = until
                .saturating_duration_since(Instant::now())
                .min(LOOK_AGAIN);
            let open = |entries: &mut Entries| entries.open.iter().any(|(_, r)| which(r));
            let waited = self.changed.wait_timeout_while(entries, left, open);
            let (entries, result) = waited.unwrap_or_else(PoisonError::into_inner);
            if !result.timed_out() || Instant::now() >= until {
                return entries
                    .open
                    .iter()
                    .map(|(_, r)| r)
                    .filter(|r| which(r))
                    .cloned()
                    .collect();
            }
        }
    }
}
