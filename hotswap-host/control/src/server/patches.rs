//! The patches of plugins.
use super::Host;
use super::answer::{Answer, Shared};
use super::asked::{Asked, change};
use super::input::Input;
use super::plugins::find;
use crate::api::{
    Failure, FailureKind, Patch, PatchSource, Patches, PatchesRequest, ReasonRequest,
    of_host::seconds,
};
use axum::Json;
use axum::extract::{Extension, Path, State};
use hotswap_host::{HandleError, PatchError, PatchVersion, ReloadError, Requested};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router
        .routes(routes!(all))
        .routes(routes!(of_plugin))
        .routes(routes!(rollback))
        .routes(routes!(redo))
        .routes(routes!(reset))
}

impl From<PatchError> for Failure {
    fn from(error: PatchError) -> Self {
        let kind = match &error {
            PatchError::Reload(ReloadError::NotLoaded { .. })
            | PatchError::Function(HandleError::NoPlugin { .. } | HandleError::NoFunction { .. })
            | PatchError::NotOfPlugin { .. } => FailureKind::NotFound,
            _ => FailureKind::Refused,
        };
        Failure::new(kind, error.to_string())
    }
}

impl From<PatchVersion> for Patch {
    fn from(version: PatchVersion) -> Self {
        Patch {
            number: version.number,
            changes: version.changes,
            by: version.by,
            since: seconds(version.since),
            calls: version.calls,
            overrode_sticky: version.overrode_sticky,
            persistent: version.persistent,
            sources: {
                let sources = version.sources.into_iter();
                sources
                    .map(|source| PatchSource {
                        function: source.function,
                        text: source.text,
                        file: source.file,
                        line: source.line,
                    })
                    .collect()
            },
        }
    }
}

/// Returns the patches of a plugin with this name.
fn patches_of(host: &Host, plugin: String) -> Patches {
    let patches = host.swapper.patches(&plugin);
    let listed = patches.list();
    Patches {
        version: listed.last().map_or(0, |last| last.number),
        patches: listed.into_iter().map(Patch::from).collect(),
        undone: patches.undone().into_iter().map(Patch::from).collect(),
        plugin,
    }
}

/// Returns the patches of all plugins that have some.
#[utoipa::path(get, path = "/v1/patches", responses((status = 200, body = Vec<Patches>)))]
async fn all(State(host): Shared) -> Json<Vec<Patches>> {
    let plugins = host.swapper.listing().plugins.into_iter();
    let all = plugins.map(|plugin| patches_of(&host, plugin.name.to_string()));
    let some = all.filter(|of| !of.patches.is_empty() || !of.undone.is_empty());
    Json(some.collect())
}

/// Returns the patches of a plugin.
#[utoipa::path(get, path = "/v1/plugins/{plugin}/patches",
    params(("plugin", description = "The plugin.")),
    responses(
        (status = 200, body = Patches),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
    )
)]
async fn of_plugin(State(host): Shared, Path(name): Path<String>) -> Answer<Patches> {
    let plugin = find(&host.swapper, &name)?.name;
    Ok(Json(patches_of(&host, plugin)))
}

/// Changes the versions of a plugin, and returns those that it has then.
async fn changed(
    host: &Arc<Host>,
    asked: Asked,
    name: String,
    request: &PatchesRequest,
    make: impl FnOnce(Requested<'_>, &str, usize) -> Result<(), PatchError> + Send + 'static,
) -> Answer<Patches> {
    let count = request.count.unwrap_or(1);
    let changed = change(host, asked, move |host, by| {
        let plugin = find(&host.swapper, &name)?.name;
        make(host.swapper.requested_by(by), &plugin, count)?;
        Ok(patches_of(host, plugin))
    });
    changed.await.map(Json)
}

/// Rolls back the last patches of a plugin. Running calls end in the version in which they began.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/patches/rollback",
    params(("plugin", description = "The plugin.")),
    request_body = PatchesRequest,
    responses(
        (status = 200, body = Patches),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "there are fewer patches, or the host refused"),
    )
)]
async fn rollback(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(request): Input<PatchesRequest>,
) -> Answer<Patches> {
    let back =
        |by: Requested<'_>, plugin: &str, count| by.rollback_patches(plugin, count).map(drop);
    changed(&host, asked, name, &request, back).await
}

/// Applies patches of a plugin again that were rolled back.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/patches/redo",
    params(("plugin", description = "The plugin.")),
    request_body = PatchesRequest,
    responses(
        (status = 200, body = Patches),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "there are fewer patches, they do not fit any more, or the host refused"),
    )
)]
async fn redo(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(request): Input<PatchesRequest>,
) -> Answer<Patches> {
    let again = |by: Requested<'_>, plugin: &str, count| by.redo_patches(plugin, count).map(drop);
    changed(&host, asked, name, &request, again).await
}

/// Takes all patches of a plugin away, for good.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/patches/reset",
    params(("plugin", description = "The plugin.")),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = Patches),
        (status = 400, body = Failure, description = "`count` is given, although all patches go"),
        (status = 404, body = Failure, description = "no such plugin is loaded"),
        (status = 409, body = Failure, description = "the host refused"),
    )
)]
async fn reset(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Path(name): Path<String>,
    Input(request): Input<PatchesRequest>,
) -> Answer<Patches> {
    if request.count.is_some() {
        let text = "`reset` takes all patches away, so it has no `count`";
        return Err(Failure::new(FailureKind::Request, text));
    }
    let reset = |by: Requested<'_>, plugin: &str, _| by.reset_patches(plugin);
    changed(&host, asked, name, &request, reset).await
}
