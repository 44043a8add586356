//! The paths of single plugins.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::asked::{Asked, change};
use super::input::Input;
use crate::api::{DrainRequest, Failure, FailureKind, Holders, Plugin, ReasonRequest};
use axum::Json;
use axum::extract::{Extension, Path, State};
use hotswap_host::shown::nearest;
use hotswap_host::{ReloadError, Requested, Requester, Swapper};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a drain waits for running calls if the request does not say.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router
        .routes(routes!(plugin))
        .routes(routes!(metadata))
        .routes(routes!(holders))
        .routes(routes!(take_out_of_service))
        .routes(routes!(drain))
        .routes(routes!(resume))
}

/// Returns the plugin with this name.
pub(super) fn find(swapper: &Swapper, name: &str) -> Result<Plugin, Failure> {
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
    asked: Asked,
    name: String,
    make: impl FnOnce(Requested<'_>, &str, &Requester) -> Result<(), ReloadError> + Send + 'static,
) -> Answer<Plugin> {
    let changed = change(host, asked, move |host, by| {
        let plugin = find(&host.swapper, &name)?.name;
        make(host.swapper.requested_by(by), &plugin, by)?;
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
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(_): Input<ReasonRequest>,
) -> Answer<Plugin> {
    let take = |requested: Requested<'_>, name: &str, by: &Requester| {
        requested.take_out_of_service(name, &by.to_string())
    };
    changed(&host, asked, name, take).await
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
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(request): Input<DrainRequest>,
) -> Answer<Plugin> {
    let limit = request.limit.map(Duration::try_from_secs_f64).transpose();
    let limit = limit.map_err(|error| {
        Failure::new(FailureKind::Request, format!("`limit` is no time: {error}"))
    })?;
    let limit = limit.unwrap_or(DRAIN_LIMIT);
    let drain = move |requested: Requested<'_>, name: &str, by: &Requester| {
        requested.drain(name, &by.to_string(), limit)
    };
    changed(&host, asked, name, drain).await
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
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(_): Input<ReasonRequest>,
) -> Answer<Plugin> {
    let resume =
        |requested: Requested<'_>, name: &str, _: &Requester| requested.resume(name).map(drop);
    changed(&host, asked, name, resume).await
}
