//! A reload of a host through its control endpoint, with what happens shown as it happens.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use hotswap_control::api::{Event, EventKind, FailureKind, Report, Status, Step, Verdict};
use hotswap_control::{Client, ClientError, Notice};
use serde::Serialize;

use super::{Asked, Ended, Outcome};
use crate::Error;
use crate::session::Session;
use crate::topic::Topic;

/// How long it takes at most until an interruption is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// A message from one of the threads that wait for the host.
enum Message {
    /// The host has been reached. This is its state before the request.
    Began(Box<Status>),
    Event(Box<Event>),
    /// The stream of events has ended, or has a gap.
    NoEvents,
    Answer(Result<Report, ClientError>),
    /// The answer to a dry run.
    Verdict(Result<Verdict, ClientError>),
    /// Events up to this one came before the answer.
    UpTo(u64),
}

/// The result as JSON.
#[derive(Serialize)]
struct Told<'a> {
    pid: u32,
    through: &'static str,
    result: &'a str,
    text: &'a str,
    report: Option<&'a Report>,
    verdict: Option<&'a Verdict>,
}

/// How a rollback window has closed.
struct Closed {
    attempt: u64,
    outcome: String,
    result: String,
    permanent: bool,
}

/// The progress of a request, as far as the host has told of it.
struct Progress<'a> {
    session: &'a Session,
    asked: &'a Asked,
    pid: u32,
    seen: u64,
    up_to: Option<u64>,
    has_events: bool,
    closed: Option<Closed>,
    /// True once it was said that the window is open.
    waits: bool,
}

/// Makes the host of a client reload, shows the steps as they end, and prints the report and the verdict.
pub(super) fn reload(session: &Session, client: &Client, asked: &Asked) -> Result<Outcome, Error> {
    let (sender, receiver) = mpsc::channel();
    ask(client, asked, &sender);
    let mut progress = Progress {
        session,
        asked,
        pid: 0,
        seen: 0,
        up_to: None,
        has_events: !asked.without_steps,
        closed: None,
        waits: false,
    };
    let ended = progress.follow(client, &sender, &receiver);
    if let Err(Error::Interrupted { .. }) = ended
        && !asked.dry_run
    {
        session.ui.warn(
            "the host goes on with the reload by its own rules; `cargo hotswap status` shows how it stands",
        );
    }
    ended
}

/// Asks on a thread of its own, because nothing interrupts the wait for an answer.
fn ask(client: &Client, asked: &Asked, sender: &Sender<Message>) {
    let (client, asked, sender) = (client.clone(), asked.clone(), sender.clone());
    thread::spawn(move || asked_of(&client, &asked, &sender));
}

/// Tells what the host answers. Ends early if nobody listens any more, because the command has ended.
fn asked_of(client: &Client, asked: &Asked, sender: &Sender<Message>) -> Option<()> {
    let tell = |message| sender.send(message).ok();
    if !asked.without_steps {
        let status = match client.status() {
            Ok(status) => status,
            Err(error) => return tell(Message::Answer(Err(error))),
        };
        tell(Message::Began(Box::new(status)))?;
    }
    if asked.dry_run {
        return tell(Message::Verdict(client.check(&asked.request)));
    }
    let answer = match &asked.deploy {
        Some(deploy) => client.deploy(deploy),
        None => client.reload(&asked.request),
    };
    tell(Message::Answer(answer))?;
    if asked.without_steps {
        return Some(());
    }
    match client.status() {
        Ok(status) => tell(Message::UpTo(status.last_event)),
        Err(_) => tell(Message::NoEvents),
    }
}

/// Passes on the events after the one with this number.
fn listen(client: &Client, after: u64, sender: &Sender<Message>) {
    let (client, sender) = (client.clone(), sender.clone());
    thread::spawn(move || {
        let events = client.events(Some(after)).into_iter().flatten();
        for notice in events {
            let message = match notice {
                Ok(Notice::Event(event)) => Message::Event(event),
                _ => break,
            };
            if sender.send(message).is_err() {
                return;
            }
        }
        let _ = sender.send(Message::NoEvents);
    });
}

impl Progress<'_> {
    fn follow(
        &mut self,
        client: &Client,
        sender: &Sender<Message>,
        receiver: &Receiver<Message>,
    ) -> Result<Outcome, Error> {
        let started = Instant::now();
        let mut answer = None;
        loop {
            self.session.interrupt.check()?;
            let message = match receiver.recv_timeout(SLICE) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    let patience = self.asked.patience.filter(|_| answer.is_none());
                    if let Some(waited) = patience.filter(|limit| started.elapsed() >= *limit) {
                        return Err(Error::NoAnswer { waited });
                    }
                    continue;
                }
                // The sender is held here.
                Err(RecvTimeoutError::Disconnected) => continue,
            };
            match message {
                Message::Began(status) => {
                    self.pid = status.host.pid;
                    self.seen = status.last_event;
                    if !self.asked.dry_run {
                        listen(client, status.last_event, sender);
                    }
                }
                Message::Event(event) => self.show(*event),
                Message::NoEvents => self.has_events = false,
                Message::Verdict(verdict) => return Ok(self.say_verdict(&verdict?)),
                Message::Answer(given) => answer = Some(given),
                Message::UpTo(last) => self.up_to = Some(last),
            }
            // The steps are shown before the report.
            let is_shown = !self.has_events || self.up_to.is_some_and(|last| self.seen >= last);
            match answer.take_if(|answer| is_shown || is_not_from_a_host(answer)) {
                None => {}
                Some(Err(error)) => return self.say_refusal(error),
                Some(Ok(report)) => match self.said(&report)? {
                    Some(outcome) => return Ok(outcome),
                    None => answer = Some(Ok(report)),
                },
            }
        }
    }

    /// Shows an event.
    fn show(&mut self, event: Event) {
        self.seen = event.id;
        match event.kind {
            EventKind::Step(Step {
                step, took, failed, ..
            }) => {
                let took = Duration::try_from_secs_f64(took).unwrap_or_default();
                let failed = if failed { ", failed" } else { "" };
                // A host makes one attempt at a time, so this one may wait for others.
                let own = format!("a request by process {} of ", std::process::id());
                let whose = match event.cause.starts_with(&own) {
                    true => String::new(),
                    false => format!(", for {}", event.cause),
                };
                let line = format_args!("{took:.1?}{failed}{whose}");
                self.session.ui.info(&capitalised(&step), line);
            }
            EventKind::WindowClosed {
                outcome,
                permanent,
                result,
            } => {
                self.closed = Some(Closed {
                    attempt: event.attempt,
                    outcome,
                    result,
                    permanent,
                });
            }
            _ => {}
        }
    }

    /// Prints the report. Returns `None` if the rollback window is open, and somebody waits for it.
    fn said(&mut self, report: &Report) -> Result<Option<Outcome>, Error> {
        let is_open = report.provisional && !self.asked.no_wait && report.attempt.is_some();
        let closed = self
            .closed
            .as_ref()
            .filter(|closed| is_open && Some(closed.attempt) == report.attempt);
        let (result, ended) = match closed {
            Some(closed) if closed.permanent => (&*closed.result, Ended::Well),
            Some(closed) => (&*closed.result, Ended::NotPermanent),
            None if is_open && !self.has_events => return Err(Error::HostGone { pid: self.pid }),
            None if is_open => {
                if !self.waits {
                    self.waits = true;
                    if !self.asked.json && !self.asked.is_silent {
                        self.session.ui.result(&report.text);
                    }
                    let what = "the new generation, until the rollback window has closed";
                    self.session.ui.info("Watching", what);
                }
                return Ok(None);
            }
            None if report.provisional => ("provisional", Ended::Well),
            None if report.changed => ("permanent", Ended::Well),
            None => ("unchanged", Ended::Well),
        };
        let ui = &self.session.ui;
        let text = closed.map_or(&report.text, |closed| &closed.outcome);
        if self.asked.is_silent {
        } else if self.asked.json {
            ui.json(&Told {
                report: Some(report),
                ..self.told(result, text)
            });
        } else if let Some(closed) = closed {
            if !self.waits {
                ui.result(&report.text);
            }
            ui.result(&closed.outcome);
        } else {
            ui.result(&report.text);
        }
        Ok(Some(Outcome {
            ended,
            result: result.to_owned(),
            text: text.clone(),
            may_pass: false,
        }))
    }

    /// Prints why the host has refused the reload.
    fn say_refusal(&self, error: ClientError) -> Result<Outcome, Error> {
        match error {
            ClientError::Failure(failure) if failure.kind == FailureKind::Refused => {
                let ui = &self.session.ui;
                match self.asked.json {
                    _ if self.asked.is_silent => {}
                    true => ui.json(&self.told("refused", &failure.message)),
                    false => ui.result(&failure.message),
                }
                Ok(Outcome {
                    ended: Ended::Refused(failure.reason.as_deref().and_then(Topic::of_reason)),
                    result: "refused".into(),
                    may_pass: failure.reason.as_deref().is_some_and(may_pass),
                    text: failure.message,
                })
            }
            error => Err(error.into()),
        }
    }

    /// Prints the verdict of a dry run.
    fn say_verdict(&self, verdict: &Verdict) -> Outcome {
        match self.asked.json {
            true => self.session.ui.json(&Told {
                verdict: Some(verdict),
                ..self.told("checked", &verdict.text)
            }),
            false => self.session.ui.result(&verdict.text),
        }
        Outcome {
            ended: match verdict.is_breaking() {
                true => Ended::Breaking,
                false => Ended::Well,
            },
            result: "checked".into(),
            text: verdict.text.clone(),
            may_pass: false,
        }
    }

    fn told<'t>(&self, result: &'t str, text: &'t str) -> Told<'t> {
        Told {
            pid: self.pid,
            through: "endpoint",
            result,
            text,
            report: None,
            verdict: None,
        }
    }
}

/// Returns true if a reload may succeed later that a host has refused for this reason, a word of `ReloadError::reason`.
fn may_pass(reason: &str) -> bool {
    matches!(
        reason,
        "drain" | "hand_over" | "window" | "journal" | "resources"
    )
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns true for an error that the host itself has not given, after which no events are waited for.
fn is_not_from_a_host(answer: &Result<Report, ClientError>) -> bool {
    matches!(answer, Err(error) if !matches!(error, ClientError::Failure(_)))
}
