//! Runs a host beside builds of its plugins, or only builds beside a host that runs already.
//!
//! The host runs, files are watched, and a thread [builds and reloads](crate::worker). All of them send [`Event`]s to
//! one loop, which passes signals on, asks for builds, starts the host when everything is built, and ends with the
//! host. A host to which the command is [attached](crate::attached) is neither started nor ended.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;

use crate::Error;
#[cfg(feature = "control")]
use crate::attached::{Attached, Notice};
use crate::beside::Beside;
use crate::cli::RunArgs;
use crate::host_process::{Host, Told, forward_signals};
use crate::interrupt::Caught;
use crate::pending::{Change, Pending};
use crate::recipient::{OwnHost, Recipient};
use crate::session::Session;
use crate::watch::{Noticed, Watcher};
use crate::worker::{Done, Job, Made, Program, Worker, first_scope};

/// After so many builds in a row that newer changes have ended, the next one runs to its end: a build script may change a
/// source each time.
const MOST_SUPERSEDED: usize = 5;

enum Event {
    Told(Told),
    Changed(Noticed),
    Done(Box<Done>),
    #[cfg(feature = "control")]
    Attached(Notice),
}

impl From<Told> for Event {
    fn from(told: Told) -> Self {
        Self::Told(told)
    }
}

/// Builds the host of `manifest`, runs it as soon as it is built, and reloads it until it ends. Returns its exit code.
pub(crate) fn run(session: &Session, args: &RunArgs, manifest: PathBuf) -> Result<u8, Error> {
    let own = OwnHost::new(Duration::from_secs_f32(args.start_limit));
    let recipient = Recipient::Own(own);
    supervise(session, args, manifest, recipient, Beside::Own(None))
}

/// Builds the plugins of the host of `manifest`, and brings them to a host that runs already, until a signal ends the
/// command. Returns its exit code.
#[cfg(feature = "control")]
pub(crate) fn attach(
    session: &Session,
    args: &RunArgs,
    manifest: PathBuf,
    host: Attached,
) -> Result<u8, Error> {
    let recipient = Recipient::Attached(host.clone());
    supervise(session, args, manifest, recipient, Beside::Attached(host))
}

fn supervise(
    session: &Session,
    args: &RunArgs,
    manifest: PathBuf,
    recipient: Recipient,
    host: Beside,
) -> Result<u8, Error> {
    let (sender, events) = mpsc::channel();
    #[cfg(feature = "control")]
    if let Beside::Attached(host) = &host {
        let notices = sender.clone();
        host.watch(move |notice| notices.send(Event::Attached(notice)).is_ok());
    }
    let signals = forward_signals(session, &sender)?;
    let changed = sender.clone();
    let watcher = args.poll.is_none().then(|| {
        let changed = changed.clone();
        Watcher::new(move |noticed| drop(changed.send(Event::Changed(noticed))))
    });
    let interval = args.poll.map(Duration::from_secs_f32);
    let pending = Pending::new(watcher, interval, first_scope(&manifest));
    thread::scope(|scope| {
        let (jobs, work) = mpsc::channel();
        let done = sender.clone();
        scope.spawn(move || {
            Worker::new(session, args, manifest, recipient)
                .serve(&work, |job| drop(done.send(Event::Done(Box::new(job)))));
        });
        let supervisor = Supervisor {
            session,
            pending,
            signals,
            sender,
            jobs,
            host,
            is_first: true,
            superseded: 0,
            built_since: false,
        };
        let ended = supervisor.serve(&events);
        // Makes the thread that builds end, too.
        session.interrupt.raise(SIGTERM);
        ended
    })
}

struct Supervisor<'a> {
    session: &'a Session,
    pending: Pending,
    signals: Sender<Caught>,
    sender: Sender<Event>,
    jobs: Sender<Job>,
    host: Beside,
    /// True until the first build has ended.
    is_first: bool,
    /// The number of builds in a row that newer changes have ended.
    superseded: usize,
    /// True if plugins were built since the host was started.
    built_since: bool,
}

impl Supervisor<'_> {
    fn serve(mut self, events: &Receiver<Event>) -> Result<u8, Error> {
        let change = self.pending.take_all(self.session);
        self.build(change);
        loop {
            let host_runs = self.host.runs();
            if self.pending.is_outdated(host_runs) && self.superseded < MOST_SUPERSEDED {
                self.session.interrupt.supersede();
            }
            if let Some(change) = self.pending.take(self.session, host_runs) {
                self.build(change);
            }
            let event = match self.pending.due() {
                Some(due) => events.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(RecvTimeoutError::from),
            };
            match event {
                Ok(Event::Changed(noticed)) => self.pending.note(noticed),
                Ok(Event::Done(done)) => self.done(*done)?,
                Ok(Event::Told(Told::Signal(caught))) => {
                    if let Some(code) = self.host.signal(self.session, caught)? {
                        return Ok(code);
                    }
                }
                Ok(Event::Told(Told::HostEnded)) => {
                    if let Some(code) = self.host_ended()? {
                        return Ok(code);
                    }
                }
                #[cfg(feature = "control")]
                Ok(Event::Attached(notice)) => self.attached(notice),
                // This loop keeps a sender, so it is never disconnected.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    fn build(&self, change: Change) {
        self.session.interrupt.begin_build();
        let host = self.host.process();
        // The thread that receives it lives longer than this loop, unless it was interrupted.
        drop(self.jobs.send(Job::Build { change, host }));
    }

    fn done(&mut self, done: Done) -> Result<(), Error> {
        let ui = &self.session.ui;
        let is_first = std::mem::take(&mut self.is_first);
        let succeeded = done.result.is_ok();
        self.superseded = match &done.result {
            Err(Error::Superseded) => self.superseded + 1,
            _ => 0,
        };
        let program = match done.result {
            Ok(Made::Everything(program)) => Some(program),
            Ok(Made::Plugins { changed }) => {
                self.built_since |= changed;
                None
            }
            Err(Error::Superseded) => {
                ui.detail("Superseded", "the build, since its sources have changed");
                self.is_first = is_first;
                None
            }
            Err(error) if is_first && error.is_final() => return Err(error),
            Err(error) => {
                ui.error(&error);
                match self.host.runs() {
                    true => ui.info("Unchanged", "the host keeps the plugins that it has"),
                    false => ui.info("Waiting", "for a change; the host starts when it builds"),
                }
                None
            }
        };
        self.pending
            .finish(self.session, done.plugins, done.host, succeeded);
        match program.filter(|_| !self.host.runs()) {
            Some(mut program) => self.start(&mut program),
            None => Ok(()),
        }
    }

    fn start(&mut self, program: &mut Program) -> Result<(), Error> {
        self.built_since = false;
        let host = Host::start(self.session, program, self.signals.clone(), &self.sender)?;
        self.host = Beside::Own(Some(host));
        Ok(())
    }

    /// Returns the exit code, unless the host is started again.
    fn host_ended(&mut self) -> Result<Option<u8>, Error> {
        let Some(mut host) = self.host.take_own() else {
            return Ok(None);
        };
        let code = host.exit_code(self.session)?;
        let Some(refusal) = host.refusal() else {
            return Ok(Some(code));
        };
        let ui = &self.session.ui;
        ui.warn(format_args!(
            "the host ended because it could not load its plugins\n{refusal}"
        ));
        ui.info(
            "Waiting",
            "for a change; the host starts again when it builds",
        );
        if self.built_since {
            // The plugins that it refused were replaced meanwhile.
            self.pending.retry();
        }
        Ok(None)
    }

    /// Says what has become of the host to which the command is attached, and brings it the last build when it is there
    /// again.
    #[cfg(feature = "control")]
    fn attached(&self, notice: Notice) {
        let ui = &self.session.ui;
        match notice {
            Notice::Ended { host } => {
                let until = "waiting until it is there again";
                ui.info("Ended", format_args!("{host}; {until}"));
            }
            Notice::Back { host } => {
                ui.status("Attached", format_args!("again to {host}"));
                // As for builds.
                drop(self.jobs.send(Job::Bring));
            }
            Notice::NotBack(error) => ui.error(&*error),
            Notice::NotPermanent { outcome } => {
                ui.warn(format_args!(
                    "the new plugins did not become permanent: {outcome}"
                ));
            }
        }
    }
}
