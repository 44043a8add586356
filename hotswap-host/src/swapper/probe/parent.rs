//! The host's side of a probe.
use super::{CAN_PROBE, Limits, Request, VARIABLE};
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::environment::temporary_dir;
use crate::error::ReloadError;
use crate::platform::{is_privileged, memory_file};
use crate::shown::printable;
use crate::swapper::child::{LastLines, ended};
use crate::swapper::options::ReloadOptions;
use crate::swapper::stored_build::StoredBuild;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// The number of lines of a probe's output that an error shows.
const LINES: usize = 8;

/// A child process that tries builds.
pub(in crate::swapper) struct Probe {
    child: Child,
    /// The file for the request, which is the child's standard input.
    file: File,
    socket: UnixStream,
    /// What it prints.
    output: LastLines,
    /// The step that it has begun last.
    step: String,
}

/// The answer of a probe.
enum Answer {
    Passed,
    Refused(String),
    /// It has ended without an answer.
    Ended,
}

impl Probe {
    /// Starts a child process, which waits for what to try.
    ///
    /// # Errors
    /// This program cannot be a probe, or the process cannot be started.
    pub(in crate::swapper) fn start() -> Result<Self, ReloadError> {
        match CAN_PROBE.load(Relaxed) && !is_privileged() {
            true => Self::spawn().map_err(not_run),
            false => Err(ReloadError::CannotProbe),
        }
    }

    /// Tries these builds in the child.
    ///
    /// # Errors
    /// The child found an error, has crashed, or has not ended in time.
    pub(in crate::swapper) fn run(
        mut self,
        builds: Vec<StoredBuild>,
        states: Vec<(PluginName, Vec<u8>)>,
        options: &ReloadOptions,
        deep: bool,
    ) -> Result<(), ReloadError> {
        let limit = options.probe_limit;
        let request = Request {
            builds,
            states,
            limits: Limits {
                seconds: limit.as_secs().saturating_add(1),
                memory: options.probe_memory,
            },
            deep,
        };
        self.ask(&request).map_err(not_run)?;
        let outcome = self.answer(after(Instant::now(), limit));
        let problem = match outcome {
            Ok(Answer::Passed) => {
                let read = self.output.is_read();
                self.abandon();
                return read;
            }
            Ok(Answer::Refused(error)) => Some(error),
            Ok(Answer::Ended) => None,
            Err(_) => Some(format!(
                "it has not ended within {limit:?}; shorten it, or raise `ReloadOptions::probe_limit`"
            )),
        };
        let (status, step, output) = self.end().map_err(not_run)?;
        // If nobody has read what the probe has printed, that may be why it has failed.
        let output = output?;
        let problem = problem.unwrap_or_else(|| ended(status));
        Err(ReloadError::Probe {
            step,
            problem,
            output,
        })
    }

    fn spawn() -> io::Result<Self> {
        let (socket, of_child) = UnixStream::pair()?;
        let file = nameless_file()?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(own_executable()?);
        command.args(std::env::args_os().skip(1)).env(VARIABLE, "1");
        // The few lines of the output that are kept are for messages.
        command.env("RUST_BACKTRACE", "0");
        command.stdin(file.try_clone()?);
        command.stdout(OwnedFd::from(of_child)).stderr(writer);
        let mut child = command.spawn()?;
        // The child alone has the other ends now, so they close when it ends.
        drop(command);
        let output = LastLines::read("hotswap-probe", reader, LINES);
        let output = output.inspect_err(|_| {
            let _ = child.kill().and_then(|()| child.wait());
        })?;
        Ok(Probe {
            child,
            file,
            socket,
            output,
            step: "start".into(),
        })
    }

    /// Gives the child its request, and tells it that everything is there.
    fn ask(&mut self, request: &Request) -> io::Result<()> {
        request.write(&mut self.file)?;
        self.file.rewind()?;
        // If the child has ended, the answer is that.
        let _ = self.socket.write_all(&[1]);
        Ok(())
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// There was none by `end`.
    fn answer(&mut self, end: Instant) -> io::Result<Answer> {
        let left = || {
            end.saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1))
        };
        let mut lines = BufReader::new(self.socket.try_clone()?);
        loop {
            if Instant::now() >= end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.socket.set_read_timeout(Some(left()))?;
            let mut line = String::new();
            match lines.read_line(&mut line) {
                Ok(0) => return Ok(Answer::Ended),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Answer::Ended);
                }
                Err(error) => return Err(error),
            }
            match line.trim_end().split_once(' ') {
                Some(("step", step)) => self.step = printable(step).into_owned(),
                Some(("error", json)) => {
                    let error = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
                    return Ok(Answer::Refused(error));
                }
                _ if line == "ok\n" => return Ok(Answer::Passed),
                _ => return Ok(Answer::Refused("it does not answer as a probe does".into())),
            }
        }
    }

    /// Ends the child. Returns how it has ended, its last step, and its last lines.
    fn end(mut self) -> io::Result<(ExitStatus, String, Result<String, ReloadError>)> {
        // If it has ended by itself, this does nothing, and the status is its own.
        self.child.kill()?;
        let status = self.child.wait()?;
        Ok((status, self.step, self.output.take()))
    }

    /// Ends the child, and does not wait for that: it takes the kernel a while to free the memory of a process.
    pub(in crate::swapper) fn abandon(mut self) {
        let _ = self.child.kill();
        self.output.reap(self.child);
    }
}

fn not_run(error: io::Error) -> ReloadError {
    ReloadError::Probe {
        step: "start".into(),
        problem: format!("it cannot be run: {error}"),
        output: String::new(),
    }
}

/// Makes a file that nobody else finds.
fn nameless_file() -> io::Result<File> {
    memory_file("hotswap-probe").or_else(|_| {
        let dir = temporary_dir();
        let named = dir.join(format!("hotswap-probe-{}", std::process::id()));
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).mode(0o600);
        let file = file.open(&named)?;
        std::fs::remove_file(named)?;
        Ok(file)
    })
}

/// Returns the path of this program, which leads to it even if its file was replaced.
fn own_executable() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok("/proc/self/exe".into()),
        false => std::env::current_exe(),
    }
}
