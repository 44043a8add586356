//! What the history tells of an attempt.
use hotswap_host::artifact::BuildId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

/// An attempt to make a generation, or another change of the host that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the entry, which grows by the time.
    pub id: i64,
    /// The time at which the attempt began, by the clock of the machine.
    pub began: SystemTime,
    /// The cause.
    pub cause: String,
    /// The id of the deployment that the attempt is part of, if the request has named one. The cause has it, too.
    pub deployment: Option<String>,
    /// The process of the host.
    pub pid: u32,
    /// The user of the host.
    pub user: String,
    /// The builds that were live before, by plugin.
    pub from: BTreeMap<String, BuildId>,
    /// The builds of the new generation, by plugin. Empty if the attempt ended before they were known.
    pub to: BTreeMap<String, BuildId>,
    /// The options, as JSON.
    pub options: Option<String>,
    /// The steps with their lengths in seconds, and whether each has failed.
    pub steps: Vec<(String, f64, bool)>,
    /// The duration of the attempt, in seconds.
    pub took: f64,
    /// The result.
    pub result: EntryResult,
    /// The error, the report, or the reason of a revert.
    pub detail: String,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryResult {
    /// The host has neither reported an outcome nor ended in an orderly way: it is still trying, or it has died.
    Open,
    /// The new builds are live, and their rollback window is open.
    Provisional,
    /// The new builds became permanent.
    Permanent,
    /// There was nothing new.
    Unchanged,
    /// The attempt was refused, and nothing has changed.
    Refused,
    /// The new builds were live, and the ones before are live again.
    Reverted,
    /// The new builds were to be reverted, and went on, because a plugin that was kept cold could not be made again.
    NotReverted,
    /// Another reload has replaced the new builds in their rollback window.
    Superseded,
    /// The host has died of it, for all that is known.
    Died,
    /// The host was shut down in the rollback window.
    Interrupted,
    /// The permanent builds did not run in this host.
    Misfit,
    /// This is no attempt: the one that the detail names was confirmed.
    Confirmed,
    /// This is no attempt: a plugin was taken out of service.
    OutOfService,
    /// This is no attempt: a plugin was put back into service.
    InService,
    /// This is no attempt: somebody has noted something about a plugin.
    Noted,
    /// This is no attempt: the host refuses all changes from then on. The cause says why.
    Frozen,
    /// This is no attempt: the host accepts changes again.
    Unfrozen,
    /// This is no attempt: the host was not running, and its next start was set to the builds that the detail names.
    SetBack,
    /// This is no attempt: the host was not running, and held sets of builds were allowed again.
    Allowed,
    /// A result that this version does not know.
    Unknown,
}

impl EntryResult {
    pub(super) fn name(self) -> &'static str {
        match self {
            EntryResult::Open => "open",
            EntryResult::Provisional => "provisional",
            EntryResult::Permanent => "permanent",
            EntryResult::Unchanged => "unchanged",
            EntryResult::Refused => "refused",
            EntryResult::Reverted => "reverted",
            EntryResult::NotReverted => "not_reverted",
            EntryResult::Superseded => "superseded",
            EntryResult::Died => "died",
            EntryResult::Interrupted => "interrupted",
            EntryResult::Misfit => "misfit",
            EntryResult::Confirmed => "confirmed",
            EntryResult::OutOfService => "out_of_service",
            EntryResult::InService => "in_service",
            EntryResult::Noted => "noted",
            EntryResult::Frozen => "frozen",
            EntryResult::Unfrozen => "unfrozen",
            EntryResult::SetBack => "set_back",
            EntryResult::Allowed => "allowed",
            EntryResult::Unknown => "unknown",
        }
    }

    pub(super) fn of(name: &str) -> Self {
        let all = [
            EntryResult::Open,
            EntryResult::Provisional,
            EntryResult::Permanent,
            EntryResult::Unchanged,
            EntryResult::Refused,
            EntryResult::Reverted,
            EntryResult::NotReverted,
            EntryResult::Superseded,
            EntryResult::Died,
            EntryResult::Interrupted,
            EntryResult::Misfit,
            EntryResult::Confirmed,
            EntryResult::OutOfService,
            EntryResult::InService,
            EntryResult::Noted,
            EntryResult::Frozen,
            EntryResult::Unfrozen,
            EntryResult::SetBack,
            EntryResult::Allowed,
        ];
        let known = all.into_iter().find(|result| result.name() == name);
        known.unwrap_or(EntryResult::Unknown)
    }
}

impl fmt::Display for EntryResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// For example, `#12 signal 10: permanent (world: 11223344 -> 55667788)`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}: {}", self.id, self.cause, self.result)?;
        let changed = self
            .to
            .iter()
            .filter(|(name, build)| self.from.get(*name) != Some(*build));
        let changes = changed.map(|(name, to)| match self.from.get(name) {
            Some(from) => format!("{name}: {} -> {}", from.short(), to.short()),
            None => format!("{name}: {}", to.short()),
        });
        let changes: Vec<_> = changes.collect();
        if !changes.is_empty() {
            write!(f, " ({})", changes.join(", "))?;
        }
        let explains = !matches!(
            self.result,
            EntryResult::Permanent | EntryResult::Unchanged | EntryResult::Provisional
        );
        if explains && !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// What has happened over a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The number of attempts that found something new and whose outcome is known.
    pub attempts: u64,
    /// The number of those that became permanent.
    pub permanent: u64,
    /// The number of those that were refused before the switch.
    pub refused: u64,
    /// The number of those that were reverted or should have been, or of which the host has died.
    pub reverted: u64,
    /// The mean duration, in seconds.
    pub mean: f64,
    /// The longest duration, in seconds.
    pub longest: f64,
}

impl Summary {
    /// The share of the attempts that became permanent, from 0 to 1. `None` if there was no attempt.
    pub fn success_rate(&self) -> Option<f64> {
        (self.attempts > 0).then(|| self.permanent as f64 / self.attempts as f64)
    }

    /// The mean duration.
    pub fn mean(&self) -> Duration {
        Duration::try_from_secs_f64(self.mean).unwrap_or_default()
    }
}
