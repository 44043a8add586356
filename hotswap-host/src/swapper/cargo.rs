//! Runs Cargo on the sources of plugins, in a process group of its own that ends with it.
use super::child::{LastLines, ended};
use super::options::ReloadOptions;
use crate::artifact::SourceLocation;
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::environment::cargo;
use crate::error::ReloadError;
use crate::hook_thread::Interrupt;
use crate::platform;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The number of lines of Cargo's output that an error shows.
const LINES: usize = 24;
/// The time between two looks at a child.
const PAUSE: Duration = Duration::from_millis(10);

/// What Cargo is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// The tests of the package.
    Test,
    /// The lints of Clippy, where a warning is an error.
    Lint,
}

/// A call of Cargo for a package.
pub(super) struct CargoCall<'a> {
    pub(super) task: Task,
    pub(super) plugin: &'a PluginName,
    pub(super) package: &'a str,
    pub(super) location: &'a SourceLocation,
}

/// The time until which a call has to end.
#[derive(Clone, Copy)]
pub(super) struct End {
    at: Instant,
    limit: Duration,
}

impl End {
    pub(super) fn after(limit: Duration) -> Self {
        End {
            at: after(Instant::now(), limit),
            limit,
        }
    }
}

impl CargoCall<'_> {
    /// Runs Cargo. At the end of the time, or if the wait is interrupted, Cargo is ended with everything that it has
    /// started.
    ///
    /// # Errors
    /// Cargo cannot be run, has failed, or has not ended in time; or the host shuts down.
    pub(super) fn run(&self, end: End, interrupt: &Interrupt) -> Result<(), ReloadError> {
        let failed = |problem, output| ReloadError::Sources {
            plugin: self.plugin.clone(),
            command: self.shown(),
            problem,
            output,
        };
        let cannot_run = |error: io::Error| {
            let hint = "install Rust for this user, or turn the option off";
            failed(format!("cannot be run: {error}; {hint}"), String::new())
        };
        let (reader, writer) = io::pipe().map_err(cannot_run)?;
        let lines = LastLines::read("hotswap-cargo", reader, LINES).map_err(cannot_run)?;
        let mut command = self.command();
        command.stdout(writer.try_clone().map_err(cannot_run)?);
        command.stderr(writer);
        let mut running = Running(command.spawn().map_err(cannot_run)?);
        // Only the child has the other end of the pipe now.
        drop(command);
        loop {
            match running.0.try_wait().map_err(cannot_run)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(failed(format!("failed: {}", ended(status)), lines.take()?));
                }
                None if interrupt.is_wanted() => return Err(ReloadError::ShutDown),
                None if Instant::now() >= end.at => {
                    running.end();
                    let limit = end.limit;
                    let problem = format!(
                        "has not ended within {limit:?}; shorten the tests, or raise `ReloadOptions::tests_limit`"
                    );
                    return Err(failed(problem, lines.take()?));
                }
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// The subcommand, and the package with its features.
    fn words(&self) -> Vec<&str> {
        let word = match self.task {
            Task::Test => "test",
            Task::Lint => "clippy",
        };
        let features = self.location.features.iter().map(String::as_str);
        let mut words = vec![word, "-p", self.package];
        words.extend(features);
        words
    }

    fn lints(&self) -> &[&str] {
        match self.task {
            Task::Test => &[],
            Task::Lint => &["--", "--deny", "warnings"],
        }
    }

    /// Returns the command as a user would type it in the directory of the package.
    fn shown(&self) -> String {
        let mut words = vec!["cargo"];
        words.extend(self.words());
        words.extend(self.lints());
        words.join(" ")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(cargo());
        command.args(self.words());
        command.args(["--manifest-path", &self.location.manifest]);
        command.args(self.lints());
        command.current_dir(&self.location.directory);
        command.env("CARGO_TERM_COLOR", "never");
        // The few lines of the output that are kept are for messages.
        command.env("RUST_BACKTRACE", "0");
        // A host in the tests has options of its own.
        for option in ReloadOptions::describe() {
            command.env_remove(option.variable);
        }
        command.stdin(Stdio::null()).process_group(0);
        command
    }
}

/// A process that leads a group. It is ended with its group if it has not ended before.
struct Running(Child);

impl Running {
    fn end(&mut self) -> Option<ExitStatus> {
        // As long as nobody has waited for the child, no other group can have its number.
        if let Ok(None) = self.0.try_wait() {
            platform::end_group(&self.0);
        }
        self.0.wait().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
