//! Lets a spring walk down stairs, step by step. The stairs are a plugin, which is either linked into the program, or
//! loaded from a file and replaced while the program runs. A file requests the reload.
mod request;

use anyhow::Context as _;
use clap::Parser;
use hotswap_host::prelude::*;
use hotswap_host::{linked_plugins, signal};
use request::Requests;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tracing::{error, info, warn};

/// How long the shutdown waits for the plugin to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Walks down stairs with the plugin `stairs`. A file named `reload` in the directory of requests reloads the plugin,
/// and so does SIGUSR1; SIGINT and SIGTERM end the program.
#[derive(Parser)]
struct Args {
    /// The directory in which a file named `reload` requests a reload; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value = "target/slink-requests")]
    requests: PathBuf,
    /// Milliseconds between two steps
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    interval: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    hotswap_log::start()?;
    let stop = stop_signals().context("cannot listen for SIGINT and SIGTERM")?;

    // This is the plugin that `cargo hotswap build --static` has linked in. In any other build, the list is empty, and
    // plugins are loaded.
    let swapper = Swapper::builder().linked(linked_plugins!()).open()?;
    let step: Function<fn(u32) -> String> = swapper.function("stairs", "step")?;
    let listener = signal::reload_on(signal::USUAL, &swapper)?;
    let requests = Requests::watch(&args.requests, {
        let swapper = swapper.clone();
        move || reload(&swapper)
    })?;
    let how = if swapper.is_static() {
        "linked in"
    } else {
        "loaded"
    };
    info!(
        "the plugin is {how}; create {} to request a reload",
        requests.file().display()
    );

    let interval = Duration::from_millis(args.interval);
    let mut number = 0;
    while stop.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
        match step.call(number) {
            Ok(line) => writeln!(io::stdout(), "{line}").context("cannot write to stdout")?,
            Err(failed) => error!("{failed:#}"),
        }
        number += 1;
    }

    drop((requests, listener, step));
    for late in swapper.shutdown(PATIENCE)? {
        warn!("{late}");
    }
    info!("stopped");
    Ok(())
}

/// Reloads the plugin. With a linked plugin, the host refuses that with an error that says what to do.
fn reload(swapper: &Swapper) {
    match swapper.reload() {
        Ok(report) => info!("{report}"),
        Err(refused) => error!("{refused}"),
    }
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
