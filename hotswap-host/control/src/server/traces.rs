//! Traces of functions, as streams of calls. A trace ends with its stream, and nothing of it is left then.
use super::Host;
use super::answer::{Shared, on_thread};
use super::input::Input;
use super::plugins::find;
use crate::api::{Failure, FailureKind, TraceBegun, TraceRequest, TracedCall, of_host::seconds};
use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event as Sent, KeepAlive};
use futures_util::stream::{self, Stream};
use hotswap_host::{LiveKind, Trace, TraceOptions, TracedCall as Told};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The number of calls that wait for the client. Further ones are counted as lost, since no call waits for a client.
const WAITING: usize = 1024;
/// The time after which a client that has gone is noticed, also if there are no calls.
const ALIVE: Duration = Duration::from_secs(1);
/// The name that stands for all functions.
const ALL: &str = "*";

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(trace))
}

/// Streams the calls of a function that the host makes, as server-sent events.
///
/// The first event is `begun`, with a `TraceBegun` as data. Each call is an event `call`, with a `TracedCall`. `lost` has the
/// number of calls that were not told because the client is too slow. The last event is `ended`, with the reason. The trace
/// ends when its time is up or the client goes.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/trace",
    params(("plugin", description = "The plugin.")),
    request_body = TraceRequest,
    responses(
        (status = 200, content_type = "text/event-stream", body = TracedCall),
        (status = 400, body = Failure, description = "no function is named, or a number makes no sense"),
        (status = 404, body = Failure, description = "no such plugin is loaded, or it has no such function"),
        (status = 409, body = Failure, description = "the function cannot be traced by its name alone"),
    )
)]
async fn trace(
    State(host): Shared,
    Path(name): Path<String>,
    Input(request): Input<TraceRequest>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Failure> {
    let wrong = |text: &str| Failure::new(FailureKind::Request, text);
    if request.function.is_empty() {
        return Err(wrong("name a `function`, or `*` for all of them"));
    }
    if request.sample == Some(0) {
        return Err(wrong("`sample` is at least 1"));
    }
    let length = request.seconds.map(Duration::try_from_secs_f64).transpose();
    let length = length.map_err(|error| wrong(&format!("`seconds` is no time: {error}")))?;
    let (sender, calls) = mpsc::channel(WAITING);
    let lost = Arc::<AtomicU64>::default();
    let channel = Channel {
        sender,
        lost: lost.clone(),
    };
    let (begun, traces) =
        on_thread(&host, move |host| begin(host, &name, &request, &channel)).await?;
    let end = length.and_then(|length| Instant::now().checked_add(length));
    let follow = Follow {
        begun: Some(begun),
        calls,
        lost,
        end,
        stopped: host.stopped.clone(),
        traces: Some(traces),
    };
    let events = stream::unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// The way of the calls to the client.
#[derive(Clone)]
struct Channel {
    sender: mpsc::Sender<TracedCall>,
    lost: Arc<AtomicU64>,
}

impl Channel {
    /// Passes a call on. This runs on the thread of the call, so it does not wait.
    fn tell(&self, call: &Told) {
        let text = |value: &hotswap_host::Value| value.to_string();
        let arguments = call.arguments.as_ref();
        let told = TracedCall {
            plugin: call.plugin.clone(),
            function: call.function.clone(),
            at: seconds(SystemTime::now()),
            arguments: arguments.map(|all| all.iter().map(text).collect()),
            result: call.result.as_ref().ok().and_then(Option::as_ref).map(text),
            panicked: call.result.as_ref().err().cloned(),
            took: call.took.as_secs_f64(),
            text: call.to_string(),
        };
        if self.sender.try_send(told).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// The traces of a stream. They end on a thread of their own, because that may wait for the host.
struct Traces(Vec<Trace>);

impl Drop for Traces {
    fn drop(&mut self) {
        let traces = std::mem::take(&mut self.0);
        let thread = std::thread::Builder::new().name("hotswap-trace".into());
        // Without a thread, the closure is dropped here, and the traces with it.
        let _ = thread.spawn(move || drop(traces));
    }
}

fn begin(
    host: &Host,
    name: &str,
    request: &TraceRequest,
    channel: &Channel,
) -> Result<(TraceBegun, Traces), Failure> {
    let plugin = find(&host.swapper, name)?.name;
    let mut options = TraceOptions::default().sample(request.sample.unwrap_or(1));
    if !request.values {
        options = options.without_values();
    }
    let mut traces = Traces(Vec::new());
    let mut begun = TraceBegun {
        plugin,
        functions: Vec::new(),
        left_out: Vec::new(),
    };
    let names = match request.function.as_str() {
        ALL => all_of(host, &begun.plugin),
        function => vec![function.to_owned()],
    };
    for function in names {
        let channel = channel.clone();
        let tell = move |call: &Told| channel.tell(call);
        let trace = host
            .swapper
            .trace_by_name(&begun.plugin, &function, options, tell);
        match trace {
            Ok(trace) => {
                traces.0.push(trace);
                begun.functions.push(function);
            }
            Err(error) if request.function == ALL => begun.left_out.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if begun.functions.is_empty() {
        let text = format!("{} has no functions that can be traced", begun.plugin);
        return Err(Failure::new(FailureKind::NotFound, text));
    }
    Ok((begun, traces))
}

/// Returns the functions of a plugin, as they are called by name, and its live functions.
fn all_of(host: &Host, plugin: &str) -> Vec<String> {
    let Some(metadata) = host.swapper.metadata(plugin) else {
        return Vec::new();
    };
    let functions = metadata.functions.into_iter().map(|it| it.name);
    let live = metadata.live.into_iter();
    let live = live.filter(|it| it.kind == LiveKind::Function);
    functions.chain(live.map(|it| it.name)).collect()
}

/// A client that follows a trace.
struct Follow {
    /// The first event, until it was sent.
    begun: Option<TraceBegun>,
    calls: mpsc::Receiver<TracedCall>,
    lost: Arc<AtomicU64>,
    end: Option<Instant>,
    stopped: watch::Receiver<bool>,
    /// `None` once the trace has ended.
    traces: Option<Traces>,
}

impl Follow {
    /// Returns the next event, or `None` after the last one.
    async fn next(&mut self) -> Option<Sent> {
        if let Some(begun) = self.begun.take() {
            return event("begun", &begun);
        }
        self.traces.as_ref()?;
        let lost = self.lost.swap(0, Relaxed);
        if lost > 0 {
            return event("lost", &lost);
        }
        let end = self.end;
        let time_is_up = async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        let reason = tokio::select! {
            // A function that is called all the time must not outlive its trace.
            biased;
            _ = self.stopped.wait_for(|stopped| *stopped) => "the endpoint has ended",
            () = time_is_up => "the time is up",
            call = self.calls.recv() => match call {
                Some(call) => return event("call", &call),
                None => "the functions are gone",
            },
        };
        self.traces = None;
        event("ended", &reason)
    }
}

fn event(name: &str, data: &impl Serialize) -> Option<Sent> {
    Sent::default().event(name).json_data(data).ok()
}
