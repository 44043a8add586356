//! Calls the last of three plugins that need each other, once a second, while any of them is replaced.
use anyhow::Context as _;
use clap::Parser;
use hotswap_host::prelude::*;
use hotswap_host::{Pin, signal};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};
use trine_interfaces::Gamma;

/// The time between two looks for something to do.
const LOOK: Duration = Duration::from_millis(20);

/// How long the shutdown waits for the plugins to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// The number of beats before they start again.
const BEATS: u32 = 8;

/// Calls plugins that need each other. SIGUSR1 reloads the plugins; SIGINT and SIGTERM end the program.
#[derive(Parser)]
struct Args {
    /// Milliseconds between two pulses
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    interval: u64,
}

fn main() -> anyhow::Result<()> {
    let interval = Duration::from_millis(Args::parse().interval);
    hotswap_log::start()?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, stop.clone()).context("cannot listen for SIGINT and SIGTERM")?;
    }

    let swapper = Swapper::builder().open()?;
    // This is always the newest gamma, which calls the alpha and the beta of its own generation.
    let gamma: Interface<dyn Gamma> = swapper.interface("gamma")?;
    let listener = signal::reload_on(signal::USUAL, &swapper)?;

    let mut introduced = 0;
    let mut next = Instant::now();
    let mut beats = (1..=BEATS).cycle();
    while !stop.load(Relaxed) {
        let pin = swapper.pin();
        let is_new = pin.number() != introduced;
        if is_new {
            introduce(&pin).context("cannot write to stdout")?;
            introduced = pin.number();
        }
        if is_new || Instant::now() >= next {
            let beat = beats.next().unwrap_or(1);
            match gamma.on(&pin)?.call(|gamma| gamma.pulse(beat)) {
                Ok(pulse) => writeln!(io::stdout(), "{pulse}").context("cannot write to stdout")?,
                Err(failed) => error!("{failed}"),
            }
            next = Instant::now() + interval;
        }
        // A pin would keep its generation in memory during the sleep.
        drop(pin);
        thread::sleep(LOOK);
    }

    drop(listener);
    for late in swapper.shutdown(PATIENCE)? {
        warn!("{late}");
    }
    info!("stopped");
    Ok(())
}

/// Makes each plugin of a new generation say what it does. Imported plugins come before their importers.
fn introduce(pin: &Pin<'_>) -> io::Result<()> {
    let all = pin.invoke_each("introduce", &[]);
    let mut out = io::stdout().lock();
    writeln!(out, "--- generation {} ---", pin.number())?;
    for (plugin, said) in all {
        match said {
            Ok(said) => writeln!(out, "{plugin} {said}")?,
            Err(failed) => error!("{failed}"),
        }
    }
    Ok(())
}
