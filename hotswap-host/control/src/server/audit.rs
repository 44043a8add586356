//! The paths of the audit.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::history::history_of;
use super::input::Params;
use crate::api::{AuditCheck, AuditRecord, Failure};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The number of records that are shown if the request does not say.
const SHOWN: usize = 100;

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(audit)).routes(routes!(check))
}

/// The records that are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<usize>,
}

/// Returns the last records of the audit: the requests that have changed something, were to, or were refused. The newest
/// one comes first.
#[utoipa::path(get, path = "/v1/audit",
    params(("limit" = Option<usize>, Query, description = "The number of records. By default, it is 100.")),
    responses(
        (status = 200, body = Vec<AuditRecord>),
        (status = 404, body = Failure, description = "the host keeps no history"),
        (status = 409, body = Failure, description = "the history cannot be read"),
    )
)]
async fn audit(State(host): Shared, Params(wanted): Params<Wanted>) -> Answer<Vec<AuditRecord>> {
    let records = on_thread(&host, move |host| {
        let records = history_of(host)?.audit(wanted.limit.unwrap_or(SHOWN))?;
        Ok(records.into_iter().map(AuditRecord::from).collect())
    });
    records.await.map(Json)
}

/// Checks whether all records of the audit are there as they were written.
#[utoipa::path(get, path = "/v1/audit/check", responses(
    (status = 200, body = AuditCheck),
    (status = 404, body = Failure, description = "the host keeps no history"),
    (status = 409, body = Failure, description = "the history cannot be read"),
))]
async fn check(State(host): Shared) -> Answer<AuditCheck> {
    let check = on_thread(&host, |host| {
        Ok(AuditCheck::from(history_of(host)?.verify_audit()?))
    });
    check.await.map(Json)
}
