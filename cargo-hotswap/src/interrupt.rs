//! SIGINT, SIGTERM and SIGHUP while this command works.
//!
//! A signal is first noted, and then passed to the running compilers. The command itself notices the
//! signal at its next step, removes what is half done, and exits with 128 + the signal's number. While a host runs,
//! signals are [forwarded](Interrupt::forward_to) instead. A build that runs beside a host can also be
//! [superseded](Interrupt::supersede), which ends its compilers, and not the command.

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

/// The signal handlers of the process: see the module. Clones share one state.
#[derive(Clone)]
pub(crate) struct Interrupt {
    state: Arc<Mutex<State>>,
    handle: Handle,
}

#[derive(Default)]
struct State {
    signal: Option<i32>,
    /// True if the running build is of no use any more.
    superseded: bool,
    compilers: Vec<Pid>,
    forward: Option<Sender<Caught>>,
}

/// A signal that this process received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caught {
    /// Its number.
    pub(crate) signal: i32,
    /// True if the terminal sent it, and so sent it to every process in the foreground, including those that we
    /// started.
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

    /// Sends every signal from now on, and those in `more` too, to `sender`. They interrupt nothing here any more.
    pub(crate) fn forward_to(&self, sender: Sender<Caught>, more: &[i32]) -> Result<(), Error> {
        lock(&self.state).forward = Some(sender);
        for &signal in more {
            self.handle
                .add_signal(signal)
                .map_err(|source| Error::Signals { source })?;
        }
        Ok(())
    }

    /// Interrupts the running step, as a signal would.
    pub(crate) fn raise(&self, signal: i32) {
        lock(&self.state).interrupt(signal);
    }

    /// Ends the compilers of the running build, since its sources have changed. It then ends with
    /// [`Error::Superseded`], unless everything is compiled already.
    pub(crate) fn supersede(&self) {
        let mut state = lock(&self.state);
        state.superseded = true;
        state.end_compilers(SIGTERM);
    }

    /// Lets the next build begin.
    pub(crate) fn begin_build(&self) {
        lock(&self.state).superseded = false;
    }

    /// Returns an error once a signal was received, or if the running build is superseded.
    pub(crate) fn check_build(&self) -> Result<(), Error> {
        let state = lock(&self.state);
        match state.signal {
            Some(signal) => Err(Error::Interrupted { signal }),
            None if state.superseded => Err(Error::Superseded),
            None => Ok(()),
        }
    }

    /// Returns an error once a signal was received.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match lock(&self.state).signal {
            Some(signal) => Err(Error::Interrupted { signal }),
            None => Ok(()),
        }
    }

    /// Starts `command` as a compiler, in a process group of its own. Interruptions are passed to the group, so that
    /// the processes that it starts end, too. Wait for it with [`Running::wait`].
    pub(crate) fn spawn(
        &self,
        command: &mut Command,
    ) -> Result<std::io::Result<Running<'_>>, Error> {
        // Under the lock, so that a signal comes either before the start, or when the child is known.
        let mut state = lock(&self.state);
        if let Some(signal) = state.signal {
            return Err(Error::Interrupted { signal });
        }
        if state.superseded {
            return Err(Error::Superseded);
        }
        Ok(command.process_group(0).spawn().map(|child| {
            state.compilers.push(Pid::from_child(&child));
            Running {
                interrupt: self,
                child,
            }
        }))
    }
}

impl Interrupt {
    /// Returns the output of a command that asks Cargo for something. The command may have to wait for another Cargo
    /// first.
    ///
    /// # Errors
    /// Returns an error if the command was interrupted. The inner error says that it could not be started or read.
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

/// A running compiler.
pub(crate) struct Running<'a> {
    interrupt: &'a Interrupt,
    /// The process.
    pub(crate) child: Child,
}

impl Running<'_> {
    /// Waits for the end. Returns an error if an interruption caused it.
    pub(crate) fn wait(mut self) -> Result<std::io::Result<std::process::ExitStatus>, Error> {
        // Waited for, then forgotten, then reaped: the id is not reused while a signal may still be sent to it.
        let pid = Pid::from_child(&self.child);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(
            waitid(WaitId::Pid(pid), options),
            Err(rustix::io::Errno::INTR)
        ) {}
        lock(&self.interrupt.state)
            .compilers
            .retain(|compiler| *compiler != pid);
        let status = self.child.wait();
        self.interrupt.check()?;
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            self.interrupt.check_build()?;
        }
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
            // If the receiver is gone, the command is about to end anyway.
            Some(sender) => drop(sender.send(caught)),
            None => self.interrupt(caught.signal),
        }
    }

    fn interrupt(&mut self, signal: i32) {
        self.signal.get_or_insert(signal);
        self.end_compilers(signal);
    }

    fn end_compilers(&self, signal: i32) {
        let signal = Signal::from_named_raw(signal).unwrap_or(Signal::TERM);
        for group in &self.compilers {
            // The group may have ended by itself just now.
            let _ = kill_process_group(*group, signal);
        }
    }
}

/// Returns true if a process sent the signal. Otherwise the system did, as for the terminal.
fn is_from_process(info: &siginfo_t) -> bool {
    // The values of `SI_USER` and `SI_QUEUE` on FreeBSD and macOS start here.
    const FIRST: i32 = 0x10001;
    match cfg!(any(target_os = "linux", target_os = "android")) {
        true => info.si_code <= 0,
        false => (FIRST..=FIRST + 1).contains(&info.si_code),
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // Every change is a single assignment, so a panic elsewhere leaves no inconsistent state.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
