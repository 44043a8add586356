//! Hears and weighs what plugins have put into the host's slots, while the plugins are replaced.
use anyhow::Context as _;
use clap::Parser;
use extension_sounds::Sounds;
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

/// The time between two looks for something to do.
const LOOK: Duration = Duration::from_millis(20);

/// How long the shutdown waits for the plugins to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls the objects that plugins have put into slots. SIGUSR1 reloads the plugins; SIGINT and SIGTERM end the program.
#[derive(Parser)]
struct Args {
    /// Milliseconds between two sounds
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

    let swapper = Swapper::builder().extension::<Sounds>().open()?;
    let listener = signal::reload_on(signal::USUAL, &swapper)?;

    let mut introduced = 0;
    let mut next = Instant::now();
    while !stop.load(Relaxed) {
        // The objects in the slots belong to one generation, which the pin keeps.
        let pin = swapper.pin();
        let is_new = pin.number() != introduced;
        if is_new {
            introduce(&pin).context("cannot write to stdout")?;
            introduced = pin.number();
        }
        if is_new || Instant::now() >= next {
            let sounds = pin.extension().context("the host has this extension")?;
            match hear(sounds) {
                Ok(heard) => writeln!(io::stdout(), "{heard}").context("cannot write to stdout")?,
                Err(failed) => error!("{failed}"),
            }
            next = Instant::now() + interval;
        }
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

/// Prints the data bag of a new generation, with the plugin of each value.
fn introduce(pin: &Pin<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "--- generation {} ---", pin.number())?;
    pin.bag_items().try_for_each(|item| writeln!(out, "{item}"))
}

/// Returns the next sound and its weight. Either slot may be empty.
fn hear(sounds: &Sounds) -> anyhow::Result<String> {
    let Some(heard) = sounds.meow.call(|cat| cat.meow())? else {
        return Ok("silence".into());
    };
    let weighed = sounds.weigh.call(|scale| scale.weigh(&heard))?;
    Ok(match weighed {
        Some(weight) => format!("{heard}: {weight}"),
        None => heard,
    })
}
