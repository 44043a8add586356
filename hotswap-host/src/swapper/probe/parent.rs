//! The host's side of a probe.
use super::{CAN_PROBE, Limits, Request, VARIABLE};
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::platform::is_privileged;
use crate::shown::printable;
use crate::swapper::child::{LastLines, ended};
use crate::swapper::options::ReloadOptions;
use crate::swapper::stored_build::StoredBuild;
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// The number of lines of a probe's output that an error shows.
const LINES: usize = 8;

/// Tries these builds in a child process.
///
/// # Errors
/// The child found an error, has crashed, or has not ended in time.
pub(in crate::swapper) fn probe(
    builds: Vec<StoredBuild>,
    states: Vec<(PluginName, Vec<u8>)>,
    options: &ReloadOptions,
    deep: bool,
) -> Result<(), ReloadError> {
    if !CAN_PROBE.load(Relaxed) || is_privileged() {
        return Err(ReloadError::CannotProbe);
    }
    let limit = options.probe_limit;
    let request = Request {
        builds,
        states,
        limits: Limits {
            seconds: limit.as_secs() + 1,
            memory: options.probe_memory,
        },
        deep,
    };
    let failed = |error: io::Error| ReloadError::Probe {
        step: "start".into(),
        problem: format!("it cannot be run: {error}"),
        output: String::new(),
    };
    let mut probe = Probe::start().map_err(failed)?;
    let outcome = probe.ask(&request, Instant::now() + limit);
    let (status, output) = probe.end().map_err(failed)?;
    let problem = match outcome {
        Ok(Answer::Passed) => return Ok(()),
        Ok(Answer::Refused(error)) => error,
        Ok(Answer::Ended) => ended(status),
        Err(_) => format!(
            "it has not ended within {limit:?}; shorten it, or raise `ReloadOptions::probe_limit`"
        ),
    };
    Err(ReloadError::Probe {
        step: probe.step,
        problem,
        output,
    })
}

/// A child process that tries builds.
struct Probe {
    child: Child,
    socket: UnixStream,
    output: Option<LastLines>,
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
    fn start() -> io::Result<Self> {
        let (socket, of_child) = UnixStream::pair()?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(own_executable()?);
        command.args(std::env::args_os().skip(1)).env(VARIABLE, "1");
        // The few lines of the output that are kept are for messages.
        command.env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::from(OwnedFd::from(of_child)));
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        // The child alone has the other ends now, so they close when it ends.
        drop(command);
        Ok(Probe {
            child,
            socket,
            output: Some(LastLines::read(reader, LINES)?),
            step: "start".into(),
        })
    }

    /// Sends the request, and waits for the answer.
    ///
    /// # Errors
    /// There was none by `end`.
    fn ask(&mut self, request: &Request, end: Instant) -> io::Result<Answer> {
        let left = || {
            end.saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1))
        };
        self.socket.set_write_timeout(Some(left()))?;
        match request.send(&mut self.socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            // If it has ended, there is nothing to read either.
            _ => {}
        }
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

    /// Ends the child. Returns how it has ended, and its last lines.
    fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        // If it has ended by itself, this does nothing, and the status is its own.
        self.child.kill()?;
        let status = self.child.wait()?;
        let lines = self.output.take().map(LastLines::take);
        Ok((status, lines.unwrap_or_default()))
    }
}

/// Returns the path of this program, which leads to it even if its file was replaced.
fn own_executable() -> io::Result<PathBuf> {
    match cfg!(target_os = "linux") {
        true => Ok("/proc/self/exe".into()),
        false => std::env::current_exe(),
    }
}
