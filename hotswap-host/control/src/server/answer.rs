//! What all paths have in common: the host that they ask, and the form of their answers.
use super::Host;
use crate::api::{Failure, FailureKind};
use axum::Json;
use axum::extract::State;
use hotswap_host::ReloadError;
use std::sync::Arc;
use tokio::task::JoinHandle;

pub(super) type Shared = State<Arc<Host>>;
pub(super) type Answer<T> = Result<Json<T>, Failure>;

/// Runs what may take long on a thread for that.
pub(super) async fn on_thread<T: Send + 'static>(
    host: &Arc<Host>,
    run: impl FnOnce(&Host) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let host = host.clone();
    joined(tokio::task::spawn_blocking(move || run(&host))).await
}

/// Waits for a task of the endpoint.
pub(super) async fn joined<T>(task: JoinHandle<Result<T, Failure>>) -> Result<T, Failure> {
    task.await.unwrap_or_else(|error| {
        let text = format!("the endpoint has failed, which is a bug in hotswap: {error}");
        Err(Failure::new(FailureKind::Internal, text))
    })
}

impl From<ReloadError> for Failure {
    fn from(error: ReloadError) -> Self {
        let kind = match error {
            ReloadError::NotLoaded { .. } => FailureKind::NotFound,
            _ => FailureKind::Refused,
        };
        Failure::new(kind, error.to_string()).because(error.reason())
    }
}
