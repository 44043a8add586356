//! A web server on axum. Its handlers await async functions of plugins, which are replaced while connections are open.
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Parser;
use hotswap_control::Control;
use hotswap_host::ReloadOptions;
use hotswap_host::prelude::*;
use hotswap_host::signal;
use hotswap_operate::{HealthMonitor, History, HostMetrics, Systemd};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::fmt::Display;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal as signals};
use tracing::{info, warn};
use web_interfaces::Refused;

/// How long the shutdown waits for the plugins to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves pages that plugins make. SIGUSR1 reloads the plugins; SIGINT and SIGTERM end the program after all requests
/// are answered.
#[derive(Parser)]
struct Args {
    /// The address to listen on; with port 0, the system chooses a port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// Keep the history of reloads in this directory, and start on the builds that have proven themselves
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// The functions that the handlers call, always in the newest builds.
#[derive(Clone)]
struct Pages {
    home: AsyncFunction<fn() -> String>,
    sign: AsyncFunction<fn(&str) -> Result<String, Refused>>,
    nap: AsyncFunction<fn(u64) -> String>,
}

fn main() -> anyhow::Result<()> {
    // A probe of new builds is this program, started once more.
    hotswap_host::init();
    let args = Args::parse();
    let log = hotswap_log::start()?;
    let options = ReloadOptions::development().with_environment()?;
    let exporter = PrometheusBuilder::new().install_recorder()?;
    let metrics = HostMetrics::new();
    let systemd = Systemd::new();
    let mut control = Control::new();
    let mut builder = Swapper::builder()
        .reload_options(options)
        .observe(metrics.observer())
        .observe(systemd.observer())
        .observe(control.observer());
    if let Some(dir) = &args.state_dir {
        let history = History::open(dir)?;
        builder = builder.journal(history.clone());
        control = control.history(history);
    }
    let swapper = builder.open()?;
    metrics.count_calls(&swapper)?;
    let monitor = HealthMonitor::builder(&swapper).tell(control.incidents());
    let monitor = monitor.start()?;
    metrics.health(&monitor);
    let render = move || {
        metrics.publish();
        exporter.render()
    };
    // `cargo hotswap status`, `log`, and others ask there.
    let control = control
        .health(monitor.clone())
        .log(log)
        .metrics(render)
        .serve(&swapper)?;
    let pages = Pages {
        home: swapper.async_function("pages", "home")?,
        sign: swapper.async_function("pages", "sign")?,
        nap: swapper.async_function("pages", "nap")?,
    };
    // The listener reloads on a thread of its own, so no request waits for a new build to be loaded.
    let reloads = signal::reload_on(signal::USUAL, &swapper)?;

    let runtime = tokio::runtime::Runtime::new().context("cannot start threads")?;
    runtime.block_on(serve(args.listen, pages, systemd.health(monitor), &swapper))?;
    drop(runtime);

    drop(reloads);
    drop(control);
    for late in swapper.shutdown(PATIENCE)? {
        warn!("{late}");
    }
    info!("stopped");
    Ok(())
}

/// Serves until a signal comes, and then until all requests are answered.
async fn serve(
    address: SocketAddr,
    pages: Pages,
    systemd: Systemd,
    swapper: &Swapper,
) -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/", get(home))
        .route("/guests", post(sign))
        .route("/nap/{millis}", get(nap))
        .with_state(pages);
    let mut interrupt = signals(SignalKind::interrupt())?;
    let mut terminate = signals(SignalKind::terminate())?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "listening on http://{address}").context("cannot write to stdout")?;
    // If systemd has started the program, it waits for that.
    let service = systemd.ready(swapper)?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        drop(service);
    };
    axum::serve(listener, routes)
        .with_graceful_shutdown(stop)
        .await
        .context("cannot serve")
}

async fn home(State(pages): State<Pages>) -> Result<String, Failed> {
    Ok(pages.home.call().await?)
}

async fn sign(State(pages): State<Pages>, name: String) -> Result<String, Failed> {
    Ok(pages.sign.call(&name).await?)
}

async fn nap(State(pages): State<Pages>, Path(millis): Path<u64>) -> Result<String, Failed> {
    Ok(pages.nap.call(millis).await?)
}

/// A request that failed.
struct Failed(StatusCode, String);

impl<E: Display> From<CallError<E>> for Failed {
    /// An error that the plugin returns is the fault of the client. A panic fails this request, and no other one.
    fn from(error: CallError<E>) -> Self {
        let status = match error {
            CallError::Returned(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Failed(status, format!("{error}\n"))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
