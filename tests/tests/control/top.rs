//! The screen of `top`, in a real terminal.
use crate::support::Controlled;
use hotswap_tests::{fixture, until};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// The command in a terminal of this size, which `script` makes.
pub struct Screen {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Screen {
    pub fn of(socket: &Path, rows: u16, columns: u16) -> Self {
        let command = fixture::hotswap();
        let program = command.get_program().to_str().unwrap();
        let run = format!(
            "stty rows {rows} cols {columns} && exec '{program}' hotswap top -d 100ms --host '{}'",
            socket.display()
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &run, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut output, keep) = (child.stdout.take().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                keep.lock().unwrap().extend(&part[..length]);
            }
        });
        Screen { child, shown }
    }

    fn has(&self, text: &str) -> bool {
        let shown = self.shown.lock().unwrap();
        String::from_utf8_lossy(&shown).contains(text)
    }

    /// Waits until the terminal was sent this text.
    pub fn shows(&self, text: &str) {
        until(text, || self.has(text));
    }

    pub fn press(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for the end, after which the terminal is as it was before.
    pub fn ends(mut self) {
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.shows("\u{1b}[?1049l");
    }
}

#[test]
fn it_shows_the_plugins_and_obeys_keys() {
    let host = Controlled::new();
    let mut screen = Screen::of(&host.socket(), 24, 80);
    screen.shows("\u{1b}[?1049h");
    screen.shows("checked");
    screen.shows("MEMORY");
    assert!(!screen.has("NOTES"), "there is no room for it");
    screen.press(" ");
    screen.shows("PAUSED");
    screen.press("q");
    screen.ends();

    let mut screen = Screen::of(&host.socket(), 60, 200);
    screen.shows("NOTES");
    // F10.
    screen.press("\u{1b}[21~");
    screen.ends();
    let mut screen = Screen::of(&host.socket(), 24, 80);
    screen.shows("checked");
    screen.press("\u{3}");
    screen.ends();
    host.close();
}

#[test]
fn it_needs_a_terminal_and_a_host() {
    let host = Controlled::new();
    let ran = host.ran(&["top"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("needs a terminal"), "{ran:?}");
    host.close();
}
