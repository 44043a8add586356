//! The paths of the API.
use super::Host;
use super::caller::Caller;
#[cfg(feature = "history")]
use super::history::{has_history, roll_back};
use super::input::Input;
use super::log::{Log, Next};
use crate::api::{
    self, DrainRequest, Failure, FailureKind, Holders, Plugin, ReasonRequest, ReloadRequest,
    Report, Retirement, RollbackRequest, Status, Verdict,
};
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event as Sent, KeepAlive};
use axum::response::{IntoResponse, Sse};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use hotswap_host::shown::nearest;
use hotswap_host::{Reload, ReloadError, Swapper};
use serde::Deserialize;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The greatest size of a body.
const BODY: usize = 64 << 10;
/// How long a drain waits for running calls if the request does not say.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// The header with the last event that a client has seen.
const LAST_EVENT: &str = "last-event-id";

/// The media type of metrics.
const METRICS: &str = "text/plain; version=0.0.4";

pub(super) type Shared = State<Arc<Host>>;
pub(super) type Answer<T> = Result<Json<T>, Failure>;

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
    let router = super::history::paths(router);
    #[cfg(feature = "health")]
    let router = super::health::paths(router);
    router
        .routes(routes!(status))
        .routes(routes!(events))
        .routes(routes!(metrics))
        .routes(routes!(reload))
        .routes(routes!(check))
        .routes(routes!(rollback))
        .routes(routes!(confirm))
        .routes(routes!(freeze))
        .routes(routes!(unfreeze))
        .routes(routes!(plugin))
        .routes(routes!(metadata))
        .routes(routes!(holders))
        .routes(routes!(take_out_of_service))
        .routes(routes!(drain))
        .routes(routes!(resume))
}

/// Returns the description of the API in the form of OpenAPI 3.1, which the endpoint serves at `/v1/openapi.json`.
pub fn openapi() -> Value {
    serde_json::to_value(paths().into_openapi()).expect("the description can be written as JSON")
}

pub(super) fn router(host: Arc<Host>) -> Router {
    let (router, document) = paths().split_for_parts();
    router
        .route("/v1/openapi.json", get(async || Json(document)))
        .fallback(no_path)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(host)
}

async fn no_path(uri: axum::http::Uri) -> Failure {
    let text = format!(
        "there is no path {}; `/v1/openapi.json` lists all",
        uri.path()
    );
    Failure::new(FailureKind::NotFound, text)
}

async fn no_method(method: axum::http::Method, uri: axum::http::Uri) -> Failure {
    let text = format!("{} does not take {method}", uri.path());
    Failure::new(FailureKind::Request, text)
}

/// Runs what may take long on a thread for that.
pub(super) async fn on_thread<T: Send + 'static>(
    host: &Arc<Host>,
    run: impl FnOnce(&Host) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let host = host.clone();
    let ran = tokio::task::spawn_blocking(move || run(&host)).await;
    ran.unwrap_or_else(|error| {
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
        Failure::new(kind, error.to_string())
    }
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
    Input(request): Input<ReloadRequest>,
) -> Answer<Report> {
    let report = on_thread(&host, move |host| {
        let reload = described(&host.swapper, &request)?;
        let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
        Ok(Report::from(&reload.requested_by(&by).run()?))
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
async fn check(State(host): Shared, Input(request): Input<ReloadRequest>) -> Answer<Verdict> {
    let verdict = on_thread(&host, move |host| {
        let reload = described(&host.swapper, &request)?;
        Ok(Verdict::from(&reload.validate()?))
    });
    verdict.await.map(Json)
}

/// Returns the reload that a request describes.
fn described<'s>(swapper: &'s Swapper, request: &ReloadRequest) -> Result<Reload<'s>, Failure> {
    let mut options = swapper.reload_options().clone();
    for (name, value) in &request.options {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let set = options.set(name, &text);
        set.map_err(|error| Failure::new(FailureKind::Request, error.to_string()))?;
    }
    let mut reload = swapper.prepare_reload().options(options);
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

/// Reverts the last reload, whose rollback window is open, or goes back to builds of an earlier time.
#[utoipa::path(post, path = "/v1/rollback", request_body = RollbackRequest, responses(
    (status = 200, body = Report),
    (status = 404, body = Failure, description = "the host keeps no history, or has no such plugin"),
    (status = 409, body = Failure, description = "there is nothing to go back to, or the host refused"),
))]
async fn rollback(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Input(request): Input<RollbackRequest>,
) -> Answer<Report> {
    let report = on_thread(&host, move |host| {
        let is_first = request.plugin.is_none() && request.steps.is_none_or(|steps| steps == 1);
        let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
        if !is_first || host.log.window().is_none() && has_history(host) {
            return roll_back(host, &request, &by);
        }
        let report = host
            .swapper
            .rollback_because(&format!("of a request by {by}"))?;
        Ok(Report::from(&report))
    });
    report.await.map(Json)
}

#[cfg(not(feature = "history"))]
fn has_history(_: &Host) -> bool {
    false
}

#[cfg(not(feature = "history"))]
fn roll_back(_: &Host, _: &RollbackRequest, _: &str) -> Result<Report, Failure> {
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
    Extension(caller): Extension<Caller>,
    Input(request): Input<ReasonRequest>,
) -> Answer<Status> {
    let confirmed = on_thread(&host, move |host| {
        let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
        host.swapper.requested_by(&by).confirm()?;
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
    Extension(caller): Extension<Caller>,
    Input(request): Input<ReasonRequest>,
) -> Answer<Status> {
    let frozen = on_thread(&host, move |host| {
        let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
        host.swapper.requested_by(&by).freeze(&by)?;
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
    Extension(caller): Extension<Caller>,
    Input(request): Input<ReasonRequest>,
) -> Answer<Status> {
    let unfrozen = on_thread(&host, move |host| {
        let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
        host.swapper.requested_by(&by).unfreeze()?;
        Ok(status_of(host))
    });
    unfrozen.await.map(Json)
}

/// Returns the plugin with this name.
fn find(swapper: &Swapper, name: &str) -> Result<Plugin, Failure> {
    let listing = swapper.listing();
    if let Some(plugin) = listing.plugin(name) {
        return Ok(Plugin::of(plugin, &swapper.in_flight(name)));
    }
    let names = listing.plugins.iter().map(|plugin| plugin.name.as_str());
    let hint = nearest(name, names).map(|nearest| format!(": did you mean {nearest}?"));
    let text = format!("no plugin {name} is loaded{}", hint.unwrap_or_default());
    Err(Failure::new(FailureKind::NotFound, text))
}

/// Returns the state of a plugin.
#[utoipa::path(get, path = "/v1/plugins/{plugin}", params(("plugin", description = "The plugin.")), responses(
    (status = 200, body = Plugin),
    (status = 404, body = Failure, description = "no such plugin is loaded"),
))]
async fn plugin(State(host): Shared, Path(name): Path<String>) -> Answer<Plugin> {
    find(&host.swapper, &name).map(Json)
}

/// Returns what a plugin says of itself: its functions with their signatures, its interfaces, its live items, and its
/// imports.
///
/// It has the form of the metadata that `cargo hotswap inspect --json` shows.
#[utoipa::path(
    get,
    path = "/v1/plugins/{plugin}/metadata",
    params(("plugin", description = "The plugin.")),
    responses(
        (status = 200, body = Value),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
    )
)]
async fn metadata(State(host): Shared, Path(name): Path<String>) -> Answer<Value> {
    find(&host.swapper, &name)?;
    let metadata = host.swapper.metadata(&name);
    let json = serde_json::to_value(metadata);
    json.map(Json)
        .map_err(|error| Failure::new(FailureKind::Internal, error.to_string()))
}

/// Returns what uses a plugin at this moment.
#[utoipa::path(
    get,
    path = "/v1/plugins/{plugin}/holders",
    params(("plugin", description = "The plugin.")),
    responses(
        (status = 200, body = Holders),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
    )
)]
async fn holders(State(host): Shared, Path(name): Path<String>) -> Answer<Holders> {
    let holders = on_thread(&host, move |host| {
        let plugin = find(&host.swapper, &name)?.name;
        let held_by = host.swapper.holders(&name).unwrap_or_default();
        Ok(Holders {
            plugin,
            held_by: held_by.iter().map(ToString::to_string).collect(),
        })
    });
    holders.await.map(Json)
}

/// Changes something about a plugin, and returns the plugin as it is then.
async fn changed(
    host: &Arc<Host>,
    name: String,
    change: impl FnOnce(&Swapper, &str) -> Result<(), ReloadError> + Send + 'static,
) -> Answer<Plugin> {
    let changed = on_thread(host, move |host| {
        let plugin = find(&host.swapper, &name)?.name;
        change(&host.swapper, &plugin)?;
        find(&host.swapper, &plugin)
    });
    changed.await.map(Json)
}

/// Takes a plugin out of service without unloading it. Running calls go on.
#[utoipa::path(
    post,
    path = "/v1/plugins/{plugin}/out-of-service",
    params(("plugin", description = "The plugin.")),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = Plugin),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "the host refused"),
    )
)]
async fn take_out_of_service(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Input(request): Input<ReasonRequest>,
) -> Answer<Plugin> {
    let reason = caller.because(request.reason.as_deref(), request.deployment.as_ref());
    let take = move |swapper: &Swapper, name: &str| {
        swapper
            .requested_by(&reason)
            .take_out_of_service(name, &reason)
    };
    changed(&host, name, take).await
}

/// Takes a plugin out of service, and waits until its running calls have ended, in all of its builds.
#[utoipa::path(
    post,
    path = "/v1/plugins/{plugin}/drain",
    params(("plugin", description = "The plugin.")),
    request_body = DrainRequest,
    responses(
        (status = 200, body = Plugin),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "calls are still running; the plugin stays out of service"),
    )
)]
async fn drain(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Input(request): Input<DrainRequest>,
) -> Answer<Plugin> {
    let limit = request.limit.map(Duration::try_from_secs_f64).transpose();
    let limit = limit.map_err(|error| {
        Failure::new(FailureKind::Request, format!("`limit` is no time: {error}"))
    })?;
    let (reason, limit) = (
        caller.because(request.reason.as_deref(), request.deployment.as_ref()),
        limit.unwrap_or(DRAIN_LIMIT),
    );
    let drain = move |swapper: &Swapper, name: &str| {
        swapper.requested_by(&reason).drain(name, &reason, limit)
    };
    changed(&host, name, drain).await
}

/// Puts a plugin back into service.
#[utoipa::path(
    post,
    path = "/v1/plugins/{plugin}/resume",
    params(("plugin", description = "The plugin.")),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = Plugin),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "the host refused"),
    )
)]
async fn resume(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Input(request): Input<ReasonRequest>,
) -> Answer<Plugin> {
    let by = caller.because(request.reason.as_deref(), request.deployment.as_ref());
    let resume =
        move |swapper: &Swapper, name: &str| swapper.requested_by(&by).resume(name).map(drop);
    changed(&host, name, resume).await
}

/// Where a stream of events begins.
#[derive(Deserialize)]
struct After {
    after: Option<u64>,
}

/// Streams what happens, as server-sent events.
///
/// Each event has its number as id, and an `Event` as data. A client that connects again sends the number of the last event
/// that it has seen, in the header `Last-Event-ID` or as `after`, and misses none: the last 1,024 are kept. If some are
/// lost, the first event is called `lost`.
#[utoipa::path(get, path = "/v1/events",
    params(("after" = Option<u64>, Query, description = "The event after which the stream begins. By default, only later events come.")),
    responses((status = 200, content_type = "text/event-stream", body = api::Event))
)]
async fn events(
    State(host): Shared,
    headers: HeaderMap,
    Query(query): Query<After>,
) -> Sse<impl Stream<Item = Result<Sent, Infallible>>> {
    let seen = headers.get(LAST_EVENT).and_then(|id| id.to_str().ok());
    let seen = seen.and_then(|id| id.parse().ok()).or(query.after);
    let last = host.log.last();
    let follow = Follow {
        seen: seen.unwrap_or_else(|| *last.borrow()),
        log: host.log.clone(),
        last,
        stopped: host.stopped.clone(),
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok(event), follow))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// A client that follows the events.
struct Follow {
    log: Arc<Log>,
    /// The last event that it has seen.
    seen: u64,
    last: watch::Receiver<u64>,
    stopped: watch::Receiver<bool>,
}

impl Follow {
    /// Returns the next event, or `None` when the endpoint ends.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            self.last.mark_unchanged();
            match self.log.next(self.seen) {
                Next::Event(event) => {
                    self.seen = event.id;
                    let sent = Sent::default().id(event.id.to_string());
                    return sent.json_data(event).ok();
                }
                Next::Lost { up_to } => {
                    self.seen = up_to;
                    return Some(Sent::default().event("lost").data(up_to.to_string()));
                }
                Next::Nothing => tokio::select! {
                    _ = self.stopped.wait_for(|stopped| *stopped) => return None,
                    changed = self.last.changed() => changed.ok()?,
                },
            }
        }
    }
}
