//! SIGINT, SIGTERM and SIGHUP while this command works.
//!
//! A signal is first noted, then passed to the compiler that is running, if any. The command itself notices at its
//! next step, removes what it had half done, and leaves with 128 + the signal's number. While a host runs, signals
//! go to whoever [forwards](Interrupt::forward_to) them instead.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use libc::siginfo_t;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::exfiltrator::WithRawSiginfo;
use signal_hook::iterator::{Handle, SignalsInfo};

use crate::Error;

/// See the module. Clones share one state.
#[derive(Clone)]
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
    handle: Handle,
}

#[derive(Default)]
struct State {
    signal: Option<i32>,
    compiler: Option<Pid>,
    forward: Option<Sender<Caught>>,
}

/// A signal this process received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caught {
    /// Its number.
    pub(crate) signal: i32,
    /// Whether the terminal sent it, and so to every process in the foreground, those we started included.
    pub(crate) from_terminal: bool,
}

impl Interrupt {
    /// Installs the handlers and starts the thread that serves them.
    pub(crate) fn install() -> Result<Self, Error> {
        let mut signals = SignalsInfo::<WithRawSiginfo>::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|source| Error::Signals { source })?;
        let this = Self {
            state: Arc::default(),
            handle: signals.handle(),
        };
        let state = Arc::clone(&this.state);
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for info in &mut signals {
                    lock(&state).receive(&info);
                }
            })
            .map_err(|source| Error::Signals { source })?;
        Ok(this)
    }

    /// From now on every signal, and those in `more` too, goes to `sender` and interrupts nothing here.
    pub(crate) fn forward_to(&self, sender: Sender<Caught>, more: &[i32]) -> Result<(), Error> {
        lock(&self.state).forward = Some(sender);
        for &signal in more {
            self.handle
                .add_signal(signal)
                .map_err(|source| Error::Signals { source })?;
        }
        Ok(())
    }

    /// Interrupts what is running, as a signal would.
    pub(crate) fn raise(&self, signal: i32) {
        lock(&self.state).interrupt(signal);
    }

    /// An error, once a signal was received.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match lock(&self.state).signal {
            Some(signal) => Err(Error::Interrupted { signal }),
            None => Ok(()),
        }
    }

    /// Starts `command` as a compiler: in a process group of its own, to which interruptions are passed, so that
    /// the processes it starts end too. Wait for it with [`Running::wait`].
    pub(crate) fn spawn(
        &self,
        command: &mut Command,
    ) -> Result<std::io::Result<Running<'_>>, Error> {
        // Under the lock: a signal comes either before the start or when the child is known.
        let mut state = lock(&self.state);
        if let Some(signal) = state.signal {
            return Err(Error::Interrupted { signal });
        }
        Ok(command.process_group(0).spawn().map(|child| {
            state.compiler = Pid::from_raw(child.id().cast_signed());
            Running {
                interrupt: self,
                child,
            }
        }))
    }
}

impl Interrupt {
    /// The output of a command that asks something of Cargo, which may wait for another Cargo first.
    ///
    /// # Errors
    /// That the command was interrupted; the inner error is that it could not be started or read.
    pub(crate) fn output(&self, command: &mut Command) -> Result<std::io::Result<Output>, Error> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut running = match self.spawn(command)? {
            Ok(running) => running,
            Err(error) => return Ok(Err(error)),
        };
        let read = |pipe: Option<&mut dyn Read>| {
            let mut bytes = vec![];
            let read = pipe.map_or(Ok(0), |pipe| pipe.read_to_end(&mut bytes));
            read.map(|_| bytes)
        };
        let (mut stdout, mut stderr) = (running.child.stdout.take(), running.child.stderr.take());
        let (stdout, stderr) = std::thread::scope(|scope| {
            let stderr = scope.spawn(|| read(stderr.as_mut().map(|pipe| pipe as &mut dyn Read)));
            let stdout = read(stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
            (stdout, stderr.join().expect("reading does not panic"))
        });
        let status = running.wait()?;
        Ok(status.and_then(|status| {
            Ok(Output {
                status,
                stdout: stdout?,
                stderr: stderr?,
            })
        }))
    }
}

/// A compiler at work.
pub(crate) struct Running<'a> {
    interrupt: &'a Interrupt,
    /// The process.
    pub(crate) child: Child,
}

impl Running<'_> {
    /// Waits for the end; an error where it came through an interruption.
    pub(crate) fn wait(mut self) -> Result<std::io::Result<std::process::ExitStatus>, Error> {
        // Waited for, then forgotten, then reaped: its id is not given away while a signal may still be sent to it.
        let pid = Pid::from_raw(self.child.id().cast_signed());
        if let Some(pid) = pid {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(
                waitid(WaitId::Pid(pid), options),
                Err(rustix::io::Errno::INTR)
            ) {}
        }
        lock(&self.interrupt.state).compiler = None;
        let status = self.child.wait();
        self.interrupt.check()?;
        Ok(status)
    }
}

impl State {
    fn receive(&mut self, info: &siginfo_t) {
        let caught = Caught {
            signal: info.si_signo,
            from_terminal: !is_from_process(info),
        };
        match &self.forward {
            // Where the receiver is gone the command is about to end anyway.
            Some(sender) => drop(sender.send(caught)),
            None => self.interrupt(caught.signal),
        }
    }

    fn interrupt(&mut self, signal: i32) {
        self.signal.get_or_insert(signal);
        if let Some(group) = self.compiler {
            // It may have ended on its own just now.
            let _ = kill_process_group(
                group,
                Signal::from_named_raw(signal).unwrap_or(Signal::TERM),
            );
        }
    }
}

/// Whether a process sent the signal: else it was the system, as it does for the terminal.
fn is_from_process(info: &siginfo_t) -> bool {
    // `SI_USER` and `SI_QUEUE` of FreeBSD and macOS.
    const FIRST: i32 = 0x10001;
    match cfg!(any(target_os = "linux", target_os = "android")) {
        true => info.si_code <= 0,
        false => (FIRST..=FIRST + 1).contains(&info.si_code),
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // Every change is a single assignment: a panic elsewhere leaves nothing half done.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
