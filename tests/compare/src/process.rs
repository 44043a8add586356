//! A running host, and the protocol with it.
use anyhow::{Context as _, anyhow, bail};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The first word of each answer, which is `compare_harness::MARK`.
const MARK: &str = "peer:";
/// The time that an answer may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The time that a host may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host that answers. It ends when this value is dropped.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<String>,
    log: PathBuf,
}

impl Process {
    /// Starts a host, whose stderr goes to a file.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let stderr =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let spawned = command.stderr(stderr).spawn();
        let mut child = spawned.with_context(|| format!("cannot run {command:?}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the host has no stdout")?;
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let answer = line.strip_prefix(MARK).map(str::trim);
                if answer.is_some_and(|answer| sender.send(answer.to_owned()).is_err()) {
                    break;
                }
            }
        });
        Ok(Process {
            child,
            stdin,
            answers,
            log: log.to_owned(),
        })
    }

    /// Sends a command, and returns the answer without its first word, which has to be this one.
    pub fn ask(&mut self, command: &str, expected: &str) -> anyhow::Result<String> {
        self.ask_within(LIMIT, command, expected)
    }

    /// Does the same with another limit.
    pub fn ask_within(
        &mut self,
        limit: Duration,
        command: &str,
        expected: &str,
    ) -> anyhow::Result<String> {
        let stdin = self.stdin.as_mut().context("the host has ended")?;
        let sent = writeln!(stdin, "{command}").and_then(|()| stdin.flush());
        if sent.is_err() {
            return Err(self.ended());
        }
        let answer = match self.answers.recv_timeout(limit) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            Err(RecvTimeoutError::Timeout) => {
                bail!("`{command}` was not answered within {limit:?}")
            }
        };
        match answer.split_once(' ').unwrap_or((&answer, "")) {
            (word, rest) if word == expected => Ok(rest.to_owned()),
            ("failed", why) => Err(anyhow!("{why}")),
            _ => Err(anyhow!("`{command}` was answered with `{answer}`")),
        }
    }

    /// Sends a command whose answer is a number, and returns it.
    pub fn number(&mut self, command: &str, expected: &str) -> anyhow::Result<f64> {
        let answer = self.ask(command, expected)?;
        let number = answer.parse();
        number.with_context(|| format!("`{command}` was answered with `{answer}`"))
    }

    /// Says how the host has ended, and what it has printed last.
    fn ended(&mut self) -> anyhow::Error {
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let said = log.lines().rev().find(|line| !line.trim().is_empty());
        anyhow!("the host has ended: {status}: {}", said.unwrap_or_default())
    }

    /// Ends the host, and waits for that.
    pub fn end(&mut self) {
        self.stdin = None;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Ends the host at once, as a restart does.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
