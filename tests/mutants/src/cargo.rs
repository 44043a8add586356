//! What cargo builds, and what it complains of.
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cargo in a checkout.
pub struct Cargo {
    checkout: PathBuf,
    target: PathBuf,
}

/// A program with tests.
pub struct Program {
    /// Its name, as cargo has it.
    pub name: String,
    /// The file.
    pub executable: PathBuf,
    /// Where it expects to be run.
    pub directory: PathBuf,
}

/// What the compiler says.
#[derive(Deserialize)]
pub struct Message {
    level: String,
    code: Option<Code>,
    /// Where.
    pub spans: Vec<Span>,
    /// As people read it.
    pub rendered: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// A place in a file.
#[derive(Deserialize)]
pub struct Span {
    /// The file, relative to the checkout.
    pub file_name: String,
    /// In bytes.
    pub byte_start: usize,
    /// In bytes.
    pub byte_end: usize,
}

/// A line of cargo's messages.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Message {
    fn is_error(&self) -> bool {
        self.level == "error"
    }

    /// Whether it has this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|own| own.code == code)
    }
}

impl Cargo {
    /// In this checkout, with a target directory.
    pub fn new(checkout: &Path, target: &Path) -> Self {
        Cargo {
            checkout: checkout.to_owned(),
            target: target.to_owned(),
        }
    }

    /// The errors in a package.
    ///
    /// # Errors
    /// Cargo does not run, or fails without saying where.
    pub fn errors(&self, package: &str) -> io::Result<Vec<Message>> {
        let (built, lines) = self.run(&["check", "--package", package])?;
        let messages = lines.into_iter().filter_map(|line| line.message);
        let (errors, _): (Vec<_>, Vec<_>) = messages.partition(Message::is_error);
        match (built, errors.is_empty()) {
            (false, true) => Err(io::Error::other(format!("{package} cannot be checked"))),
            // The last one only counts the others.
            _ => Ok(errors.into_iter().filter(|e| !e.spans.is_empty()).collect()),
        }
    }

    /// Builds programs with tests.
    ///
    /// # Errors
    /// They do not compile.
    pub fn tests(&self, which: &[&str]) -> io::Result<Vec<Program>> {
        let arguments = [&["test", "--no-run"], which].concat();
        let (built, lines) = self.run(&arguments)?;
        if !built {
            let messages = lines.into_iter().filter_map(|line| line.message);
            let errors: Vec<_> = messages.map(|message| message.rendered).collect();
            return Err(io::Error::other(errors.join("\n")));
        }
        let programs = lines.into_iter().filter_map(|line| {
            line.profile.filter(|profile| profile.test)?;
            Some(Program {
                name: line.target?.name,
                executable: line.executable?,
                directory: line.manifest_path?.parent()?.to_owned(),
            })
        });
        Ok(programs.collect())
    }

    fn run(&self, arguments: &[&str]) -> io::Result<(bool, Vec<Line>)> {
        let mut command = Command::new("cargo");
        command
            .args(arguments)
            .args(["--quiet", "--message-format=json"])
            .current_dir(&self.checkout)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "1")
            .stderr(Stdio::null());
        let output = command.output()?;
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| serde_json::from_slice(line).ok());
        Ok((output.status.success(), lines.collect()))
    }
}
