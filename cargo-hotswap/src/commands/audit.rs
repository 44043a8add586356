//! `cargo hotswap audit`: who has asked a host for what, from the running host or from its state directory.

use std::time::{SystemTime, UNIX_EPOCH};

use hotswap_operate::{AuditCheck, AuditRecord};
use serde::Serialize;

use super::history::{directory, open};
use super::table::{length, table};
use crate::Error;
#[cfg(feature = "control")]
use crate::chosen;
use crate::cli::{AuditAction, AuditArgs, HistoryOf};
use crate::error::exit;
use crate::session::Session;

/// A record, as `--json` prints it.
#[derive(Serialize)]
struct Record {
    id: i64,
    at: f64,
    who: String,
    what: String,
    details: Option<String>,
    result: String,
    reason: Option<String>,
    deployment: Option<String>,
    outcome: String,
    begun: Option<i64>,
    hash: String,
    record: String,
}

/// A check, as `--json` prints it.
#[derive(Serialize)]
struct Check {
    records: u64,
    hash: Option<String>,
    broken: Option<Break>,
}

/// The first break of a chain.
#[derive(Serialize)]
struct Break {
    id: i64,
    text: String,
}

/// Lists the records, or checks them.
pub(crate) fn execute(session: &Session, args: &AuditArgs) -> Result<u8, Error> {
    match &args.action {
        Some(AuditAction::Verify { of, json }) => verify(session, of, *json),
        None => list(session, args),
    }
}

fn list(session: &Session, args: &AuditArgs) -> Result<u8, Error> {
    let records = records(session, &args.of, args.limit)?;
    if args.json {
        session.ui.json(&records);
        return Ok(exit::SUCCESS);
    }
    let head = ["ID", "AGO", "WHO", "WHAT", "RESULT", "DEPLOYMENT", "WHY"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head)
        .chain(records.iter().map(row))
        .collect();
    session.ui.result(table(&rows));
    Ok(exit::SUCCESS)
}

fn row(record: &Record) -> [String; 7] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let ago = now.unwrap_or_default().as_secs_f64() - record.at;
    let why = match (&record.reason, record.outcome.lines().next()) {
        (Some(reason), None) => reason.clone(),
        (Some(reason), Some(outcome)) => format!("{reason}; {outcome}"),
        (None, outcome) => outcome.unwrap_or_default().to_owned(),
    };
    [
        record.id.to_string(),
        length(ago.max(0.0) as u64),
        record.who.clone(),
        record.what.clone(),
        record.result.clone(),
        record.deployment.clone().unwrap_or_default(),
        why,
    ]
}

fn verify(session: &Session, of: &HistoryOf, json: bool) -> Result<u8, Error> {
    let check = checked(session, of)?;
    if json {
        session.ui.json(&check);
    }
    let records = match check.records {
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    };
    match (check.broken, check.hash) {
        (Some(broken), _) => Err(Error::BrokenAudit {
            whole: records,
            broken: broken.text,
        }),
        (None, _) if json => Ok(exit::SUCCESS),
        (None, None) => {
            session.ui.result("nothing was recorded yet");
            Ok(exit::SUCCESS)
        }
        (None, Some(hash)) => {
            let text = format_args!("{records} as they were written; the last hash is {hash}");
            session.ui.result(text);
            Ok(exit::SUCCESS)
        }
    }
}

fn records(session: &Session, of: &HistoryOf, limit: usize) -> Result<Vec<Record>, Error> {
    #[cfg(feature = "control")]
    let Some(_) = &of.state_dir else {
        let records = chosen::client(session, &of.host)?.audit(limit)?;
        return Ok(records.into_iter().map(Record::from).collect());
    };
    let records = open(session, directory(of))?.audit(limit)?;
    Ok(records.into_iter().map(Record::from).collect())
}

fn checked(session: &Session, of: &HistoryOf) -> Result<Check, Error> {
    #[cfg(feature = "control")]
    let Some(_) = &of.state_dir else {
        return Ok(chosen::client(session, &of.host)?.check_audit()?.into());
    };
    Ok(open(session, directory(of))?.verify_audit()?.into())
}

impl From<AuditRecord> for Record {
    fn from(record: AuditRecord) -> Self {
        let at = record.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Record {
            id: record.id,
            at: at.as_secs_f64(),
            who: record.who,
            what: record.what,
            details: record.details,
            result: record.result.to_string(),
            reason: record.reason,
            deployment: record.deployment,
            outcome: record.outcome,
            begun: record.begun,
            hash: record.hash,
            record: record.text,
        }
    }
}

impl From<AuditCheck> for Check {
    fn from(check: AuditCheck) -> Self {
        Check {
            records: check.records,
            hash: check.hash,
            broken: check.broken.map(|broken| Break {
                id: broken.id(),
                text: broken.to_string(),
            }),
        }
    }
}

#[cfg(feature = "control")]
impl From<hotswap_control::api::AuditRecord> for Record {
    fn from(record: hotswap_control::api::AuditRecord) -> Self {
        Record {
            id: record.id,
            at: record.at,
            who: record.who,
            what: record.what,
            details: record.details,
            result: record.result,
            reason: record.reason,
            deployment: record.deployment,
            outcome: record.outcome,
            begun: record.begun,
            hash: record.hash,
            record: record.record,
        }
    }
}

#[cfg(feature = "control")]
impl From<hotswap_control::api::AuditCheck> for Check {
    fn from(check: hotswap_control::api::AuditCheck) -> Self {
        Check {
            records: check.records,
            hash: check.hash,
            broken: check.broken.map(|broken| Break {
                id: broken.id,
                text: broken.text,
            }),
        }
    }
}
