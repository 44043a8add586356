//! Child processes of a reload: how they have ended, and the last lines that they have printed.
use crate::base::fail_point;
use crate::error::ReloadError;
use crate::shown::printable;
use crate::telemetry::guarded;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time that is left for the rest of the output once a process has ended. Another process may still have the pipe.
const REST: Duration = Duration::from_secs(1);

/// The last lines that a process prints. A thread of the host reads them.
pub(super) struct LastLines {
    lines: Arc<Mutex<VecDeque<String>>>,
    /// The thread says when it reads, and how that has ended.
    said: Receiver<Result<(), String>>,
    /// Gives the thread a process whose end nobody else waits for.
    reaper: Sender<Child>,
}

impl LastLines {
    /// Reads the output on a thread of this name, and keeps up to `max` lines.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn read(thread: &'static str, output: PipeReader, max: usize) -> io::Result<Self> {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let (say, said) = channel();
        let (reaper, abandoned) = channel::<Child>();
        let kept = lines.clone();
        let run = move || {
            let read = guarded(thread, || {
                fail_point::reach(thread);
                let _ = say.send(Ok(()));
                keep_last(output, max, &kept);
            });
            let _ = say.send(read);
            drop(say);
            if let Ok(mut child) = abandoned.recv() {
                let _ = child.wait();
            }
        };
        std::thread::Builder::new().name(thread.into()).spawn(run)?;
        Ok(LastLines {
            lines,
            said,
            reaper,
        })
    }

    /// Waits until the thread reads the output.
    ///
    /// # Errors
    /// It has panicked.
    pub(super) fn is_read(&self) -> Result<(), ReloadError> {
        let read = self.said.recv().unwrap_or(Ok(()));
        read.map_err(|message| ReloadError::Panicked { message })
    }

    /// Returns the lines, once the process has ended.
    ///
    /// # Errors
    /// The thread has panicked.
    pub(super) fn take(self) -> Result<String, ReloadError> {
        // The other end is dropped, or nothing more is waited for.
        while let Ok(read) = self.said.recv_timeout(REST) {
            read.map_err(|message| ReloadError::Panicked { message })?;
        }
        let lines: Vec<_> = std::mem::take(&mut *lock(&self.lines)).into();
        Ok(printable(&lines.join("\n")).into_owned())
    }

    /// Waits on the thread until the process has ended.
    pub(super) fn reap(self, child: Child) {
        let _ = self.reaper.send(child);
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
