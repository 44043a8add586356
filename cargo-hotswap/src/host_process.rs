//! A host that was started: its signals, and its end.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use hotswap_host::runtime::{FIRST_REPORT, StoredReport};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGQUIT, SIGUSR1, SIGUSR2};
use tempfile::TempDir;

use crate::Error;
use crate::error::{exit, io};
use crate::install::read_kept;
use crate::interrupt::Caught;
use crate::recipient::HostProcess;
use crate::session::Session;
use crate::ui::shown;
use crate::worker::Program;

/// The name of the report of a first load.
const REPORT: &str = "report.json";

/// An event of a host, or of this process.
#[derive(Debug)]
pub(crate) enum Told {
    /// This process has received a signal.
    Signal(Caught),
    /// The host has ended.
    HostEnded,
}

/// Passes signals on from now on. They do not interrupt this command any more.
pub(crate) fn forward_signals<E: From<Told> + Send + 'static>(
    session: &Session,
    events: &Sender<E>,
) -> Result<Sender<Caught>, Error> {
    let (caught, signals) = mpsc::channel();
    let events = events.clone();
    session.interrupt.forward_to(caught.clone(), &[])?;
    thread::spawn(move || {
        for signal in signals {
            if events.send(Told::Signal(signal).into()).is_err() {
                break;
            }
        }
    });
    Ok(caught)
}

/// A process that is not reaped yet, so its id belongs to no other process.
pub(crate) struct Host {
    child: Child,
    executable: PathBuf,
    since: Instant,
    /// The directory for the report of its first load. It is removed together with this value.
    report_dir: TempDir,
    /// True if a signal was passed on to it.
    signalled: bool,
}

impl Host {
    /// Starts the host in the user's directory, as `cargo run` does. From then on it handles its own signals. `events`
    /// gets a message when it ends.
    pub(crate) fn start<E: From<Told> + Send + 'static>(
        session: &Session,
        program: &mut Program,
        signals: Sender<Caught>,
        events: &Sender<E>,
    ) -> Result<Self, Error> {
        let report_dir = report_dir()?;
        program
            .command
            .env("HOTSWAP_PLUGIN_DIR", &program.plugin_dir)
            .env(FIRST_REPORT, report_dir.path().join(REPORT));
        let shown = shown(&program.executable, &program.root);
        session.ui.status("Running", shown);
        session.ui.share_terminal();
        session.interrupt.check()?;
        session
            .interrupt
            .forward_to(signals, &[SIGQUIT, SIGUSR1, SIGUSR2])?;
        let child = program.command.spawn().map_err(|source| Error::StartHost {
            executable: program.executable.clone(),
            source,
        })?;
        let (pid, events) = (Pid::from_child(&child), events.clone());
        thread::spawn(move || {
            wait_without_reaping(pid);
            drop(events.send(Told::HostEnded.into()));
        });
        Ok(Self {
            child,
            executable: program.executable.clone(),
            since: Instant::now(),
            report_dir,
            signalled: false,
        })
    }

    /// Returns the host's process.
    pub(crate) fn process(&self) -> HostProcess {
        HostProcess {
            pid: self.child.id(),
            since: self.since,
        }
    }

    /// Passes a signal on to the host, unless the terminal sent it to both.
    pub(crate) fn pass_on(&mut self, caught: Caught) {
        self.signalled = true;
        if let Some(signal) =
            Signal::from_named_raw(caught.signal).filter(|_| !caught.from_terminal)
        {
            // The host may be ending just now. It is not reaped yet, so its id belongs to no other process.
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// Returns the reason why its first load was refused, if it was, and if no signal had asked the host to end.
    pub(crate) fn refusal(&self) -> Option<String> {
        let json = read_kept(&self.report_dir.path().join(REPORT))?;
        let report: StoredReport = serde_json::from_slice(&json).ok()?;
        (!report.ok && !self.signalled).then_some(report.text)
    }

    /// Waits for the end, and returns the exit code.
    pub(crate) fn exit_code(&mut self, session: &Session) -> Result<u8, Error> {
        let status = self.child.wait();
        let status = status.map_err(io("wait for", &self.executable))?;
        Ok(exit_code(session, status))
    }
}

/// Makes a directory for the report, into which no other user can put one.
fn report_dir() -> Result<TempDir, Error> {
    let mut dir = tempfile::Builder::new();
    dir.prefix("hotswap-first-report-");
    dir.tempdir()
        .map_err(io("write into", &std::env::temp_dir()))
}

fn wait_without_reaping(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(
        waitid(WaitId::Pid(pid), options),
        Err(rustix::io::Errno::INTR)
    ) {}
}

fn exit_code(session: &Session, status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal() {
        session
            .ui
            .info("Ended", format_args!("the host, by signal {signal}"));
        return exit::SIGNAL.wrapping_add(u8::try_from(signal).unwrap_or(0));
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(exit::FAILURE)
}
