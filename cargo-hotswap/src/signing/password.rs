//! Reads passwords: from a file, from stdin, or from the terminal, where they are not shown.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;

use hotswap_host::shown;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::Error;
use crate::cli::PasswordArgs;
use crate::session::Session;

use super::SigningError;

/// The largest length that minisign accepts.
const MAX: usize = 1024;

/// A password. It has no `Debug`, so that no message shows it.
pub(crate) struct Password(String);

impl Password {
    /// Reads the password of an existing key.
    pub(crate) fn read(session: &Session, args: &PasswordArgs, of: &Path) -> Result<Self, Error> {
        match &args.password_file {
            Some(file) => Self::from_file(session, file),
            None => Self::ask(session, &format!("Password of {}: ", shown::path(of))),
        }
    }

    /// Reads the first line of a file, or of stdin.
    fn from_file(session: &Session, file: &Path) -> Result<Self, Error> {
        let failed = |from: String| |source| SigningError::Password { from, source };
        let (line, from) = if file == Path::new("-") {
            (first_line(io::stdin().lock()), "stdin".to_owned())
        } else {
            let file = session.absolute(file);
            let line = File::open(&file).and_then(|file| first_line(BufReader::new(file)));
            (line, format!("`{}`", shown::path(&file)))
        };
        Ok(Self::checked(line.map_err(failed(from))?)?)
    }

    /// Asks on the terminal.
    fn ask(session: &Session, prompt: &str) -> Result<Self, Error> {
        let tty = File::options().read(true).write(true).open("/dev/tty");
        let tty = tty.map_err(|source| SigningError::NoTerminal { source })?;
        let line = {
            let _hidden = Hidden::on(&tty).map_err(on_terminal)?;
            // The prompt comes last, so that nothing is shown of what is typed after it.
            (&tty).write_all(prompt.as_bytes()).map_err(on_terminal)?;
            line_of_terminal(session, &tty)
        };
        // The end of the line was not shown either.
        (&tty).write_all(b"\n").map_err(on_terminal)?;
        Ok(Self::checked(line?)?)
    }

    fn checked(line: String) -> Result<Self, SigningError> {
        let password = line.trim_end_matches(['\n', '\r']).to_owned();
        match password.len() {
            0 => Err(SigningError::EmptyPassword),
            1..=MAX => Ok(Self(password)),
            _ => Err(SigningError::LongPassword { limit: MAX }),
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Reads the password for a new key, twice if it is typed.
pub(crate) fn choose(session: &Session, args: &PasswordArgs) -> Result<Password, Error> {
    if let Some(file) = &args.password_file {
        return Password::from_file(session, file);
    }
    let password = Password::ask(session, "Password for the new secret key: ")?;
    let again = Password::ask(session, "The same password once more: ")?;
    match password.0 == again.0 {
        true => Ok(password),
        false => Err(SigningError::PasswordsDiffer.into()),
    }
}

fn first_line(mut from: impl io::BufRead) -> io::Result<String> {
    let mut line = String::new();
    // One character more than fits, and the end of the line.
    from.by_ref().take(MAX as u64 + 3).read_line(&mut line)?;
    Ok(line)
}

fn on_terminal(source: impl Into<io::Error>) -> SigningError {
    SigningError::Password {
        from: "the terminal".to_owned(),
        source: source.into(),
    }
}

/// Reads a line of a terminal. A signal interrupts it.
fn line_of_terminal(session: &Session, mut tty: &File) -> Result<String, Error> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() <= MAX {
        let step = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        let ready = poll(&mut [PollFd::new(&tty, PollFlags::IN)], Some(&step));
        session.interrupt.check()?;
        if !matches!(ready, Ok(1..)) {
            continue;
        }
        let mut part = [0; 256];
        match tty.read(&mut part).map_err(on_terminal)? {
            0 => break,
            read => line.extend_from_slice(&part[..read]),
        }
    }
    let text = String::from_utf8(line);
    let not_text = |_| on_terminal(io::Error::from(io::ErrorKind::InvalidData));
    Ok(text.map_err(not_text)?)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden<'t> {
    tty: &'t File,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn on(tty: &'t File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(tty, OptionalActions::Flush, &hidden)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // If the terminal is gone, nothing is left to be shown.
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}
