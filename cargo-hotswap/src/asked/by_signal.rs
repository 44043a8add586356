//! A reload of a host that has no control endpoint.

use std::time::Duration;

use hotswap_host::runtime::RunningHost;
use serde_json::json;

use super::{Asked, Ended};
use crate::session::Session;
use crate::topic::Topic;
use crate::{Error, hosts};

/// How long an answer may take if nothing is said about it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a host reload by its signal, and prints its report.
pub(super) fn reload(session: &Session, host: &RunningHost, asked: &Asked) -> Result<Ended, Error> {
    let attempt = hosts::reload(session, host, asked.patience.unwrap_or(PATIENCE))?;
    match asked.json {
        true => session.ui.json(&json!({
            "pid": host.pid,
            "through": "signal",
            "result": if attempt.ok { "completed" } else { "refused" },
            "text": attempt.text,
            "report": null,
            "verdict": null,
        })),
        false => session.ui.result(&attempt.text),
    }
    Ok(match attempt.ok {
        true => Ended::Well,
        false => Ended::Refused(attempt.reason.as_deref().and_then(Topic::of_reason)),
    })
}
