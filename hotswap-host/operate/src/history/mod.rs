//! [`History`], the journal of a host in a directory.
//!
//! ```text
//! <directory>/lock                   locked by the host that runs; has its pid
//! <directory>/history.sqlite         what is permanent, what was tried, what has happened, and the audit
//! <directory>/builds/<id>            the bytes of the builds
//! <directory>/builds/<id>.evidence   what the host's examiner has returned for them, such as a signature
//! <directory>/uploads/<id>           builds that somebody has sent, until they are deployed
//! ```
//! The database is the truth about what is permanent, and the store about bytes. A build is on the disk before the
//! database names it, and is removed only when the database no longer does, so a crash between the two leaves at worst a
//! build that nobody names. *On the disk* means that the file has been synced, and then the directory that names it,
//! and that the directories above were synced when they were made. SQLite does the same for the database: it has a
//! write-ahead log, which is synced with each transaction.
mod attempt;
mod audit;
mod database;
mod directory;
mod entry;
mod error;
#[cfg(unix)]
mod journald;
mod lock;
mod rollback;
mod store;
mod uploads;

pub use audit::{AuditBreak, AuditCheck, AuditEntry, AuditRecord, AuditResult};
pub use entry::{Entry, EntryResult, Summary};
pub use error::HistoryError;
#[cfg(unix)]
pub use journald::Journald;
pub use rollback::{HeldSet, StoredSet};
pub use uploads::Upload;

use attempt::Attempt;
use database::{Database, SetBuild};
use hotswap_host::artifact::BuildId;
use hotswap_host::{
    Cause, Frozen, Journal, JournalError, PluginName, ReloadEvent, ReloadEventKind, Requester,
    Start, StoredBuild, StoredPatches, Trial,
};
use lock::DirectoryLock;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use uploads::Uploads;

/// The journal of a host, in a directory of its own.
///
/// One process at a time uses the directory. Clones of the [`Arc`] share everything.
pub struct History {
    state: Mutex<State>,
    store: Store,
    dir: PathBuf,
    keep: usize,
    uploads: Uploads,
    _lock: DirectoryLock,
}

struct State {
    database: Database,
    /// The attempt that is being made.
    attempt: Option<Attempt>,
    /// The place in the list of permanent sets to which a rollback goes.
    destination: Option<i64>,
    /// Gets a copy of the audit.
    #[cfg(unix)]
    journald: Option<Journald>,
}

impl History {
    /// The number of permanent sets whose builds are kept if nothing else is said.
    pub const KEPT_SETS: usize = 10;

    /// Opens the journal in this directory, which is made if it does not exist. The builds of the last
    /// [`KEPT_SETS`](Self::KEPT_SETS) permanent sets are kept.
    ///
    /// # Errors
    /// The directory cannot be used, another process uses it, or the database is damaged or was made by a newer version.
    pub fn open(dir: impl AsRef<Path>) -> Result<Arc<Self>, HistoryError> {
        History::open_keeping(dir, History::KEPT_SETS)
    }

    /// Opens the journal like [`open`](Self::open), and keeps the builds of this number of permanent sets.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_keeping(dir: impl AsRef<Path>, sets: usize) -> Result<Arc<Self>, HistoryError> {
        let dir = dir.as_ref().to_owned();
        let lock = DirectoryLock::take(&dir)?;
        Ok(Arc::new(History {
            state: Mutex::new(State {
                database: Database::open(&dir.join("history.sqlite"))?,
                attempt: None,
                destination: None,
                #[cfg(unix)]
                journald: None,
            }),
            store: Store::open(&dir.join("builds"))?,
            uploads: Uploads::open(dir.join("uploads"))?,
            dir,
            keep: sets.max(1),
            _lock: lock,
        }))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the last attempts, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entries(&self, limit: usize) -> Result<Vec<Entry>, HistoryError> {
        self.state().database.entries(limit)
    }

    /// Sums up the attempts of the last period of this length.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn summary(&self, period: Duration) -> Result<Summary, HistoryError> {
        self.state().database.summary(period)
    }

    /// Notes what was changed while the host is not running, and who asked for it, also in the [audit](Self::audit).
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn note_offline(
        &self,
        by: impl Into<Requester>,
        result: EntryResult,
        detail: &str,
    ) -> Result<(), HistoryError> {
        let by = by.into();
        let attempt = Attempt::offline(&by);
        let what = match result {
            EntryResult::SetBack => "rollback",
            EntryResult::Confirmed => "confirm",
            EntryResult::Allowed => "unhold",
            other => other.name(),
        };
        let mut entry = AuditEntry::new(by, what, AuditResult::Done);
        entry.outcome = format!("while the host was not running: {detail}");
        let mut state = self.state();
        let noted = state
            .database
            .noted_offline(&attempt, result, detail, entry);
        state.copy(&noted?);
        Ok(())
    }

    /// Copies each record of the [audit](Self::audit) to the journal of the system, from now on. A record that cannot be
    /// copied stays in the history, and the log has the error.
    #[cfg(unix)]
    pub fn copy_audit(&self, to: Journald) {
        self.state().journald = Some(to);
    }

    /// Removes the builds that are no longer needed: those that are neither permanent, nor tried, nor among the last
    /// permanent sets, and of which no live data may be left. Also removes uploads that nobody has deployed.
    fn collect(&self, database: &Database) -> Result<(), HistoryError> {
        let needed = database.needed_builds(self.keep)?;
        self.store.retain(|build| needed.contains(build))?;
        self.uploads.collect()
    }

    fn note(&self, event: &ReloadEvent<'_>) -> Result<(), HistoryError> {
        let mut state = self.state();
        let state = &mut *state;
        match &event.kind {
            ReloadEventKind::Step(step) => {
                let attempt = state.attempt.get_or_insert_with(|| Attempt::of(event));
                attempt.steps.push((*step).clone());
                Ok(())
            }
            ReloadEventKind::Completed(report) => {
                let attempt = state.attempt.take().unwrap_or_else(|| Attempt::of(event));
                let destination = state.destination.take();
                state.database.completed(attempt, report, destination)?;
                state.record_signal(event.cause, AuditResult::Done, &report.to_string())?;
                self.collect(&state.database)
            }
            ReloadEventKind::Refused(error) => {
                let attempt = state.attempt.take().unwrap_or_else(|| Attempt::of(event));
                state.destination = None;
                state.database.refused(attempt, &error.to_string())?;
                state.record_signal(event.cause, AuditResult::Refused, &error.to_string())
            }
            ReloadEventKind::Confirmed => {
                let detail = format!("attempt {}", event.attempt);
                state
                    .database
                    .noted(&Attempt::of(event), EntryResult::Confirmed, &detail)
            }
            ReloadEventKind::Frozen { .. } => {
                let (attempt, result) = (Attempt::of(event), EntryResult::Frozen);
                state.database.noted(&attempt, result, "")
            }
            ReloadEventKind::Unfrozen => {
                let (attempt, result) = (Attempt::of(event), EntryResult::Unfrozen);
                state.database.noted(&attempt, result, "")
            }
            ReloadEventKind::WindowClosed(outcome) => {
                state.database.window_closed(event.attempt, outcome)?;
                self.collect(&state.database)
            }
            ReloadEventKind::OutOfService(out) => {
                // Who has asked for it has often given the reason, too.
                let detail = match event.cause {
                    Cause::Request(by) if by.to_string() == out.reason => out.plugin.to_string(),
                    _ => format!("{}: {}", out.plugin, out.reason),
                };
                let result = EntryResult::OutOfService;
                state.database.noted(&Attempt::of(event), result, &detail)
            }
            ReloadEventKind::InService(plugin) => {
                let result = EntryResult::InService;
                let attempt = Attempt::of(event);
                state.database.noted(&attempt, result, &plugin.to_string())
            }
            ReloadEventKind::Noted { plugin, text } => {
                let (attempt, detail) = (Attempt::of(event), format!("{plugin}: {text}"));
                state.database.noted(&attempt, EntryResult::Noted, &detail)
            }
            _ => Ok(()),
        }
    }
}

impl Journal for History {
    fn start(&self) -> Result<Option<Start>, JournalError> {
        let mut state = self.state();
        let database = &mut state.database;
        database.find_death().map_err(journal_error)?;
        let Some(permanent) = self.intact_permanent(database).map_err(journal_error)? else {
            return Ok(None);
        };
        let mut start = database.start().map_err(journal_error)?;
        start.builds = permanent;
        for build in database.data_builds().map_err(journal_error)? {
            match self.store.get(build.build) {
                Ok(bytes) => {
                    let plugin = PluginName::from(build.plugin);
                    let stored = StoredBuild::new(plugin, build.file, bytes);
                    let evidence = self.store.evidence(build.build);
                    start.data_builds.push(stored.with_evidence(evidence));
                }
                // The host can do without it.
                Err(error) => tracing::error!(target: "hotswap", "{error}"),
            }
        }
        Ok(Some(start))
    }

    fn misfit(&self, reason: &str) -> Result<(), JournalError> {
        let mut state = self.state();
        state.database.misfit(reason).map_err(journal_error)
    }

    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError> {
        for build in &trial.builds {
            if let Some(bytes) = build.bytes {
                let stored = self.store.put(build.build_id, bytes, build.evidence);
                stored.map_err(journal_error)?;
            }
        }
        let mut state = self.state();
        let state = &mut *state;
        let attempt = state
            .attempt
            .get_or_insert_with(|| Attempt::of_trial(trial));
        // An attempt tries several sets if an optional plugin fails.
        let row = state.database.trying(trial, attempt.row);
        attempt.row = Some(row.map_err(journal_error)?);
        Ok(())
    }

    fn event(&self, event: &ReloadEvent<'_>) {
        if let Err(error) = self.note(event) {
            tracing::error!(target: "hotswap", "the history of this host has a gap: {error}");
        }
    }

    fn build(&self, _: &PluginName, build: BuildId) -> Option<Vec<u8>> {
        match self.store.get(build) {
            Ok(bytes) => Some(bytes),
            // It is what the host asks.
            Err(HistoryError::Gone { .. }) => None,
            Err(error) => {
                tracing::error!(target: "hotswap", "{error}");
                None
            }
        }
    }

    fn keep_data_build(
        &self,
        plugin: &PluginName,
        file: &Path,
        build: BuildId,
    ) -> Result<(), JournalError> {
        let kept = SetBuild {
            plugin: plugin.to_string(),
            build,
            file: file.to_owned(),
            deployed: None,
        };
        let mut state = self.state();
        state.database.keep_data_build(kept).map_err(journal_error)
    }

    fn drop_data_build(&self, build: BuildId) -> Result<(), JournalError> {
        let mut state = self.state();
        let dropped = state.database.drop_data_build(build);
        let dropped = dropped.and_then(|()| self.collect(&state.database));
        dropped.map_err(journal_error)
    }

    fn freeze(&self, frozen: Option<&Frozen>) -> Result<(), JournalError> {
        let mut state = self.state();
        state.database.freeze(frozen).map_err(journal_error)
    }

    fn keep_patches(&self, patches: &StoredPatches, provisional: bool) -> Result<(), JournalError> {
        let mut state = self.state();
        let kept = state.database.keep_patches(patches, provisional);
        kept.map_err(journal_error)
    }

    fn shut_down(&self) {
        if let Err(error) = self.state().database.shut_down() {
            tracing::error!(target: "hotswap", "the history does not know that the host was shut down: {error}");
        }
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "History({})", self.dir.display())
    }
}

fn journal_error(error: HistoryError) -> JournalError {
    JournalError(Box::new(error))
}

/// The builds that must not be removed.
type Needed = std::collections::BTreeSet<BuildId>;
