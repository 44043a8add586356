//! Hums a random number of times, again and again, with a plugin that is replaced while the host runs.
use anyhow::Context as _;
use clap::Parser;
use hotswap_host::prelude::*;
use hotswap_host::signal;
use hotswap_log::{Console, LogFile, LogOptions};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tracing::{error, info, warn};

/// How long the shutdown waits for the plugins to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hums with the plugin `world`. SIGUSR1 reloads it; SIGINT and SIGTERM end the program.
#[derive(Parser)]
struct Args {
    /// Write the log to this file, and not to stderr [default: where the variables HOTSWAP_LOG_* say]
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Milliseconds between two lines
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    interval: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut log = LogOptions::from_env()?;
    if let Some(file) = args.log_file {
        log.console = Console::Off;
        log.file = Some(LogFile::new(file));
    }
    log.start()?;
    let stop = stop_signals().context("cannot listen for SIGINT and SIGTERM")?;

    // `cargo hotswap run` says where the plugins are. Without it, they are in `plugins/` beside the program.
    let swapper = Swapper::builder().open()?;
    let hum: Function<fn(u32) -> String> = swapper.function("world", "hum")?;
    // The listener reloads on a thread of its own. It logs the report, or the error, after which the old build keeps
    // running.
    let listener = signal::reload_on(signal::USUAL, &swapper)?;
    // From here on, the signal reloads the plugin. Before, it would have ended the program.
    info!("{}", loaded(&swapper));

    let interval = Duration::from_millis(args.interval);
    while stop.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
        match line(&swapper, &hum, fastrand::u32(1..=8)) {
            Ok(line) => writeln!(io::stdout(), "{line}").context("cannot write to stdout")?,
            Err(failed) => error!("{failed:#}"),
        }
    }

    drop(listener);
    for late in swapper.shutdown(PATIENCE)? {
        warn!("{late}");
    }
    info!("stopped");
    Ok(())
}

/// Returns the humming, the build, and the number of reloads. With the pin, all three belong together.
fn line(
    swapper: &Swapper,
    hum: &Function<fn(u32) -> String>,
    times: u32,
) -> anyhow::Result<String> {
    let pin = swapper.pin();
    let listing = pin.listing();
    let plugin = listing.plugins.iter().find(|plugin| plugin.name == "world");
    let plugin = plugin.context("the plugin world is not loaded")?;
    let hummed = hum.on(&pin)?.call(times)?;
    Ok(format!(
        "{} (build {:.8}, reload {}): {}",
        plugin.name,
        plugin.build_id,
        listing.reloads,
        hummed.trim_end()
    ))
}

/// Returns a line such as `1 plugin loaded: world`.
fn loaded(swapper: &Swapper) -> String {
    let plugins = swapper.listing().plugins;
    let names: Vec<_> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    format!(
        "{} plugin{plural} loaded: {}",
        names.len(),
        names.join(", ")
    )
}

/// Receives SIGINT and SIGTERM.
fn stop_signals() -> io::Result<Receiver<i32>> {
    let (sender, receiver) = mpsc::channel();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new()
        .name("stop-signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    break;
                }
            }
        })?;
    Ok(receiver)
}
