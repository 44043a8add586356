//! The audit: who has asked the host for what, and with which result, in records that are chained by their hashes.
//!
//! A record is a text in JSON, and its hash is the SHA-256 of the hash before it and this text. The first one follows 64
//! zeros. So a record cannot be changed, removed, or put between two others without a break, unless all later hashes are
//! made anew. Against that, a copy of each record goes to a place that the host's user cannot change: see
//! [`Journald`](super::Journald).
use super::database::{Database, millis, run, set_json, time};
use super::error::HistoryError;
use super::{History, State};
use hotswap_host::{Cause, Requester};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::SystemTime;

/// The hash before the first one.
const BEFORE_ALL: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The state with the number and the hash of the last record.
const LAST: &str = "audit_last";
/// The longest text of a record, in bytes. What is longer is cut.
const LONGEST: usize = 2048;
/// What is read of a record. Somebody may have written a value of another type.
const COLUMNS: &str = "SELECT id, CAST(record AS TEXT), CAST(hash AS TEXT) FROM audit";
/// The number of records that are read at a time.
const PAGE: usize = 1000;

/// A request, as it is given to the [audit](History::record).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Who has asked, for which deployment, and why.
    pub by: Requester,
    /// The request in a few words, such as `drain pages`.
    pub what: String,
    /// The details of the request, in JSON, if it has some.
    pub details: Option<String>,
    /// The result.
    pub result: AuditResult,
    /// The report or the error.
    pub outcome: String,
    /// The number of the record with which the request began.
    pub begun: Option<i64>,
}

/// The result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditResult {
    /// The host has begun with it. Another record has the end, unless the host has died.
    Begun,
    /// The host has done it.
    Done,
    /// The host has refused it, and goes on as it is.
    Refused,
    /// The caller may not ask for it.
    Denied,
    /// The request makes no sense, or names what is not there.
    Invalid,
    /// The endpoint has failed.
    Failed,
    /// A result that this version does not know.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for AuditResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            AuditResult::Begun => "begun",
            AuditResult::Done => "done",
            AuditResult::Refused => "refused",
            AuditResult::Denied => "denied",
            AuditResult::Invalid => "invalid",
            AuditResult::Failed => "failed",
            AuditResult::Unknown => "unknown",
        })
    }
}

/// A record of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditRecord {
    /// The number of the record. The first one has number 1.
    pub id: i64,
    /// The time, by the clock of the machine.
    pub at: SystemTime,
    /// Who has asked: a process with its user, the subject of a certificate, or the id of a token.
    pub who: String,
    /// The request in a few words, such as `drain pages`.
    pub what: String,
    /// The details of the request, in JSON, if it has some.
    pub details: Option<String>,
    /// The result.
    pub result: AuditResult,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The id of the deployment that was given.
    pub deployment: Option<String>,
    /// The report or the error.
    pub outcome: String,
    /// The number of the record with which the request began.
    pub begun: Option<i64>,
    /// The hash of the record, and so of all before it.
    pub hash: String,
    /// The text that is hashed.
    #[serde(skip)]
    pub text: String,
}

/// For example, `#8 process 7 of user 0 (deployment r7): slow: reload: done: world: reloaded`.
impl fmt::Display for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {}: {}: {}",
            self.id,
            self.by(),
            self.what,
            self.result
        )?;
        match self.outcome.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.outcome),
        }
    }
}

impl AuditRecord {
    /// Returns who has asked, for which deployment, and why.
    pub fn by(&self) -> Requester {
        let mut by = Requester::new(&self.who);
        by.reason.clone_from(&self.reason);
        by.deployment.clone_from(&self.deployment);
        by
    }

    fn read(id: i64, text: String, hash: String) -> Option<Self> {
        let hashed: Hashed = serde_json::from_str(&text).ok()?;
        (hashed.id == id).then_some(AuditRecord {
            id,
            at: time(hashed.at),
            who: hashed.who,
            what: hashed.what,
            details: hashed.details,
            result: hashed.result,
            reason: hashed.reason,
            deployment: hashed.deployment,
            outcome: hashed.outcome,
            begun: hashed.begun,
            hash,
            text,
        })
    }
}

/// What is hashed of a record.
#[derive(Serialize, Deserialize)]
struct Hashed {
    id: i64,
    /// Milliseconds since 1970.
    at: i64,
    who: String,
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<String>,
    result: AuditResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deployment: Option<String>,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<i64>,
}

/// The number, the text, and the hash of a record.
type Written = (i64, String, String);

/// The end of the chain.
#[derive(Clone, Serialize, Deserialize)]
struct End {
    id: i64,
    hash: String,
}

/// Whether all records of the audit are there as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditCheck {
    /// The number of records that follow each other from the first one on.
    pub records: u64,
    /// The hash of the last of them.
    pub hash: Option<String>,
    /// The first break.
    pub broken: Option<AuditBreak>,
}

/// The first break in the chain of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditBreak {
    /// A record is missing before one that is there.
    Missing {
        /// The number of the missing record.
        id: i64,
    },
    /// A record does not have the hash that follows from the hash before it.
    Changed {
        /// The number of the record.
        id: i64,
    },
    /// The last records are missing.
    Cut {
        /// The number of the first missing record.
        id: i64,
        /// The number of the last record that was written.
        last: i64,
    },
}

impl AuditBreak {
    /// Returns the number of the record that is missing, or does not have its hash.
    pub fn id(&self) -> i64 {
        match self {
            AuditBreak::Missing { id }
            | AuditBreak::Changed { id }
            | AuditBreak::Cut { id, .. } => *id,
        }
    }
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditBreak::Missing { id } => write!(f, "record {id} is missing"),
            AuditBreak::Changed { id: 1 } => {
                f.write_str("record 1 does not have its hash: it was changed")
            }
            AuditBreak::Changed { id } => write!(
                f,
                "record {id} does not have the hash that follows from record {}: one of them was changed",
                id - 1
            ),
            AuditBreak::Cut { id, last } => write!(
                f,
                "record {id} is missing, and all after it up to {last}, which was the last one"
            ),
        }
    }
}

impl History {
    /// Adds a record to the audit, and returns its number. It is on the disk when this returns.
    ///
    /// The control endpoint records each request that changes something. A host that has another way to be asked records
    /// it with this.
    ///
    /// ```no_run
    /// # use hotswap_operate::{AuditEntry, AuditResult, History, HistoryError};
    /// # fn run(history: &History) -> Result<(), HistoryError> {
    /// let entry = AuditEntry::new("the operator on duty", "reload", AuditResult::Done);
    /// history.record(entry)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn record(&self, entry: AuditEntry) -> Result<i64, HistoryError> {
        let mut state = self.state();
        let record = state.database.change(|change| insert(change, entry))?;
        state.copy(&record);
        Ok(record.id)
    }

    /// Returns the last records of the audit, the newest first. `verify_audit` says whether they are as they were written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditRecord>, HistoryError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let state = self.state();
        state.database.read(|connection| {
            let mut query =
                connection.prepare_cached(&format!("{COLUMNS} ORDER BY id DESC LIMIT ?1"))?;
            let rows = query.query_map([limit], written)?;
            let records = rows.map(|row| {
                let (id, text, hash) = row?;
                Ok(AuditRecord::read(id, text, hash))
            });
            records.filter_map(Result::transpose).collect()
        })
    }

    /// Checks whether all records of the audit are there as they were written.
    ///
    /// Whoever can write the directory can make all hashes anew. So compare the last hash, or any other, with the copy that
    /// [`copy_audit`](Self::copy_audit) has made elsewhere.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn verify_audit(&self) -> Result<AuditCheck, HistoryError> {
        let mut end = End {
            id: 0,
            hash: BEFORE_ALL.to_owned(),
        };
        let broken = loop {
            // The host writes meanwhile, so the lock is given back after each page.
            let page = page(&self.state().database, end.id)?;
            let is_last = page.len() < PAGE;
            if let Some(broken) = follow(&mut end, page) {
                break Some(broken);
            }
            if is_last {
                break self.cut(&end)?;
            }
        };
        Ok(AuditCheck {
            records: end.id as u64,
            hash: (end.id > 0).then_some(end.hash),
            broken,
        })
    }

    /// Returns the break if more records were written than are there.
    fn cut(&self, end: &End) -> Result<Option<AuditBreak>, HistoryError> {
        let state = self.state();
        let last = state.database.read(last)?;
        // One that was written since has changed the end.
        let there: i64 = state.database.read(|connection| {
            connection.query_row("SELECT coalesce(max(id), 0) FROM audit", [], |row| {
                row.get(0)
            })
        })?;
        Ok((last.id > there).then_some(AuditBreak::Cut {
            id: end.id + 1,
            last: last.id,
        }))
    }
}

impl AuditEntry {
    /// Returns an entry without details.
    pub fn new(by: impl Into<Requester>, what: impl Into<String>, result: AuditResult) -> Self {
        AuditEntry {
            by: by.into(),
            what: what.into(),
            details: None,
            result,
            outcome: String::new(),
            begun: None,
        }
    }
}

impl State {
    /// Records a reload by signal, which is a request like any other.
    pub(super) fn record_signal(
        &mut self,
        cause: &Cause,
        result: AuditResult,
        outcome: &str,
    ) -> Result<(), HistoryError> {
        let Cause::Signal { signal, sender } = cause else {
            return Ok(());
        };
        let who = sender.map_or_else(|| "an unknown process".into(), |it| it.to_string());
        let mut entry = AuditEntry::new(who, format!("reload by signal {signal}"), result);
        outcome.clone_into(&mut entry.outcome);
        let record = self.database.change(|change| insert(change, entry))?;
        self.copy(&record);
        Ok(())
    }

    /// Copies a record to where it cannot be changed, if that is wanted.
    pub(super) fn copy(&self, record: &AuditRecord) {
        #[cfg(unix)]
        if let Some(journald) = &self.journald
            && let Err(error) = journald.send(record)
        {
            tracing::error!(target: "hotswap", "a record of the audit was not copied to the journal of the system: {error}");
        }
        #[cfg(not(unix))]
        let _ = record;
    }
}

/// Adds a record to the chain.
pub(super) fn insert(change: &Transaction<'_>, entry: AuditEntry) -> rusqlite::Result<AuditRecord> {
    let before = last(change)?;
    let id = before.id + 1;
    let hashed = Hashed {
        id,
        at: millis(SystemTime::now()),
        who: shortened(entry.by.who),
        what: shortened(entry.what),
        details: entry.details.map(shortened),
        result: entry.result,
        reason: entry.by.reason.map(shortened),
        deployment: entry.by.deployment.map(shortened),
        outcome: shortened(entry.outcome),
        begun: entry.begun,
    };
    let text = serde_json::to_string(&hashed).expect("a record has a form in JSON");
    let hash = hash(&before.hash, &text);
    run(
        change,
        "INSERT INTO audit (id, record, hash) VALUES (?1, ?2, ?3)",
        params![id, text, hash],
    )?;
    let end = End {
        id,
        hash: hash.clone(),
    };
    set_json(change, LAST, &end)?;
    Ok(AuditRecord::read(id, text, hash).expect("the record was written by this function"))
}

/// Returns the end of the chain.
fn last(connection: &Connection) -> rusqlite::Result<End> {
    let mut query = connection.prepare_cached("SELECT value FROM state WHERE name = ?1")?;
    let text: Option<String> = query.query_row([LAST], |row| row.get(0)).optional()?;
    let end = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(end.unwrap_or_else(|| End {
        id: 0,
        hash: BEFORE_ALL.to_owned(),
    }))
}

/// Returns the records after the one with this number, as they are in the database.
fn page(database: &Database, after: i64) -> Result<Vec<Written>, HistoryError> {
    database.read(|connection| {
        let query = format!("{COLUMNS} WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut query = connection.prepare_cached(&query)?;
        let rows = query.query_map([after, PAGE as i64], written)?;
        rows.collect()
    })
}

/// Reads a record as it is in the database, whoever may have written it.
fn written(row: &Row<'_>) -> rusqlite::Result<Written> {
    let text = |column: usize| -> rusqlite::Result<String> {
        let bytes = row.get_ref(column)?.as_bytes()?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    };
    Ok((row.get(0)?, text(1)?, text(2)?))
}

/// Follows the chain over some records, up to a break.
fn follow(end: &mut End, records: Vec<Written>) -> Option<AuditBreak> {
    for (id, text, written) in records {
        if id != end.id + 1 {
            return Some(AuditBreak::Missing { id: end.id + 1 });
        }
        let hash = hash(&end.hash, &text);
        if hash != written || AuditRecord::read(id, text, written).is_none() {
            return Some(AuditBreak::Changed { id });
        }
        *end = End { id, hash };
    }
    None
}

fn hash(before: &str, text: &str) -> String {
    let hash = Sha256::new().chain_update(before).chain_update(text);
    format!("{:x}", hash.finalize())
}

/// Returns the text, or its beginning if it is too long.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
