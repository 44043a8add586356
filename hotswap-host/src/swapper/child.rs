//! Child processes of a reload: how they have ended, and the last lines that they have printed.
use crate::shown::printable;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time that is left for the rest of the output once a process has ended. Another process may still have the pipe.
const REST: Duration = Duration::from_secs(1);

/// The last lines that a process prints.
pub(super) struct LastLines {
    lines: Arc<Mutex<VecDeque<String>>>,
    ended: Receiver<()>,
}

impl LastLines {
    /// Reads the output on a thread of its own, and keeps up to `max` lines.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn read(output: PipeReader, max: usize) -> io::Result<Self> {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (end, ended) = channel();
        let kept = lines.clone();
        let run = move || {
            keep_last(output, max, &kept);
            drop(end);
        };
        let thread = std::thread::Builder::new().name("hotswap-output".into());
        thread.spawn(run)?;
        Ok(LastLines { lines, ended })
    }

    /// Returns the lines, once the process has ended.
    pub(super) fn take(self) -> String {
        // The other end is dropped, or nothing more is waited for.
        let _ = self.ended.recv_timeout(REST);
        let lines: Vec<_> = std::mem::take(&mut *lock(&self.lines)).into();
        printable(&lines.join("\n")).into_owned()
    }
}

fn lock(lines: &Mutex<VecDeque<String>>) -> MutexGuard<'_, VecDeque<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep_last(output: PipeReader, max: usize, lines: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        // A line that never ends is cut.
        match (&mut reader).take(1000).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let mut last = lock(lines);
        if last.len() == max {
            last.pop_front();
        }
        last.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
    }
}

/// Says how a process has ended.
pub(super) fn ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("it was ended by signal {signal} ({name})"),
            None => format!("it was ended by signal {signal}"),
        },
        (None, Some(code)) => format!("it has exited with code {code}"),
        _ => "it has ended".into(),
    }
}
