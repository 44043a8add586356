//! The log of the host.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::asked::{Asked, Told, change};
use super::input::Input;
use crate::api::{Failure, FailureKind, LogRequest, LogSettings};
use axum::Json;
use axum::extract::{Extension, State};
use hotswap_log::{Log, LogError, LogFile, LogOptions};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(log, set_log))
}

fn log_of(host: &Host) -> Result<&Log, Failure> {
    host.host_log.as_ref().ok_or_else(|| {
        let text =
            "this host does not let its log be changed; `Control::log` gives it to the endpoint";
        Failure::new(FailureKind::NotFound, text)
    })
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        let kind = match error {
            LogError::File { .. } => FailureKind::Refused,
            _ => FailureKind::Request,
        };
        Failure::new(kind, error.to_string())
    }
}

impl From<&LogOptions> for LogSettings {
    fn from(options: &LogOptions) -> Self {
        let file = options.file.as_ref();
        LogSettings {
            text: options.to_string(),
            filter: options.filter.clone(),
            console: options.console.to_string(),
            file: file.map(|file| file.path.display().to_string()),
            rotation: file.map(|file| file.rotation.to_string()),
            keep: file.map(|file| file.keep),
        }
    }
}

impl Told for LogSettings {
    fn told(&self) -> &str {
        &self.text
    }
}

/// Returns the options with this change.
fn changed(mut options: LogOptions, change: LogRequest) -> Result<LogOptions, Failure> {
    if let Some(filter) = change.filter {
        options.filter = filter;
    }
    if let Some(console) = change.console {
        options.console = console.parse()?;
    }
    match (change.file.as_deref(), &mut options.file) {
        (Some(""), file) => *file = None,
        (Some(path), Some(file)) => file.path = path.into(),
        (Some(path), file) => *file = Some(LogFile::new(path)),
        (None, _) => {}
    }
    match &mut options.file {
        Some(file) => {
            if let Some(rotation) = change.rotation {
                file.rotation = rotation.parse()?;
            }
            file.keep = change.keep.unwrap_or(file.keep);
        }
        None if change.rotation.is_some() || change.keep.is_some() => {
            let text = "there is no log file that could be rotated; name one with `file`, too";
            return Err(Failure::new(FailureKind::Request, text));
        }
        None => {}
    }
    Ok(options)
}

/// Returns what the host logs, and where.
#[utoipa::path(get, path = "/v1/log", responses(
    (status = 200, body = LogSettings),
    (status = 404, body = Failure, description = "the host does not let its log be changed"),
))]
async fn log(State(host): Shared) -> Answer<LogSettings> {
    let settings = on_thread(&host, |host| {
        Ok(LogSettings::from(&log_of(host)?.options()))
    });
    settings.await.map(Json)
}

/// Changes what the host logs, and where.
#[utoipa::path(post, path = "/v1/log", request_body = LogRequest, responses(
    (status = 200, body = LogSettings),
    (status = 400, body = Failure, description = "a setting is none that the log takes"),
    (status = 404, body = Failure, description = "the host does not let its log be changed"),
    (status = 409, body = Failure, description = "the file cannot be opened"),
))]
async fn set_log(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(request): Input<LogRequest>,
) -> Answer<LogSettings> {
    let settings = change(&host, asked, move |host, by| {
        let log = log_of(host)?;
        let options = changed(log.options(), request)?;
        log.set(options.clone())?;
        tracing::info!(target: "hotswap", "a request by {by} has set the log to {options}");
        Ok(LogSettings::from(&options))
    });
    settings.await.map(Json)
}
