//! Reads server-sent events.
use std::io::{self, BufRead, BufReader, Read};

/// The events of a stream, each with its name and its data.
pub(crate) struct Frames {
    lines: BufReader<Box<dyn Read + Send + Sync>>,
}

impl Frames {
    pub(crate) fn of(body: impl Read + Send + Sync + 'static) -> Self {
        Frames {
            lines: BufReader::new(Box::new(body)),
        }
    }
}

impl Iterator for Frames {
    type Item = io::Result<(String, String)>;

    /// Waits for the next event that has data.
    fn next(&mut self) -> Option<Self::Item> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            match self.lines.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(text) = line.strip_prefix("data:") {
                data.push_str(text.trim_start());
            } else if let Some(text) = line.strip_prefix("event:") {
                text.trim_start().clone_into(&mut name);
            } else if line.is_empty() && !data.is_empty() {
                return Some(Ok((name, data)));
            }
        }
    }
}
