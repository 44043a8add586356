//! Does the jobs that a plugin queues, while the plugin is replaced.
use anyhow::Context as _;
use clap::Parser;
use hotswap_host::prelude::*;
use hotswap_host::signal;
use livex::queue::Queue;
use livex_interfaces::JobQueue;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use tracing::{error, info, warn};

/// How long the shutdown waits for the plugins to leave memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does jobs that plugins queue. SIGUSR1 reloads the plugins; SIGINT and SIGTERM end the program, and the queue stays.
#[derive(Parser)]
struct Args {
    /// The file of the queue [default: livex.queue beside the program]
    #[arg(long, value_name = "FILE")]
    queue: Option<PathBuf>,
    /// Milliseconds between two jobs
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    interval: u64,
    /// The number of jobs to keep waiting
    #[arg(long, value_name = "COUNT", default_value_t = 6)]
    backlog: u64,
    /// Queue no more than this many jobs, and end when all are done
    #[arg(long, value_name = "COUNT")]
    days: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    hotswap_log::start()?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, stop.clone()).context("cannot listen for SIGINT and SIGTERM")?;
    }

    let file = match &args.queue {
        Some(file) => file.clone(),
        None => std::env::current_exe()?.with_file_name("livex.queue"),
    };
    let open = || format!("cannot open the queue {}", file.display());
    let queue = Arc::new(Queue::open(&file).with_context(open)?);
    let swapper = Swapper::builder()
        .provide::<dyn JobQueue>(queue.clone())
        .open()?;
    let plan: Function<fn(u32) -> hotswap_plugin::Result<u64>> =
        swapper.function("office", "plan")?;
    // Any plugin may have this function.
    let roll_call: Function<fn(&str) -> String> = swapper.live_function("roll_call")?;
    let listener = signal::reload_on(signal::USUAL, &swapper)?;

    let days = args.days.unwrap_or(u64::MAX);
    let mut introduced = 0;
    while !stop.load(Relaxed) {
        if introduced != swapper.generation() {
            introduced = introduce(&swapper, &roll_call)?;
        }
        while let (waiting, queued) = queue.counts()
            && waiting < args.backlog
            && queued < days
        {
            if let Err(failed) = plan.call(u32::try_from(queued + 1)?) {
                error!("no job for day {}: {failed}", queued + 1);
                break;
            }
        }
        work(&swapper, &queue)?;
        if let (0, queued) = queue.counts()
            && queued >= days
        {
            break;
        }
        thread::sleep(Duration::from_millis(args.interval));
    }

    drop(listener);
    for late in swapper.shutdown(PATIENCE)? {
        warn!("{late}");
    }
    info!("stopped");
    Ok(())
}

/// Does the next job, if there is one. A job that fails stays in the queue, since the next build may be able to do it.
fn work(swapper: &Swapper, queue: &Queue) -> anyhow::Result<()> {
    let Some((number, job)) = queue.next() else {
        return Ok(());
    };
    let what = format!(
        "job {number}, {} of version {}",
        job.type_name(),
        job.version()
    );
    match swapper.handle(&job) {
        Ok(result) => {
            let result = result
                .as_str()
                .map_or_else(|| result.to_string(), str::to_owned);
            queue
                .done(number, &result)
                .context("cannot write the queue")?;
            writeln!(io::stdout(), "{what}: {result}").context("cannot write to stdout")?;
        }
        Err(failed) => error!("{what}: {failed}"),
    }
    Ok(())
}

/// Prints the live items of a new generation, and returns its number.
fn introduce(swapper: &Swapper, roll_call: &Function<fn(&str) -> String>) -> anyhow::Result<u64> {
    let pin = swapper.pin();
    let mut out = io::stdout().lock();
    writeln!(out, "--- generation {} ---", pin.number())?;
    for item in pin.live_items() {
        writeln!(out, "{item}")?;
    }
    writeln!(
        out,
        "in the kitchen: {}",
        roll_call.on(&pin)?.call("kitchen")?
    )?;
    Ok(pin.number())
}
