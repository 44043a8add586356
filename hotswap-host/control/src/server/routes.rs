//! The paths of the API.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::asked::{Asked, change, check as check_asked};
use super::caller::Caller;
use super::description::complete;
#[cfg(feature = "history")]
use super::history::{has_history, roll_back};
use super::input::Input;
use super::plugins::find;
use crate::api::{
    self, Failure, FailureKind, Plugin, ReasonRequest, ReloadRequest, Report, Retirement, Role,
    RollbackRequest, Status, Verdict,
};
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
#[cfg(not(feature = "history"))]
use hotswap_host::Requester;
use hotswap_host::{Reload, Swapper};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The advice to a client that has sent a request that this version does not know.
const OWN_COMMAND: &str = concat!(
    "If another version of `cargo hotswap` has sent this, use version ",
    env!("CARGO_PKG_VERSION")
);
/// The media type of metrics.
const METRICS: &str = "text/plain; version=0.0.4";

#[derive(OpenApi)]
#[openapi(info(
    title = "hotswap control",
    description = "Looks at a running host, and changes what it runs.",
    license(name = "MIT OR Apache-2.0")
))]
struct Document;

fn paths() -> OpenApiRouter<Arc<Host>> {
    let router = OpenApiRouter::with_openapi(Document::openapi());
    #[cfg(feature = "history")]
    let router = super::audit::paths(super::history::paths(router));
    #[cfg(feature = "history")]
    let router = super::deploy::paths(router);
    #[cfg(feature = "health")]
    let router = super::health::paths(router);
    #[cfg(feature = "log")]
    let router = super::host_log::paths(router);
    let router = super::plugins::paths(super::events::paths(router));
    let router = super::traces::paths(super::patches::paths(router));
    let router = super::calls::paths(router);
    router
        .routes(routes!(status))
        .routes(routes!(metrics))
        .routes(routes!(reload))
        .routes(routes!(check))
        .routes(routes!(rollback))
        .routes(routes!(confirm))
        .routes(routes!(freeze))
        .routes(routes!(unfreeze))
}

/// Returns the description of the API in the form of OpenAPI 3.1, which the endpoint serves at `/v1/openapi.json`.
pub fn openapi() -> Value {
    described(paths().into_openapi())
}

fn described(document: utoipa::openapi::OpenApi) -> Value {
    let document = serde_json::to_value(document);
    complete(document.expect("the description can be written as JSON"))
}

pub(super) fn router(host: Arc<Host>) -> Router {
    let (router, document) = paths().split_for_parts();
    let document = described(document);
    router
        .route("/v1/openapi.json", get(async || Json(document)))
        .route_layer(from_fn_with_state(host.clone(), check_asked))
        .fallback(no_path)
        .method_not_allowed_fallback(no_method)
        .with_state(host)
}

async fn no_path(uri: Uri) -> Failure {
    let (path, known) = (uri.path(), api::VERSION);
    let version = path
        .strip_prefix("/v")
        .and_then(|rest| rest.split('/').next());
    let version = version.and_then(|version| version.parse::<u32>().ok());
    let text = match version {
        Some(version) if version != known => format!(
            "this host speaks version {known} of the control API, and not {version}. {OWN_COMMAND}"
        ),
        _ => format!("this host has no path {path}; `/v1/openapi.json` lists all. {OWN_COMMAND}"),
    };
    Failure::new(FailureKind::NotFound, text)
}

async fn no_method(method: Method, uri: Uri) -> impl IntoResponse {
    let text = format!("{} does not take {method}", uri.path());
    let failure = Failure::new(FailureKind::Request, text);
    (StatusCode::METHOD_NOT_ALLOWED, failure)
}

/// Returns the state of the host.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = Status)))]
async fn status(State(host): Shared) -> Json<Status> {
    Json(status_of(&host))
}

fn status_of(host: &Host) -> Status {
    use hotswap_host::RetirementState::{Freed, Gone};
    let retirements = host.swapper.retirements();
    let listing = host.swapper.listing();
    let plugins = listing.plugins.iter();
    let plugins =
        plugins.map(|plugin| Plugin::of(plugin, &host.swapper.in_flight(plugin.name.as_str())));
    Status {
        api: api::VERSION,
        host: api::Host {
            pid: std::process::id(),
            executable: std::env::current_exe()
                .map_or_else(|_| String::new(), |path| path.display().to_string()),
            plugin_dir: host.swapper.plugin_dir().display().to_string(),
            uptime: host.started.elapsed().as_secs_f64(),
        },
        generation: listing.generation,
        reloads: listing.reloads,
        plugins: plugins.collect(),
        frozen: host.swapper.frozen().map(api::Frozen::from),
        window: host.log.window(),
        retirements: retirements
            .iter()
            .filter(|retirement| !matches!(retirement.state, Gone | Freed))
            .map(Retirement::from)
            .collect(),
        last_attempt: host.log.last_attempt(),
        last_event: *host.log.last().borrow(),
    }
}

/// Returns the metrics of the host in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, body = String, content_type = METRICS),
    (status = 404, body = Failure, description = "the host has no metrics for the endpoint"),
))]
async fn metrics(State(host): Shared) -> Result<impl IntoResponse, Failure> {
    let text = on_thread(&host, |host| {
        let render = host.metrics.as_ref().ok_or_else(|| {
            let text =
                "this host has no metrics for the endpoint; `Control::metrics` gives it some";
            Failure::new(FailureKind::NotFound, text)
        })?;
        Ok(render())
    });
    Ok(([(CONTENT_TYPE, METRICS)], text.await?))
}

/// Reloads the plugins.
///
/// The answer comes when the reload has ended. If the client does not wait for it, the reload goes on.
#[utoipa::path(post, path = "/v1/reload", request_body = ReloadRequest, responses(
    (status = 200, body = Report),
    (status = 400, body = Failure, description = "an option is unknown, or the body cannot be read"),
    (status = 404, body = Failure, description = "no such plugin is loaded"),
    (status = 409, body = Failure, description = "the host refused, and keeps the plugins that it has"),
))]
async fn reload(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Extension(asked): Extension<Asked>,
    Input(request): Input<ReloadRequest>,
) -> Answer<Report> {
    let report = change(&host, asked, move |host, by| {
        let reload = asked_for(&host.swapper, &request, &caller)?;
        Ok(Report::from(&reload.requested_by(by).run()?))
    });
    report.await.map(Json)
}

/// Says what a reload would do, and changes nothing.
#[utoipa::path(post, path = "/v1/check", request_body = ReloadRequest, responses(
    (status = 200, body = Verdict),
    (status = 400, body = Failure, description = "an option is unknown, or the body cannot be read"),
    (status = 404, body = Failure, description = "no such plugin is loaded"),
    (status = 409, body = Failure, description = "the reload would be refused before anything is loaded"),
))]
async fn check(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Input(request): Input<ReloadRequest>,
) -> Answer<Verdict> {
    let verdict = on_thread(&host, move |host| {
        let reload = asked_for(&host.swapper, &request, &caller)?;
        Ok(Verdict::from(&reload.validate()?))
    });
    verdict.await.map(Json)
}

/// Returns the reload that a request asks for.
fn asked_for<'s>(
    swapper: &'s Swapper,
    request: &ReloadRequest,
    caller: &Caller,
) -> Result<Reload<'s>, Failure> {
    // Whoever names a file decides what code runs in the host.
    if !request.files.is_empty() && caller.role < Role::Administer {
        let text = format!(
            "{} has the role {}, and `files` needs the role {}",
            caller.who,
            caller.role,
            Role::Administer
        );
        return Err(Failure::new(FailureKind::Forbidden, text));
    }
    let mut reload = with_options(swapper, &request.options)?;
    if let Some(plugins) = &request.plugins {
        for plugin in plugins {
            find(swapper, plugin)?;
        }
        reload = reload.only(plugins.iter().map(String::as_str));
    }
    for file in &request.files {
        if !std::path::Path::new(file).is_absolute() {
            let text = format!("{file} is not an absolute path");
            return Err(Failure::new(FailureKind::Request, text));
        }
        reload = reload.load(file);
    }
    Ok(match request.force {
        true => reload.force(),
        false => reload,
    })
}

/// Returns a reload with these options in place of those of the host.
pub(super) fn with_options<'s>(
    swapper: &'s Swapper,
    given: &BTreeMap<String, Value>,
) -> Result<Reload<'s>, Failure> {
    let mut options = swapper.reload_options().clone();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let set = options.set(name, &text);
        set.map_err(|error| Failure::new(FailureKind::Request, error.to_string()))?;
    }
    Ok(swapper.prepare_reload().options(options))
}

/// Reverts the last reload, whose rollback window is open, or goes back to builds of an earlier time.
#[utoipa::path(post, path = "/v1/rollback", request_body = RollbackRequest, responses(
    (status = 200, body = Report),
    (status = 404, body = Failure, description = "the host keeps no history, or has no such plugin"),
    (status = 409, body = Failure, description = "there is nothing to go back to, or the host refused"),
))]
async fn rollback(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(request): Input<RollbackRequest>,
) -> Answer<Report> {
    let report = change(&host, asked, move |host, by| {
        let is_first = request.plugin.is_none() && request.steps.is_none_or(|steps| steps == 1);
        if !is_first || host.log.window().is_none() && has_history(host) {
            return roll_back(host, &request, by);
        }
        let report = host.swapper.requested_by(by).rollback()?;
        Ok(Report::from(&report))
    });
    report.await.map(Json)
}

#[cfg(not(feature = "history"))]
fn has_history(_: &Host) -> bool {
    false
}

#[cfg(not(feature = "history"))]
fn roll_back(_: &Host, _: &RollbackRequest, _: &Requester) -> Result<Report, Failure> {
    let text = "this host keeps no history, so it goes back only while a rollback window is open";
    Err(Failure::new(FailureKind::NotFound, text))
}

/// Makes the last reload permanent, whose rollback window is open.
#[utoipa::path(post, path = "/v1/confirm", request_body = ReasonRequest, responses(
    (status = 200, body = Status),
    (status = 409, body = Failure, description = "no window is open"),
))]
async fn confirm(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(_): Input<ReasonRequest>,
) -> Answer<Status> {
    let confirmed = change(&host, asked, |host, by| {
        host.swapper.requested_by(by).confirm()?;
        Ok(status_of(host))
    });
    confirmed.await.map(Json)
}

/// Refuses all changes until they are allowed again, also after restarts if the host has a history.
#[utoipa::path(post, path = "/v1/freeze", request_body = ReasonRequest, responses(
    (status = 200, body = Status),
    (status = 409, body = Failure, description = "the host cannot remember it"),
))]
async fn freeze(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(_): Input<ReasonRequest>,
) -> Answer<Status> {
    let frozen = change(&host, asked, |host, by| {
        host.swapper.requested_by(by).freeze(&by.to_string())?;
        Ok(status_of(host))
    });
    frozen.await.map(Json)
}

/// Accepts changes again.
#[utoipa::path(post, path = "/v1/unfreeze", request_body = ReasonRequest, responses(
    (status = 200, body = Status),
    (status = 409, body = Failure, description = "the host cannot remember it"),
))]
async fn unfreeze(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(_): Input<ReasonRequest>,
) -> Answer<Status> {
    let unfrozen = change(&host, asked, |host, by| {
        host.swapper.requested_by(by).unfreeze()?;
        Ok(status_of(host))
    });
    unfrozen.await.map(Json)
}
