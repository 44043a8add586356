//! A running program, and the lines that it prints.
use hotswap_tests::LIMIT;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// A running program. It ends with the test.
pub struct Running {
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Default)]
struct Said {
    /// The lines of stdout and of stderr, each in their order.
    lines: [Vec<String>; 2],
    /// The number of lines that are done with.
    seen: [usize; 2],
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Output::default());
        let listen = |stream: usize, from: Box<dyn Read + Send>| {
            let output = output.clone();
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    let mut said = output.said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.lines[stream].push(line);
                    output.changed.notify_all();
                }
            });
        };
        listen(0, Box::new(child.stdout.take().unwrap()));
        listen(1, Box::new(child.stderr.take().unwrap()));
        Running { child, output }
    }

    /// Waits for a line that contains this text, after the last line that was waited for in the same stream.
    pub fn until(&self, text: &str) {
        self.until_all(&[text]);
    }

    /// Waits for lines that contain these texts, in any order.
    pub fn until_all(&self, texts: &[&str]) {
        let find = |said: &Said, text: &str| {
            (0..2).find_map(|stream| {
                let mut rest = said.lines[stream].iter().skip(said.seen[stream]);
                let at = rest.position(|line| line.contains(text))?;
                Some((stream, said.seen[stream] + at + 1))
            })
        };
        let find_all =
            |said: &Said| -> Option<Vec<_>> { texts.iter().map(|text| find(said, text)).collect() };
        let said = self.output.said.lock().unwrap();
        // The program may be built first, with all that it depends on.
        let waited = self
            .output
            .changed
            .wait_timeout_while(said, LIMIT * 10, |said| find_all(said).is_none());
        let (mut said, _) = waited.unwrap();
        let Some(found) = find_all(&said) else {
            panic!("the program did not print {texts:?}: {:#?}", said.lines)
        };
        for (stream, seen) in found {
            said.seen[stream] = said.seen[stream].max(seen);
        }
    }

    /// Returns true if a line contains this text.
    pub fn has_said(&self, text: &str) -> bool {
        let said = self.output.said.lock().unwrap();
        said.lines.iter().flatten().any(|line| line.contains(text))
    }

    /// From now on, only lines that are printed later count.
    pub fn forget(&self) {
        let mut said = self.output.said.lock().unwrap();
        said.seen = [said.lines[0].len(), said.lines[1].len()];
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: `kill` touches no memory. The child was not waited for, so its process id was not reused.
        let answer = unsafe { libc::kill(self.child.id().cast_signed(), signal) };
        assert_eq!(answer, 0);
    }

    /// Returns the exit code of the program.
    pub fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    /// Passes a signal on to the host, which would outlive the command if that were killed.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(libc::SIGTERM);
            let _ = self.child.wait();
        }
    }
}
