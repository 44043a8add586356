//! The database of a journal.
use super::Needed;
use super::attempt::{Attempt, key};
use super::audit::{self, AuditEntry, AuditRecord};
use super::entry::{Entry, EntryResult, Summary};
use super::error::HistoryError;
use hotswap_host::artifact::{BuildId, Deployed};
use hotswap_host::{
    BuildSet, Frozen, PluginName, Report, Start, StoredPatches, Trial, WindowOutcome,
};
use rusqlite::{Connection, OptionalExtension, Params, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The layout of the database. Each change of the layout adds a step to [`LAYOUTS`].
const LAYOUTS: [&str; 2] = [
    "
    -- Sets of builds. The key is the same for the same builds; `builds` also has the files.
    CREATE TABLE sets (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, builds TEXT NOT NULL);
    -- What the host would need to know after its death, by name.
    CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    -- The sets that were permanent, in their order. The state `permanent` is the place of the present one.
    CREATE TABLE permanent (place INTEGER PRIMARY KEY AUTOINCREMENT, set_id INTEGER NOT NULL REFERENCES sets, at INTEGER NOT NULL);
    -- The sets that must not be live again by themselves.
    CREATE TABLE held (set_id INTEGER PRIMARY KEY REFERENCES sets, reason TEXT NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        number INTEGER NOT NULL, began INTEGER NOT NULL, took REAL NOT NULL,
        cause TEXT NOT NULL, pid INTEGER NOT NULL, user TEXT NOT NULL,
        from_set TEXT NOT NULL, to_set TEXT NOT NULL, options TEXT, steps TEXT NOT NULL,
        result TEXT NOT NULL, detail TEXT NOT NULL
    );
    CREATE INDEX attempts_by_time ON attempts (began);
",
    // The id of a deployment was in the text of the cause only. It comes before the reason, and has no parenthesis.
    "
    ALTER TABLE attempts ADD COLUMN deployment TEXT;
    UPDATE attempts SET deployment =
        substr(cause, instr(cause, ' (deployment ') + 13,
            instr(substr(cause, instr(cause, ' (deployment ') + 13), ')') - 1)
        WHERE instr(cause, 'a request by ') > 0 AND instr(cause, ' (deployment ') > 0
        AND (instr(cause, ': ') = 0 OR instr(cause, ': ') > instr(cause, ' (deployment '));
    -- The audit. Each hash is that of the one before it and the record.
    CREATE TABLE audit (id INTEGER PRIMARY KEY, record TEXT NOT NULL, hash TEXT NOT NULL);
",
];

/// The state with the builds that are kept for the live data that they have saved.
const DATA_BUILDS: &str = "data_builds";

/// The state with the patches that the next start applies. Databases of earlier versions do not have it.
const PATCHES: &str = "patches";

/// The state with the patches that take their place once the rollback window that is open has closed well.
const PATCHES_ON_TRIAL: &str = "patches_on_trial";

/// The state that is there while the host refuses all changes.
const FROZEN: &str = "frozen";

/// The database of a journal.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

/// A build of a stored set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SetBuild {
    pub(super) plugin: String,
    pub(super) build: BuildId,
    pub(super) file: PathBuf,
    /// Set if it was deployed. Databases of earlier versions do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deployed: Option<Deployed>,
}

/// A permanent set.
pub(super) struct PermanentSet {
    pub(super) place: i64,
    pub(super) at: i64,
    pub(super) builds: Vec<SetBuild>,
}

impl Database {
    /// Opens the database, and brings it to the newest layout.
    pub(super) fn open(path: &Path) -> Result<Self, HistoryError> {
        let failed = |error: rusqlite::Error| HistoryError::Database {
            path: path.to_owned(),
            error: Box::new(error),
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        // Each transaction is on the disk when it has ended.
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        let layout = |connection: &Connection| {
            connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        };
        let (found, known) = (layout(&connection).map_err(failed)?, LAYOUTS.len() as i64);
        if found > known {
            let path = path.to_owned();
            return Err(HistoryError::Newer { path, found, known });
        }
        let whole: String = connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(failed)?;
        if whole != "ok" {
            return Err(HistoryError::Database {
                path: path.to_owned(),
                error: format!("it is damaged: {whole}").into(),
            });
        }
        let change = connection.transaction().map_err(failed)?;
        for layout in LAYOUTS.iter().skip(found as usize) {
            change.execute_batch(layout).map_err(failed)?;
        }
        change
            .pragma_update(None, "user_version", known)
            .map_err(failed)?;
        change.commit().map_err(failed)?;
        Ok(Database {
            connection,
            path: path.to_owned(),
        })
    }

    /// Reads something.
    pub(super) fn read<R>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<R>,
    ) -> Result<R, HistoryError> {
        read(&self.connection).map_err(|error| HistoryError::Database {
            path: self.path.clone(),
            error: Box::new(error),
        })
    }

    /// Makes a change as a whole or not at all.
    pub(super) fn change<R>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<R>,
    ) -> Result<R, HistoryError> {
        let path = &self.path;
        let run = || {
            let transaction = self.connection.transaction()?;
            let result = change(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|error: rusqlite::Error| HistoryError::Database {
            path: path.clone(),
            error: Box::new(error),
        })
    }

    /// Finds out whether the last host has died of an attempt. If so, its set is held.
    pub(super) fn find_death(&mut self) -> Result<(), HistoryError> {
        self.change(|change| {
            let set = state(change, "on_trial")?;
            let patches = state(change, PATCHES_ON_TRIAL)?;
            if set.is_none() && patches.is_none() {
                return Ok(());
            }
            unset(change, "on_trial")?;
            unset(change, PATCHES_ON_TRIAL)?;
            if let Some(set) = set
                && state(change, "permanent")?.is_some()
            {
                hold(change, &set, "the host has ended while it was tried")?;
            }
            let result = EntryResult::Died.name();
            let open = [EntryResult::Open.name(), EntryResult::Provisional.name()];
            let died = run(
                change,
                "UPDATE attempts SET result = ?1 WHERE result IN (?2, ?3)",
                params![result, open[0], open[1]],
            )?;
            if died == 0 && patches.is_some() {
                // The host has ended before it could say which patch it was.
                let detail =
                    "the host has ended while a patch was applied, which is not applied again";
                insert(change, &Attempt::start(), None, EntryResult::Died, detail)?;
            }
            Ok(())
        })
    }

    /// Returns what a host has to know when it starts, but for the bytes of the builds.
    pub(super) fn start(&self) -> Result<Start, HistoryError> {
        self.read(|connection| {
            let mut start = Start::default();
            let added: BTreeMap<String, PathBuf> = json(connection, "added")?;
            let added = added.into_iter();
            start.added = added
                .map(|(name, file)| (PluginName::from(name), file))
                .collect();
            let removed: Vec<String> = json(connection, "removed")?;
            start.removed = removed.into_iter().map(PluginName::from).collect();
            start.held = held(connection)?
                .into_iter()
                .map(|(builds, reason, _)| (set_of(&builds), reason))
                .collect();
            let frozen = state(connection, FROZEN)?;
            start.frozen = frozen.map(from_json).transpose()?;
            start.patches = json(connection, PATCHES)?;
            let tried = state(connection, "tried")?;
            start.tried = match tried {
                Some(id) => Some(set_of(&builds(connection, &id)?)),
                None => None,
            };
            Ok(start)
        })
    }

    /// Notes that the permanent set does not run.
    pub(super) fn misfit(&mut self, reason: &str) -> Result<(), HistoryError> {
        let attempt = Attempt::start();
        self.change(|change| {
            unset(change, "permanent")?;
            unset(change, "tried")?;
            unset(change, "on_trial")?;
            insert(change, &attempt, None, EntryResult::Misfit, reason).map(drop)
        })
    }

    /// Notes that a set is tried. Returns the row of the attempt.
    pub(super) fn trying(
        &mut self,
        trial: &Trial<'_>,
        row: Option<i64>,
    ) -> Result<i64, HistoryError> {
        self.change(|change| {
            let set = set_id(change, trial)?;
            set_state(change, "tried", &set)?;
            set_state(change, "on_trial", &set)?;
            set_json(change, "added", &{
                let added = trial.added.iter();
                added
                    .map(|(name, file)| (name.as_str(), file))
                    .collect::<BTreeMap<_, _>>()
            })?;
            let removed = trial.removed.iter().map(PluginName::as_str);
            set_json(change, "removed", &removed.collect::<Vec<_>>())?;
            if let Some(row) = row {
                run(change, "DELETE FROM attempts WHERE id = ?1", [row])?;
            }
            insert(
                change,
                &Attempt::of_trial(trial),
                Some(trial),
                EntryResult::Open,
                "",
            )
        })
    }

    /// Notes that an attempt has succeeded.
    pub(super) fn completed(
        &mut self,
        attempt: Attempt,
        report: &Report,
        destination: Option<i64>,
    ) -> Result<(), HistoryError> {
        let result = match (report.changed(), report.window.is_some()) {
            (false, _) => EntryResult::Unchanged,
            (true, true) => EntryResult::Provisional,
            (true, false) => EntryResult::Permanent,
        };
        let detail = report.to_string();
        // A revert makes no trial of its own.
        let is_trial = attempt.row.is_some() && result == EntryResult::Permanent;
        self.change(|change| {
            finish(change, attempt, result, &detail)?;
            match state(change, "on_trial")?.filter(|_| is_trial) {
                Some(set) => {
                    promote_patches(change)?;
                    promote(change, &set, destination)
                }
                None => Ok(()),
            }
        })
    }

    /// Notes something that is no attempt.
    pub(super) fn noted(
        &mut self,
        at: &Attempt,
        result: EntryResult,
        detail: &str,
    ) -> Result<(), HistoryError> {
        self.change(|change| insert(change, at, None, result, detail).map(drop))
    }

    /// Notes something that somebody has done while the host was not running, also in the audit.
    pub(super) fn noted_offline(
        &mut self,
        at: &Attempt,
        result: EntryResult,
        detail: &str,
        entry: AuditEntry,
    ) -> Result<AuditRecord, HistoryError> {
        self.change(|change| {
            insert(change, at, None, result, detail)?;
            audit::insert(change, entry)
        })
    }

    /// Notes that an attempt was refused.
    pub(super) fn refused(&mut self, attempt: Attempt, error: &str) -> Result<(), HistoryError> {
        self.change(|change| {
            if attempt.row.is_some() {
                unset(change, "on_trial")?;
            }
            finish(change, attempt, EntryResult::Refused, error)
        })
    }

    /// Notes that the host refuses all changes, or none.
    pub(super) fn freeze(&mut self, frozen: Option<&Frozen>) -> Result<(), HistoryError> {
        self.change(|change| match frozen {
            Some(frozen) => set_json(change, FROZEN, frozen),
            None => unset(change, FROZEN),
        })
    }

    /// Notes how the rollback window of an attempt has closed.
    pub(super) fn window_closed(
        &mut self,
        number: u64,
        outcome: &WindowOutcome,
    ) -> Result<(), HistoryError> {
        let (result, detail) = match outcome {
            WindowOutcome::Permanent => (EntryResult::Permanent, None),
            WindowOutcome::Reverted { reason } => (EntryResult::Reverted, Some(reason.clone())),
            // The new builds go on, and the next start is on the permanent ones.
            WindowOutcome::NotReverted { .. } => {
                (EntryResult::NotReverted, Some(outcome.to_string()))
            }
            WindowOutcome::Superseded => (EntryResult::Superseded, None),
            _ => (EntryResult::Interrupted, None),
        };
        self.change(|change| {
            run(
                change,
                "UPDATE attempts SET result = ?1, detail = coalesce(?2, detail)
                 WHERE id = (SELECT max(id) FROM attempts WHERE number = ?3 AND result = ?4)",
                params![
                    result.name(),
                    detail,
                    number as i64,
                    EntryResult::Provisional.name()
                ],
            )?;
            match outcome {
                WindowOutcome::Permanent => promote_patches(change)?,
                WindowOutcome::Reverted { .. } | WindowOutcome::NotReverted { .. } => {
                    unset(change, PATCHES_ON_TRIAL)?;
                }
                _ => {}
            }
            let Some(set) = state(change, "on_trial")? else {
                return Ok(());
            };
            match outcome {
                WindowOutcome::Permanent => promote(change, &set, None),
                WindowOutcome::Reverted { reason } | WindowOutcome::NotReverted { reason, .. } => {
                    hold(change, &set, reason)?;
                    unset(change, "on_trial")
                }
                // The set that supersedes this one is on trial now.
                WindowOutcome::Superseded => Ok(()),
                _ => Ok(()),
            }
        })
    }

    /// Notes that the host has ended in an orderly way. The set that was on trial is not held, and is tried again. Patches
    /// that were on trial are forgotten.
    pub(super) fn shut_down(&mut self) -> Result<(), HistoryError> {
        self.change(|change| {
            unset(change, PATCHES_ON_TRIAL)?;
            if state(change, "on_trial")?.is_some() {
                unset(change, "on_trial")?;
                unset(change, "tried")?;
            }
            Ok(())
        })
    }

    /// Returns the permanent sets, from the present one to older ones, and those after it: at most this number of each.
    pub(super) fn permanents(
        &self,
        limit: usize,
    ) -> Result<(Vec<PermanentSet>, Vec<PermanentSet>), HistoryError> {
        self.read(|connection| {
            let Some(present) = state(connection, "permanent")? else {
                return Ok((Vec::new(), Vec::new()));
            };
            let present: i64 = present.parse().unwrap_or(0);
            let list = |order: &str| -> rusqlite::Result<Vec<PermanentSet>> {
                let query = format!(
                    "SELECT place, at, builds FROM permanent JOIN sets ON sets.id = set_id WHERE place {order} LIMIT ?2"
                );
                let mut query = connection.prepare_cached(&query)?;
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = query.query_map([present, limit], |row| {
                    Ok(PermanentSet {
                        place: row.get(0)?,
                        at: row.get(1)?,
                        builds: from_json(row.get(2)?)?,
                    })
                })?;
                rows.collect()
            };
            Ok((list("<= ?1 ORDER BY place DESC")?, list("> ?1 ORDER BY place")?))
        })
    }

    /// Returns the held sets, with reasons and times.
    pub(super) fn held(&self) -> Result<Vec<(Vec<SetBuild>, String, i64)>, HistoryError> {
        self.read(held)
    }

    /// Releases all held sets that `release` wants. Returns their number.
    pub(super) fn unhold(
        &mut self,
        release: impl Fn(&[SetBuild]) -> bool,
    ) -> Result<usize, HistoryError> {
        self.change(|change| {
            let mut query =
                change.prepare("SELECT set_id, builds FROM held JOIN sets ON id = set_id")?;
            let rows = query.query_map([], |row| {
                Ok((row.get::<_, i64>(0)?, from_json(row.get(1)?)?))
            })?;
            let all: Vec<(i64, Vec<SetBuild>)> = rows.collect::<rusqlite::Result<_>>()?;
            let released = all.iter().filter(|(_, builds)| release(builds));
            let mut count = 0;
            for (id, _) in released {
                count += run(change, "DELETE FROM held WHERE set_id = ?1", [id])?;
                // It counts as new.
                run(
                    change,
                    "DELETE FROM state WHERE name = 'tried' AND value = ?1",
                    [id.to_string()],
                )?;
            }
            Ok(count)
        })
    }

    /// Makes the permanent set at this place the present one, for a host that is not running. It is also what is tried.
    pub(super) fn move_to(&mut self, place: i64) -> Result<(), HistoryError> {
        self.change(|change| set_state(change, "permanent", &place.to_string()))
    }

    /// Makes a set permanent, for a host that is not running.
    pub(super) fn append(&mut self, builds: &[SetBuild]) -> Result<(), HistoryError> {
        self.change(|change| {
            let set = insert_set(change, &key(&set_of(builds)), &to_json(&builds))?;
            promote(change, &set, None)
        })
    }

    /// Makes the set and the patches that are on trial permanent, for a host that is not running. Returns false if there are
    /// none.
    pub(super) fn confirm(&mut self) -> Result<bool, HistoryError> {
        self.change(|change| {
            let set = state(change, "on_trial")?;
            let is_any = set.is_some() || state(change, PATCHES_ON_TRIAL)?.is_some();
            promote_patches(change)?;
            if let Some(set) = set {
                promote(change, &set, None)?;
            }
            Ok(is_any)
        })
    }

    /// Keeps the patches that the next start applies, at once or when the rollback window has closed well.
    pub(super) fn keep_patches(
        &mut self,
        patches: &StoredPatches,
        provisional: bool,
    ) -> Result<(), HistoryError> {
        self.change(|change| {
            set_json(change, PATCHES_ON_TRIAL, patches)?;
            match provisional {
                true => Ok(()),
                false => promote_patches(change),
            }
        })
    }

    /// Keeps a build for the live data that it has saved.
    pub(super) fn keep_data_build(&mut self, build: SetBuild) -> Result<(), HistoryError> {
        self.change(|change| {
            let mut builds: Vec<SetBuild> = json(change, DATA_BUILDS)?;
            builds.retain(|known| known.build != build.build);
            builds.push(build);
            set_json(change, DATA_BUILDS, &builds)
        })
    }

    /// Forgets a build that was kept for its live data.
    pub(super) fn drop_data_build(&mut self, build: BuildId) -> Result<(), HistoryError> {
        self.change(|change| {
            let mut builds: Vec<SetBuild> = json(change, DATA_BUILDS)?;
            builds.retain(|known| known.build != build);
            set_json(change, DATA_BUILDS, &builds)
        })
    }

    /// Returns the builds that are kept for their live data.
    pub(super) fn data_builds(&self) -> Result<Vec<SetBuild>, HistoryError> {
        self.read(|connection| json(connection, DATA_BUILDS))
    }

    /// Returns the builds that must not be removed: of what is permanent, tried, or on trial, of the last `sets`
    /// permanent sets in either direction, and those that are kept for their live data.
    pub(super) fn needed_builds(&self, sets: usize) -> Result<Needed, HistoryError> {
        let (before, after) = self.permanents(sets)?;
        let mut needed: Needed = before
            .iter()
            .chain(&after)
            .flat_map(|set| set.builds.iter().map(|b| b.build))
            .collect();
        self.read(|connection| {
            for name in ["tried", "on_trial"] {
                if let Some(id) = state(connection, name)? {
                    needed.extend(builds(connection, &id)?.iter().map(|b| b.build));
                }
            }
            let data_builds: Vec<SetBuild> = json(connection, DATA_BUILDS)?;
            needed.extend(data_builds.iter().map(|b| b.build));
            Ok(())
        })?;
        Ok(needed)
    }

    /// Returns the last attempts, the newest first.
    pub(super) fn entries(&self, limit: usize) -> Result<Vec<Entry>, HistoryError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT id, began, took, cause, pid, user, from_set, to_set, options, steps, result, detail, deployment
                 FROM attempts ORDER BY id DESC LIMIT ?1",
            )?;
            let rows = query.query_map([limit as i64], |row| {
                let result: String = row.get(10)?;
                Ok(Entry {
                    id: row.get(0)?,
                    began: time(row.get(1)?),
                    took: row.get(2)?,
                    cause: row.get(3)?,
                    pid: row.get(4)?,
                    user: row.get(5)?,
                    from: from_json(row.get(6)?)?,
                    to: from_json(row.get(7)?)?,
                    options: row.get(8)?,
                    steps: from_json(row.get(9)?)?,
                    result: EntryResult::of(&result),
                    detail: row.get(11)?,
                    deployment: row.get(12)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Sums up the attempts of the last period, by the clock of the machine.
    pub(super) fn summary(&self, period: Duration) -> Result<Summary, HistoryError> {
        let now = millis(SystemTime::now());
        let since = now.saturating_sub(period.as_millis().try_into().unwrap_or(i64::MAX));
        self.read(|connection| {
            // The clock may have been set back since. An attempt that would have begun later than now counts as one that
            // began with the next one whose time can be true.
            let count = "SELECT count(*), coalesce(avg(took), 0), coalesce(max(took), 0),
                    coalesce(sum(result = 'permanent'), 0), coalesce(sum(result = 'refused'), 0),
                    coalesce(sum(result IN ('reverted', 'not_reverted', 'died')), 0)
                 FROM attempts WHERE began >= ?1
                 AND (began <= ?2 OR ?1 <= coalesce(
                    (SELECT next.began FROM attempts next WHERE next.id > attempts.id AND next.began <= ?2
                     ORDER BY next.id LIMIT 1), ?2))
                 AND result IN ('permanent', 'refused', 'reverted', 'not_reverted', 'died', 'superseded', 'interrupted')";
            connection.query_row(count, [since, now], |row| {
                Ok(Summary {
                    attempts: row.get::<_, i64>(0)? as u64,
                    mean: row.get(1)?,
                    longest: row.get(2)?,
                    permanent: row.get::<_, i64>(3)? as u64,
                    refused: row.get::<_, i64>(4)? as u64,
                    reverted: row.get::<_, i64>(5)? as u64,
                })
            })
        })
    }
}

/// Writes an attempt. Returns its row.
fn insert(
    change: &Transaction<'_>,
    attempt: &Attempt,
    trial: Option<&Trial<'_>>,
    result: EntryResult,
    detail: &str,
) -> rusqlite::Result<i64> {
    let set = |set: &BuildSet| {
        let builds = set.iter().map(|(plugin, build)| (plugin.as_str(), build));
        to_json(&builds.collect::<BTreeMap<_, _>>())
    };
    let nothing = BuildSet::new();
    let (from, to) = match trial {
        Some(trial) => (set(&trial.from), set(&trial.set())),
        None => (set(&nothing), set(&nothing)),
    };
    run(
        change,
        "INSERT INTO attempts
         (number, began, took, cause, pid, user, from_set, to_set, options, steps, result, detail, deployment)
         VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, '[]', ?9, ?10, ?11)",
        params![
            attempt.number as i64,
            millis(attempt.began),
            attempt.cause,
            std::process::id(),
            user(),
            from,
            to,
            trial.map(|trial| to_json(trial.options)),
            result.name(),
            detail,
            attempt.deployment,
        ],
    )?;
    Ok(change.last_insert_rowid())
}

/// Writes the end of an attempt.
fn finish(
    change: &Transaction<'_>,
    attempt: Attempt,
    result: EntryResult,
    detail: &str,
) -> rusqlite::Result<()> {
    let row = match attempt.row {
        Some(row) => row,
        None => insert(change, &attempt, None, result, detail)?,
    };
    let steps = attempt.steps.iter();
    let steps = steps.map(|step| (step.step.to_string(), step.took.as_secs_f64(), step.failed));
    let took: f64 = attempt
        .steps
        .iter()
        .map(|step| step.took.as_secs_f64())
        .sum();
    run(
        change,
        "UPDATE attempts SET took = ?2, steps = ?3, result = ?4, detail = ?5 WHERE id = ?1",
        params![
            row,
            took,
            to_json(&steps.collect::<Vec<_>>()),
            result.name(),
            detail
        ],
    )?;
    Ok(())
}

/// Makes a set permanent. A rollback moves to the place where the set was permanent before; anything else comes after
/// the present place, and takes the way back to what came there.
fn promote(change: &Transaction<'_>, set: &str, destination: Option<i64>) -> rusqlite::Result<()> {
    unset(change, "on_trial")?;
    set_state(change, "tried", set)?;
    run(change, "DELETE FROM held WHERE set_id = ?1", [set])?;
    let present = state(change, "permanent")?;
    let place = match destination {
        Some(place) => place,
        None => {
            let present: i64 = present.and_then(|place| place.parse().ok()).unwrap_or(0);
            run(change, "DELETE FROM permanent WHERE place > ?1", [present])?;
            let at = millis(SystemTime::now());
            run(
                change,
                "INSERT INTO permanent (set_id, at) VALUES (?1, ?2)",
                params![set, at],
            )?;
            change.last_insert_rowid()
        }
    };
    set_state(change, "permanent", &place.to_string())
}

/// Makes the patches that are on trial permanent, if there are any.
fn promote_patches(change: &Transaction<'_>) -> rusqlite::Result<()> {
    let Some(patches) = state(change, PATCHES_ON_TRIAL)? else {
        return Ok(());
    };
    unset(change, PATCHES_ON_TRIAL)?;
    set_state(change, PATCHES, &patches)
}

fn hold(change: &Transaction<'_>, set: &str, reason: &str) -> rusqlite::Result<()> {
    let at = millis(SystemTime::now());
    run(
        change,
        "INSERT OR REPLACE INTO held (set_id, reason, at) VALUES (?1, ?2, ?3)",
        params![set, reason, at],
    )?;
    Ok(())
}

fn held(connection: &Connection) -> rusqlite::Result<Vec<(Vec<SetBuild>, String, i64)>> {
    let mut query = connection
        .prepare("SELECT builds, reason, at FROM held JOIN sets ON id = set_id ORDER BY set_id")?;
    let rows = query.query_map([], |row| {
        Ok((from_json(row.get(0)?)?, row.get(1)?, row.get(2)?))
    })?;
    rows.collect()
}

/// Returns the number of a set, as text. The set is written if it is new.
fn set_id(change: &Transaction<'_>, trial: &Trial<'_>) -> rusqlite::Result<String> {
    let builds = trial.builds.iter().map(|build| SetBuild {
        plugin: build.plugin.to_string(),
        build: build.build_id,
        file: build.file.to_owned(),
        deployed: build.deployed,
    });
    insert_set(
        change,
        &key(&trial.set()),
        &to_json(&builds.collect::<Vec<_>>()),
    )
}

fn insert_set(change: &Transaction<'_>, key: &str, builds: &str) -> rusqlite::Result<String> {
    run(
        change,
        "INSERT INTO sets (key, builds) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET builds = ?2",
        params![key, builds],
    )?;
    let mut query = change.prepare_cached("SELECT id FROM sets WHERE key = ?1")?;
    let id: i64 = query.query_row([key], |row| row.get(0))?;
    Ok(id.to_string())
}

fn builds(connection: &Connection, set: &str) -> rusqlite::Result<Vec<SetBuild>> {
    let mut query = connection.prepare_cached("SELECT builds FROM sets WHERE id = ?1")?;
    query.query_row([set], |row| from_json(row.get(0)?))
}

/// Returns the builds of a stored set, by plugin.
pub(super) fn set_of(builds: &[SetBuild]) -> BuildSet {
    let builds = builds.iter();
    builds
        .map(|b| (PluginName::from(b.plugin.as_str()), b.build))
        .collect()
}

fn state(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut query = connection.prepare_cached("SELECT value FROM state WHERE name = ?1")?;
    query.query_row([name], |row| row.get(0)).optional()
}

/// Runs a statement, which is parsed once. Returns the number of rows that it has changed.
pub(super) fn run(
    change: &Transaction<'_>,
    statement: &str,
    values: impl Params,
) -> rusqlite::Result<usize> {
    change.prepare_cached(statement)?.execute(values)
}

fn set_state(change: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    let text = "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)";
    run(change, text, [name, value]).map(drop)
}

fn unset(change: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    run(change, "DELETE FROM state WHERE name = ?1", [name]).map(drop)
}

pub(super) fn set_json(
    change: &Transaction<'_>,
    name: &str,
    value: &impl Serialize,
) -> rusqlite::Result<()> {
    set_state(change, name, &to_json(value))
}

fn json<T: Default + for<'d> Deserialize<'d>>(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<T> {
    state(connection, name)?.map_or(Ok(T::default()), from_json)
}

fn to_json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("these values have a form in JSON")
}

fn from_json<T: for<'d> Deserialize<'d>>(text: String) -> rusqlite::Result<T> {
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

pub(super) fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

/// Returns the time that this number of milliseconds means.
pub(super) fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis.max(0) as u64)
}

/// The name of the user, as far as the environment has it.
fn user() -> String {
    std::env::var("USER").unwrap_or_default()
}
