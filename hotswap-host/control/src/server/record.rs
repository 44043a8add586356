//! What the audit gets, in a host that has a history.
use super::Host;
use super::asked::Asked;
use super::limit::Verdict;
use crate::api::{Failure, FailureKind};

/// How far a request is.
#[derive(Clone, Copy)]
enum State<'a> {
    Begun,
    Done { told: &'a str },
    Failed(&'a Failure),
}

/// Records that the host begins with a request. Returns the number of the record, or 0 if the host has no history.
///
/// # Errors
/// The record cannot be written. What is not recorded is not done.
pub(super) fn begun(host: &Host, asked: &Asked) -> Result<i64, Failure> {
    write(host, asked, State::Begun, 0).map_err(|error| {
        let text = format!("the request cannot be recorded, so nothing was done: {error}");
        Failure::new(FailureKind::Refused, text)
    })
}

/// Records how the request has ended that has begun with this record.
pub(super) fn ended(host: &Host, asked: &Asked, begun: i64, result: Result<&str, &Failure>) {
    let state = match result {
        Ok(told) => State::Done { told },
        Err(failure) => State::Failed(failure),
    };
    if let Err(error) = write(host, asked, state, begun) {
        tracing::error!(target: "hotswap", "the audit of this host has a gap, because a result cannot be recorded: {error}");
    }
}

/// Records that a file was taken, or why not. As with other requests that change nothing in what runs, a limited number of
/// refusals is recorded.
#[cfg(feature = "history")]
pub(super) fn upload(host: &Host, asked: &Asked, result: Result<&str, &Failure>) {
    match result {
        Ok(told) => ended(host, asked, 0, Ok(told)),
        Err(failure) => refused(host, asked, 0, failure),
    }
}

/// Records that a request was refused. Those with which the host has not begun are recorded, and logged, a limited number of
/// times, because strangers can send them.
pub(super) fn refused(host: &Host, asked: &Asked, begun: i64, failure: &Failure) {
    if begun > 0 {
        return ended(host, asked, begun, Err(failure));
    }
    let mut failure = failure.clone();
    match host.refusals.count() {
        Verdict::TooMany => return,
        Verdict::Record { left_out: 0 } => {}
        Verdict::Record { left_out } => {
            let more = format!("; {left_out} refused requests before this one were not recorded");
            failure.message += &more;
        }
    }
    let (by, what) = (&asked.by, &asked.what);
    tracing::warn!(target: "hotswap", "a request was refused: {by}: {what}: {failure}");
    ended(host, asked, 0, Err(&failure));
}

#[cfg(feature = "history")]
fn write(
    host: &Host,
    asked: &Asked,
    state: State<'_>,
    begun: i64,
) -> Result<i64, hotswap_operate::HistoryError> {
    use hotswap_operate::{AuditEntry, AuditResult};
    let (result, outcome) = match state {
        State::Begun => (AuditResult::Begun, ""),
        State::Done { told } => (AuditResult::Done, told),
        State::Failed(failure) => {
            let result = match failure.kind {
                FailureKind::Refused => AuditResult::Refused,
                FailureKind::Forbidden | FailureKind::Unauthorized => AuditResult::Denied,
                FailureKind::Request | FailureKind::NotFound => AuditResult::Invalid,
                FailureKind::Internal | FailureKind::Unknown => AuditResult::Failed,
            };
            (result, &*failure.message)
        }
    };
    let Some(history) = &host.history else {
        return Ok(0);
    };
    let mut entry = AuditEntry::new(&asked.by, &asked.what, result);
    entry.details.clone_from(&asked.details);
    outcome.clone_into(&mut entry.outcome);
    entry.begun = (begun > 0).then_some(begun);
    history.record(entry)
}

/// Without a history, the log has it.
#[cfg(not(feature = "history"))]
fn write(
    _: &Host,
    asked: &Asked,
    state: State<'_>,
    _: i64,
) -> Result<i64, std::convert::Infallible> {
    let Asked {
        by, what, details, ..
    } = asked;
    let details = details.as_deref().unwrap_or_default();
    let state = match state {
        State::Begun => "begun",
        State::Done { told } => told,
        State::Failed(failure) => &*failure.message,
    };
    tracing::debug!(target: "hotswap", "{by}: {what} {details}: {state}");
    Ok(0)
}
