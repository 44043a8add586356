//! The calls of plugins, in numbers. They are counted for as long as somebody asks.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::input::Params;
use crate::api::{Calls, Failure, Latency, PluginCalls};
use axum::Json;
use axum::extract::State;
use hotswap_host::{CountedCalls, ReloadError, Swapper};
use serde::Deserialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The time after the last question for which calls are counted.
const KEPT: Duration = Duration::from_secs(10);
/// The time between two looks at whether somebody still asks.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(calls))
}

/// What counts the calls, and the time of the last question.
#[derive(Default)]
pub(super) struct Counting(Mutex<Option<(CountedCalls, Instant)>>);

impl Counting {
    /// Counts calls from now on.
    fn begin(&self, swapper: &Swapper) -> Result<(), ReloadError> {
        let mut counting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *counting {
            Some((_, at)) => *at = Instant::now(),
            None => *counting = Some((swapper.count_calls_meanwhile()?, Instant::now())),
        }
        Ok(())
    }

    /// Returns what counts the calls, if nobody has asked for a while.
    fn left(&self) -> Option<CountedCalls> {
        let mut counting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted, _) = counting.take_if(|(_, at)| at.elapsed() > KEPT)?;
        Some(counted)
    }
}

/// Ends the counting of calls again and again, when nobody asks any more.
pub(super) async fn end_counting(host: Arc<Host>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Some(counted) = host.counting.left() {
            // It waits for a running reload.
            let _ = tokio::task::spawn_blocking(move || drop(counted)).await;
        }
    }
}

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    count: bool,
}

/// Returns the numbers of the calls of all live plugins, with their durations and the memory of the plugins.
#[utoipa::path(get, path = "/v1/calls",
    params(("count" = Option<bool>, Query, description = "Counts the calls until nobody has asked for ten seconds, if the host does not do so by itself.")),
    responses(
        (status = 200, body = Calls),
        (status = 409, body = Failure, description = "the host is about to end"),
    )
)]
async fn calls(State(host): Shared, Params(wanted): Params<Wanted>) -> Answer<Calls> {
    let calls = on_thread(&host, move |host| {
        if wanted.count {
            host.counting.begin(&host.swapper)?;
        }
        Ok(calls_of(host))
    });
    calls.await.map(Json)
}

fn calls_of(host: &Host) -> Calls {
    let swapper = &host.swapper;
    let (counts, memory, latencies) = (
        swapper.call_counts(),
        swapper.memory_in_use(),
        swapper.call_latencies(),
    );
    let plugins = swapper.listing().plugins.into_iter().map(|plugin| {
        let name = &plugin.name;
        let counted = counts.iter().find(|it| it.plugin.as_ref() == Some(name));
        let memory = memory.iter().find(|it| it.plugin == *name);
        let latency = latencies.iter().find(|it| it.plugin == *name);
        let in_flight = swapper.in_flight(name.as_str()).into_iter();
        PluginCalls {
            plugin: name.to_string(),
            calls: counted.map_or(0, |it| it.calls),
            errors: counted.map_or(0, |it| it.errors),
            panics: counted.map_or(0, |it| it.panics),
            in_flight: in_flight.map(|build| build.calls).sum(),
            memory: memory.and_then(|it| it.bytes),
            latency: latency.map(|it| Latency {
                timed: it.timed,
                median: it.median.as_secs_f64(),
                p99: it.p99.as_secs_f64(),
            }),
        }
    });
    Calls {
        plugins: plugins.collect(),
        at: host.started.elapsed().as_secs_f64(),
    }
}
