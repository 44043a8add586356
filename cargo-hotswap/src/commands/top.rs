//! `cargo hotswap top`: the screen, the terminal, and the host.

use std::io::IsTerminal as _;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hotswap_control::api::FailureKind;
use hotswap_control::{Client, ClientError};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::Error;
use crate::chosen::client;
use crate::cli::TopArgs;
use crate::error::exit;
use crate::session::Session;
use crate::top::{Model, Sample, draw};

/// How long it takes at most until an interruption or a new sample is noticed.
const SLICE: Duration = Duration::from_millis(100);
/// The shortest time between two looks at the host.
const SHORTEST: Duration = Duration::from_millis(100);

/// Shows what a host does, until a key ends it.
pub(crate) fn execute(session: &Session, args: &TopArgs) -> Result<u8, Error> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let client = client(session, &args.host)?;
    // The command reports an error of the host before it takes the screen.
    let first = sample(&client)?;
    let mut model = Model::default();
    model.take(Ok(first));
    let samples = ask(client, args.delay.max(SHORTEST));
    let terminal = ratatui::try_init().map_err(|source| Error::Screen { source })?;
    let ended = show(session, terminal, &mut model, &samples);
    let restored = ratatui::try_restore();
    ended?;
    restored.map_err(|source| Error::Screen { source })?;
    Ok(exit::SUCCESS)
}

fn sample(client: &Client) -> Result<Sample, ClientError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let health = match client.health() {
        Ok(health) => Some(health),
        Err(ClientError::Failure(failure)) if failure.kind == FailureKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(Sample {
        status: client.status()?,
        calls: client.calls()?,
        health,
        now: since.unwrap_or_default().as_secs_f64(),
    })
}

/// Asks the host again and again, on a thread of its own, until nobody listens any more.
fn ask(client: Client, delay: Duration) -> Receiver<Result<Sample, String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        loop {
            thread::sleep(delay);
            let sample = sample(&client).map_err(|error| error.to_string());
            if sender.send(sample).is_err() {
                return;
            }
        }
    });
    receiver
}

fn show(
    session: &Session,
    mut terminal: DefaultTerminal,
    model: &mut Model,
    samples: &Receiver<Result<Sample, String>>,
) -> Result<(), Error> {
    let failed = |source| Error::Screen { source };
    let mut is_changed = true;
    loop {
        session.interrupt.check()?;
        if is_changed {
            terminal.draw(|frame| draw(frame, model)).map_err(failed)?;
        }
        is_changed = false;
        if event::poll(SLICE).map_err(failed)? {
            is_changed = true;
            if let Event::Key(key) = event::read().map_err(failed)?
                && key.kind != KeyEventKind::Release
                && !model.press(key)
            {
                return Ok(());
            }
        }
        for sample in samples.try_iter() {
            model.take(sample);
            is_changed = true;
        }
    }
}
