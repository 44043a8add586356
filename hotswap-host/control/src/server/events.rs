//! The stream of events.
use super::Host;
use super::answer::Shared;
use super::input::Params;
use super::log::{Log, Next};
use crate::api;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event as Sent, KeepAlive};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The header with the last event that a client has seen.
const LAST_EVENT: &str = "last-event-id";

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(events))
}

/// Where a stream of events begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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
    Params(query): Params<After>,
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
