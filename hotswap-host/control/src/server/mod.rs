//! The endpoint: its thread, its socket, and its connections.
mod answer;
mod asked;
#[cfg(feature = "history")]
mod audit;
mod caller;
mod calls;
#[cfg(feature = "history")]
mod deploy;
mod description;
mod events;
#[cfg(fuzzing)]
pub mod fuzzing;
#[cfg(feature = "health")]
mod health;
#[cfg(feature = "history")]
mod history;
#[cfg(feature = "log")]
mod host_log;
mod input;
mod limit;
mod log;
mod patches;
mod plugins;
mod record;
mod routes;
mod rules;
#[cfg(feature = "tls")]
mod tcp;
mod traces;

use crate::api::{Failure, FailureKind};
use answer::joined;
use asked::Asked;
use axum::Router;
use axum::http::header::{CONNECTION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use caller::{Caller, Stranger};
use hotswap_host::runtime::RuntimeError;
use hotswap_host::{ReloadEvent, Swapper};
#[cfg(feature = "history")]
use hotswap_operate::History;
#[cfg(feature = "health")]
use hotswap_operate::{HealthMonitor, Incident};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use limit::Limit;
use log::Log;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

pub use routes::openapi;
#[cfg(feature = "tls")]
pub use tcp::{Tcp, TcpError};

/// The number of connections that are served at the same time. Others wait.
const CONNECTIONS: usize = 256;
/// The number of requests that the host answers at the same time. Others wait.
const THREADS: usize = 8;
/// The time that a client has for the head of a request. It is also the longest time that a connection may be idle.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// The time between two looks at the place of the socket.
const PAUSE: Duration = Duration::from_secs(5);
/// The time after an error of the socket.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// The control endpoint of a host, before it is served.
///
/// ```no_run
/// use hotswap_control::Control;
/// use hotswap_host::Swapper;
///
/// let control = Control::new();
/// let swapper = Swapper::builder().observe(control.observer()).open()?;
/// let serving = control.serve(&swapper)?;
/// // …
/// drop(serving);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Control {
    log: Arc<Log>,
    metrics: Option<Box<Metrics>>,
    #[cfg(feature = "log")]
    host_log: Option<hotswap_log::Log>,
    #[cfg(feature = "health")]
    health: Option<HealthMonitor>,
    #[cfg(feature = "history")]
    history: Option<Arc<History>>,
    #[cfg(feature = "tls")]
    tcp: Option<Tcp>,
}

/// Returns the metrics of a host as text.
type Metrics = dyn Fn() -> String + Send + Sync;

/// The reason why a control endpoint is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The socket cannot be made.
    #[error("the control socket cannot be made: {0}")]
    Socket(#[from] RuntimeError),
    /// The thread cannot be started, or cannot wait for connections.
    #[error("the control endpoint cannot be started: {0}")]
    Start(#[from] io::Error),
    /// The TCP address cannot be served.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tcp(#[from] TcpError),
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// Returns an endpoint that serves nothing yet.
    pub fn new() -> Self {
        Control {
            log: Arc::new(Log::new()),
            metrics: None,
            #[cfg(feature = "log")]
            host_log: None,
            #[cfg(feature = "health")]
            health: None,
            #[cfg(feature = "history")]
            history: None,
            #[cfg(feature = "tls")]
            tcp: None,
        }
    }

    /// Serves requests on a TCP address with TLS, too. By default, there is none.
    #[cfg(feature = "tls")]
    pub fn tcp(mut self, tcp: Tcp) -> Self {
        self.tcp = Some(tcp);
        self
    }

    /// Lets the endpoint show this history, and go back to what it has. Give it to the host as its
    /// [journal](hotswap_host::Builder::journal), too.
    #[cfg(feature = "history")]
    pub fn history(mut self, history: Arc<History>) -> Self {
        self.history = Some(history);
        self
    }

    /// Lets the endpoint show and change the log of the host.
    #[cfg(feature = "log")]
    pub fn log(mut self, log: hotswap_log::Log) -> Self {
        self.host_log = Some(log);
        self
    }

    /// Lets the endpoint show the health of the host and its plugins.
    #[cfg(feature = "health")]
    pub fn health(mut self, monitor: HealthMonitor) -> Self {
        self.health = Some(monitor);
        self
    }

    /// Returns the function for [`HealthMonitorBuilder::tell`](hotswap_operate::HealthMonitorBuilder::tell), which adds
    /// incidents to the events.
    #[cfg(feature = "health")]
    pub fn incidents(&self) -> impl Fn(&Incident) + Send + Sync + use<> {
        let log = self.log.clone();
        move |incident| log.add_incident(incident)
    }

    /// Lets the endpoint serve metrics at `/metrics`, in the text format of Prometheus, which `render` returns. It is called
    /// for each request, on a thread of the endpoint.
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.metrics = Some(Box::new(render));
        self
    }

    /// Returns the observer for [`Builder::observe`](hotswap_host::Builder::observe), from which the endpoint knows what
    /// happens.
    pub fn observer(&self) -> impl Fn(&ReloadEvent<'_>) + Send + Sync + use<> {
        let log = self.log.clone();
        move |event| log.add(event)
    }

    /// Serves requests on a socket in the host's runtime directory, on a thread of its own, until the result is dropped.
    ///
    /// # Errors
    /// The socket cannot be made, a TCP address that was asked for cannot be served, or the thread cannot be started. The
    /// host goes on without an endpoint.
    pub fn serve(self, swapper: &Swapper) -> Result<Serving, ControlError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(THREADS)
            .thread_name("hotswap-control")
            .build()?;
        #[cfg(feature = "tls")]
        let tcp = self.tcp.clone();
        #[cfg(feature = "tls")]
        let tcp = tcp.map(|tcp| tcp::Endpoint::open(tcp, &runtime));
        #[cfg(feature = "tls")]
        let tcp = tcp.transpose()?;
        #[cfg(feature = "tls")]
        let address = tcp.as_ref().map(|(_, listener)| listener.local_addr());
        #[cfg(feature = "tls")]
        let address = address.transpose()?;
        let listener = swapper.bind_control()?;
        let (stop, stopped) = watch::channel(false);
        let host = self.host(swapper, stopped);
        let thread = std::thread::Builder::new().name("hotswap-control".into());
        let thread = thread.spawn(move || {
            #[cfg(feature = "tls")]
            if let Some((endpoint, listener)) = tcp {
                runtime.spawn(tcp::accept(host.clone(), endpoint, listener));
            }
            runtime.spawn(calls::end_counting(host.clone()));
            runtime.block_on(accept(&host, listener));
            // A request that has begun goes on, on its own thread.
            runtime.shutdown_background();
        })?;
        Ok(Serving {
            stop,
            thread: Some(thread),
            #[cfg(feature = "tls")]
            address,
        })
    }

    /// Returns what all requests share.
    fn host(self, swapper: &Swapper, stopped: watch::Receiver<bool>) -> Arc<Host> {
        Arc::new(Host {
            swapper: swapper.clone(),
            log: self.log,
            metrics: self.metrics,
            #[cfg(feature = "log")]
            host_log: self.host_log,
            #[cfg(feature = "health")]
            health: self.health,
            #[cfg(feature = "history")]
            history: self.history,
            started: Instant::now(),
            refusals: Limit::new(),
            counting: calls::Counting::default(),
            stopped,
        })
    }
}

/// A control endpoint that is served. Dropping it ends it. Its requests that the host has begun go on.
///
/// It keeps the host's [`Swapper`] open, so drop it before the swapper is shut down.
#[must_use = "dropping it ends the endpoint"]
pub struct Serving {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    #[cfg(feature = "tls")]
    address: Option<std::net::SocketAddr>,
}

#[cfg(feature = "tls")]
impl Serving {
    /// The TCP address that is served, if there is one. If port 0 was asked for, this is the one that the system has chosen.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.address
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What all requests share.
struct Host {
    swapper: Swapper,
    log: Arc<Log>,
    metrics: Option<Box<Metrics>>,
    #[cfg(feature = "log")]
    host_log: Option<hotswap_log::Log>,
    #[cfg(feature = "health")]
    health: Option<HealthMonitor>,
    #[cfg(feature = "history")]
    history: Option<Arc<History>>,
    started: Instant,
    refusals: Limit,
    counting: calls::Counting,
    /// Becomes true when the endpoint ends.
    stopped: watch::Receiver<bool>,
}

/// Accepts connections until the endpoint ends.
async fn accept(host: &Arc<Host>, first: StdListener) {
    let routes = routes::router(host.clone());
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stopped = host.stopped.clone();
    let mut listener = listening(first);
    // Its time comes however many connections there are.
    let mut look = tokio::time::interval(PAUSE);
    loop {
        let one = async {
            let permit = connections.clone().acquire_owned().await;
            match &listener {
                Some(listener) => (permit, listener.accept().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            accepted = one => match accepted {
                (Ok(permit), Ok((stream, _))) => {
                    let peer = Peer::Process(Caller::of(&stream));
                    tokio::spawn(serve(host.clone(), stream, peer, routes.clone(), permit));
                }
                // There are too many open files, for example. The client waits.
                _ => tokio::time::sleep(AFTER_ERROR).await,
            },
            _ = look.tick() => {
                if !host.swapper.has_control()
                    && let Ok(again) = host.swapper.bind_control()
                {
                    listener = listening(again);
                }
            }
        }
    }
}

fn listening(listener: StdListener) -> Option<UnixListener> {
    listener.set_nonblocking(true).ok()?;
    UnixListener::from_std(listener).ok()
}

/// The other end of a connection.
#[derive(Clone)]
enum Peer {
    /// A process of this machine.
    Process(Result<Caller, Stranger>),
    #[cfg(feature = "tls")]
    Remote(tcp::Remote),
}

impl Peer {
    /// Returns who has sent a request with these headers.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Stranger> {
        let _ = headers;
        match self {
            Peer::Process(caller) => caller.clone(),
            #[cfg(feature = "tls")]
            Peer::Remote(remote) => remote.caller(headers),
        }
    }
}

/// Serves the requests of a connection.
async fn serve(
    host: Arc<Host>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    routes: Router,
    permit: OwnedSemaphorePermit,
) {
    let service = tower::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let (host, routes, peer) = (host.clone(), routes.clone(), peer.clone());
        async move {
            Ok::<_, std::convert::Infallible>(match peer.caller(request.headers()) {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    let is_safe = request.method().is_safe();
                    let answering = async move {
                        let answered = routes.oneshot(request.map(axum::body::Body::new)).await;
                        answered.map_err(|never| match never {})
                    };
                    let answered = match is_safe {
                        true => answering.await,
                        // The host completes and records a request that may change something, even if the client leaves.
                        false => joined(tokio::spawn(answering)).await,
                    };
                    answered.unwrap_or_else(Failure::into_response)
                }
                Err(stranger) => {
                    let what = format!("{} {}", request.method(), request.uri().path());
                    let asked = Asked::unknown(&stranger.who, what);
                    let mut response = asked.refused(&host, stranger.failure).await;
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                    response
                }
            })
        }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .await;
    drop(permit);
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        use axum::http::StatusCode;
        let status = match self.kind {
            FailureKind::Request => StatusCode::BAD_REQUEST,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::Refused => StatusCode::CONFLICT,
            FailureKind::Forbidden => StatusCode::FORBIDDEN,
            FailureKind::Unauthorized => StatusCode::UNAUTHORIZED,
            FailureKind::Internal | FailureKind::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = (status, axum::Json(&self)).into_response();
        if self.kind == FailureKind::Unauthorized {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self);
        response
    }
}
