//! Uploads of builds, and their deployment.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::asked::{Asked, change};
use super::caller::Caller;
use super::history::history_of;
use super::input::{Input, Params};
use super::record;
use super::routes::with_options;
use crate::api::{DeployRequest, Failure, FailureKind, Report, SignedManifest, Upload, Verdict};
use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt as _;
use hotswap_host::artifact::BuildId;
use hotswap_host::shown::Shown;
use hotswap_host::{Reload, SentManifest};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The time in which the next part of an upload has to come.
const PAUSE: Duration = Duration::from_secs(10);
/// The greatest size of an upload, in bytes.
const LARGEST: usize = 512 << 20;
/// The greatest size of a signature, in bytes.
const SIGNATURE: usize = 16 << 10;
/// The longest name of a file.
const NAME: usize = 255;
/// The number of uploads that are in memory at the same time. Others wait.
static UPLOADS: Semaphore = Semaphore::const_new(2);

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router
        .routes(routes!(upload))
        .routes(routes!(deploy))
        .routes(routes!(check))
}

/// What an upload says of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Option<String>,
    signature: Option<String>,
}

/// Takes a build for a later deployment. It is put into the store of the host's history, and not into the plugin directory.
///
/// The body has the bytes of the artifact. They have to be a plugin for this host; none of their code runs. The host keeps them
/// for an hour. The same bytes can be sent again.
#[utoipa::path(post, path = "/v1/uploads",
    params(
        ("name" = Option<String>, Query, description = "The name of the file, for errors. It has no directory."),
        ("signature" = Option<String>, Query, description = "The text of the signature, if the host requires one."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Upload),
        (status = 400, body = Failure, description = "the name is a path, or the body is too large or does not come"),
        (status = 404, body = Failure, description = "the host keeps no history, so it has no store"),
        (status = 409, body = Failure, description = "this is no plugin for this host, or the store takes no more"),
    )
)]
async fn upload(
    State(host): Shared,
    Extension(caller): Extension<Caller>,
    Params(named): Params<Named>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Upload> {
    let named_as = named.name.clone();
    let taken = take(&host, named, headers, body).await;
    let (result, told) = match &taken {
        Ok(upload) => (Ok(()), format!("{} {}", upload.plugin, upload.build)),
        Err(failure) => (Err(failure.clone()), String::new()),
    };
    let asked = Asked::upload(&caller, named_as);
    on_thread(&host, move |host| {
        record::upload(host, &asked, result.as_ref().map(|()| &*told));
        Ok(())
    })
    .await?;
    taken.map(Json)
}

/// Puts the body of an upload into the store.
async fn take(
    host: &Arc<Host>,
    named: Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Upload, Failure> {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let (name, signature) = match accepted(host, named) {
        Ok(accepted) => accepted,
        Err(failure) => {
            skip(body.into_data_stream()).await;
            return Err(failure);
        }
    };
    // It is never closed.
    let permit = UPLOADS.acquire().await;
    let bytes = received(body.into_data_stream()).await?;
    if let Some(length) = length.filter(|length| *length != bytes.len()) {
        let came = bytes.len();
        return Err(wrong(format!(
            "only {came} of the {length} bytes of the upload came"
        )));
    }
    let upload = on_thread(host, move |host| {
        let evidence = signature.as_ref().map(|text| text.as_bytes());
        let upload = history_of(host)?.upload(&name, &bytes, evidence)?;
        Ok(Upload {
            plugin: upload.plugin.to_string(),
            build: upload.build.to_string(),
        })
    });
    let upload = upload.await;
    drop(permit);
    upload
}

/// Returns the name and the signature of an upload, if it can be taken.
fn accepted(host: &Host, named: Named) -> Result<(String, Option<String>), Failure> {
    history_of(host)?;
    let name = named.name.unwrap_or_else(|| "the upload".into());
    check_name(&name)?;
    let length = named.signature.as_ref().map_or(0, String::len);
    match length > SIGNATURE {
        true => Err(wrong(format!("a signature has at most {SIGNATURE} bytes"))),
        false => Ok((name, named.signature)),
    }
}

fn wrong(text: String) -> Failure {
    Failure::new(FailureKind::Request, text)
}

fn too_large() -> Failure {
    wrong(format!("an upload has at most {} MiB", LARGEST >> 20))
}

/// Checks that a name is that of a file, and not a path.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_plain = !name.contains(['/', '\\']) && !name.chars().any(char::is_control);
    match is_plain && !["", ".", ".."].contains(&name) && name.len() <= NAME {
        true => Ok(()),
        false => Err(wrong(format!(
            "{:?} is not the name of a file without a directory",
            Shown(name).to_string()
        ))),
    }
}

/// Reads what a client sends of an upload that is refused, because it may read no answer before it has sent everything.
async fn skip(mut body: BodyDataStream) {
    let mut left = LARGEST;
    while let Ok(Some(Ok(part))) = tokio::time::timeout(PAUSE, body.next()).await {
        left = left.saturating_sub(part.len());
        if left == 0 {
            return;
        }
    }
}

async fn received(mut body: BodyDataStream) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        let part = tokio::time::timeout(PAUSE, body.next()).await;
        let part = part.map_err(|_| wrong(format!("nothing of the upload came for {PAUSE:?}")))?;
        let Some(part) = part else {
            return Ok(bytes);
        };
        let part = part.map_err(|error| wrong(format!("the upload cannot be read: {error}")))?;
        if bytes.len() + part.len() > LARGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&part);
    }
}

/// Deploys builds that were uploaded: they take the place of the live builds of their plugins, or are added. All other
/// plugins stay.
///
/// What is deployed stays, over restarts and over reloads of the plugin directory, until the file of the plugin there changes,
/// or something else is deployed. The answer comes when the reload has ended. If the client does not wait for it, the reload
/// goes on.
#[utoipa::path(post, path = "/v1/deploy", request_body = DeployRequest, responses(
    (status = 200, body = Report),
    (status = 400, body = Failure, description = "no build is named, or an option is unknown"),
    (status = 404, body = Failure, description = "the host keeps no history"),
    (status = 409, body = Failure, description = "a build was not uploaded, or the host refused, and keeps the plugins that it has"),
))]
async fn deploy(
    State(host): Shared,
    Extension(asked): Extension<Asked>,
    Input(request): Input<DeployRequest>,
) -> Answer<Report> {
    let report = change(&host, asked, move |host, by| {
        let reload = described(host, &request)?;
        Ok(Report::from(&reload.requested_by(by).run()?))
    });
    report.await.map(Json)
}

/// Says what a deployment would do, and changes nothing.
#[utoipa::path(post, path = "/v1/deploy/check", request_body = DeployRequest, responses(
    (status = 200, body = Verdict),
    (status = 400, body = Failure, description = "no build is named, or an option is unknown"),
    (status = 404, body = Failure, description = "the host keeps no history"),
    (status = 409, body = Failure, description = "the deployment would be refused before anything is loaded"),
))]
async fn check(State(host): Shared, Input(request): Input<DeployRequest>) -> Answer<Verdict> {
    let verdict = on_thread(&host, move |host| {
        Ok(Verdict::from(&described(host, &request)?.validate()?))
    });
    verdict.await.map(Json)
}

fn described<'h>(host: &'h Host, request: &DeployRequest) -> Result<Reload<'h>, Failure> {
    if request.builds.is_empty() {
        return Err(wrong("name the `builds` that were uploaded".into()));
    }
    let builds = request.builds.iter().map(|build| {
        let parsed: Result<BuildId, _> = build.parse();
        parsed.map_err(|_| wrong(format!("{:?} is no build", Shown(build).to_string())))
    });
    let builds = builds.collect::<Result<Vec<_>, _>>()?;
    let builds = history_of(host)?.uploaded(&builds)?;
    let mut reload = with_options(&host.swapper, &request.options)?.deploy(builds);
    if let Some(SignedManifest {
        name,
        text,
        signature,
    }) = &request.manifest
    {
        check_name(name)?;
        reload = reload.manifest(SentManifest::new(name, text, signature));
    }
    Ok(match request.force {
        true => reload.force(),
        false => reload,
    })
}
