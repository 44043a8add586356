//! The paths that need the history of the host.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::input::Params;
use crate::api::{Attempt, Failure, FailureKind, Report, RollbackRequest};
use axum::Json;
use axum::extract::State;
use hotswap_host::{ReloadError, Requester};
use hotswap_operate::{History, HistoryError};
use serde::Deserialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The number of attempts that are shown if the request does not say.
const SHOWN: usize = 20;

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(history))
}

pub(super) fn history_of(host: &Host) -> Result<&History, Failure> {
    let history = host.history.as_deref();
    history.ok_or_else(|| {
        let text = "this host keeps no history; `Control::history` gives the endpoint one";
        Failure::new(FailureKind::NotFound, text)
    })
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        let reason = match &error {
            HistoryError::Reload(error) => Some(error.reason()),
            HistoryError::Database { .. } | HistoryError::File { .. } => Some("journal"),
            _ => None,
        };
        let kind = match error {
            HistoryError::NoPlugin { .. } | HistoryError::Reload(ReloadError::NotLoaded { .. }) => {
                FailureKind::NotFound
            }
            _ => FailureKind::Refused,
        };
        let failure = Failure::new(kind, error.to_string());
        match reason {
            Some(reason) => failure.because(reason),
            None => failure,
        }
    }
}

/// The attempts that are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<usize>,
}

/// Returns the last attempts to make a generation, also those of earlier processes. The newest one comes first.
#[utoipa::path(get, path = "/v1/history",
    params(("limit" = Option<usize>, Query, description = "The number of attempts. By default, it is 20.")),
    responses(
        (status = 200, body = Vec<Attempt>),
        (status = 404, body = Failure, description = "the host keeps no history"),
        (status = 409, body = Failure, description = "the history cannot be read"),
    )
)]
async fn history(State(host): Shared, Params(wanted): Params<Wanted>) -> Answer<Vec<Attempt>> {
    let attempts = on_thread(&host, move |host| {
        let entries = history_of(host)?.entries(wanted.limit.unwrap_or(SHOWN))?;
        Ok(entries.iter().map(Attempt::from).collect())
    });
    attempts.await.map(Json)
}

pub(super) fn has_history(host: &Host) -> bool {
    host.history.is_some()
}

/// Goes back to builds that were permanent. `by` says who asked for it.
pub(super) fn roll_back(
    host: &Host,
    request: &RollbackRequest,
    by: &Requester,
) -> Result<Report, Failure> {
    let (history, swapper) = (history_of(host)?, &host.swapper);
    let report = match &request.plugin {
        Some(plugin) => history.rollback_plugin_by(swapper, plugin, request.build.as_deref(), by),
        None => history.rollback_by(swapper, request.steps.unwrap_or(1), by),
    };
    Ok(Report::from(&report?))
}
