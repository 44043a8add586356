//! The tokens that a host accepts.
use crate::api::Role;
use crate::token::TokenLine;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

/// The greatest size of a file of tokens.
const LONGEST: u64 = 1 << 20;

/// The tokens of a file, which is read each time.
pub(super) struct Tokens(Option<PathBuf>);

/// A token that is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No token is accepted, or none that is known.
    Unknown,
    /// It does not count any more.
    Expired { id: String },
    /// The file cannot be used.
    File(String),
}

impl Tokens {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Tokens(path)
    }

    /// Returns the id and the role of a token.
    pub(super) fn check(&self, token: &str) -> Result<(String, Role), Refused> {
        let lines = self.read().map_err(Refused::File)?;
        // Each line is compared, so the time does not tell which one is the token's.
        let mut found = None;
        for line in &lines {
            if line.fits(token) {
                found = Some(line);
            }
        }
        let line = found.ok_or(Refused::Unknown)?;
        match line.has_expired(SystemTime::now()) {
            false => Ok((line.id().to_owned(), line.role())),
            true => Err(Refused::Expired {
                id: line.id().to_owned(),
            }),
        }
    }

    /// Reads the lines.
    ///
    /// # Errors
    /// The file cannot be read, somebody else may write it, or a line is not that of a token.
    pub(super) fn read(&self) -> Result<Vec<TokenLine>, String> {
        let Some(path) = &self.0 else {
            return Ok(Vec::new());
        };
        let file = File::open(path).map_err(|error| error.to_string())?;
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        let own = fs::metadata("/proc/self").map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("this is not a file".into());
        }
        if metadata.mode() & 0o022 != 0 || ![own.uid(), 0].contains(&metadata.uid()) {
            return Err("other users can write the file of tokens, so nobody is let in; make it writable for its owner only: `chmod 600`".into());
        }
        let mut text = String::new();
        let read = file.take(LONGEST).read_to_string(&mut text);
        read.map_err(|error| error.to_string())?;
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let lines = lines.map(|(at, line)| {
            let line = line.parse();
            line.map_err(|error| format!("line {}: {error}", at + 1))
        });
        lines.collect()
    }
}
