//! The tests, each run as a process of its own, and which mutants each of them reaches.
use crate::cargo::Program;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// More than any mutant has: none is switched on, and nothing is noted.
pub const NONE: usize = 1 << 20;
/// What is reached is noted.
const NOTE: usize = usize::MAX - 1;

/// What a test may take beyond ten times what it takes with no mutant.
const PATIENCE: Duration = Duration::from_secs(2);
/// What it may take with no mutant.
const LONGEST: Duration = Duration::from_secs(900);

/// A test.
#[derive(Serialize, Deserialize)]
pub struct Test {
    /// Its program and its name.
    pub name: String,
    executable: PathBuf,
    directory: PathBuf,
    function: String,
    /// How long it took with no mutant.
    took: Duration,
    /// The mutants that it reaches.
    pub reaches: BTreeSet<usize>,
    #[serde(skip)]
    tried: AtomicU32,
    #[serde(skip)]
    noticed: AtomicU32,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It passed.
    Passed,
    /// It failed, or its process was killed.
    Failed,
    /// It did not end.
    TimedOut,
}

impl Test {
    fn new(program: &Program, function: &str) -> Self {
        Test {
            name: format!("{} {function}", program.name),
            executable: program.executable.clone(),
            directory: program.directory.clone(),
            function: function.to_owned(),
            took: Duration::ZERO,
            reaches: BTreeSet::new(),
            tried: AtomicU32::new(0),
            noticed: AtomicU32::new(0),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["--exact", &self.function]);
        command
    }

    /// What it costs to notice a mutant with it, as far as is known.
    pub fn price(&self) -> Duration {
        self.took * (self.tried.load(Relaxed) + 4) / (self.noticed.load(Relaxed) + 1)
    }
}

/// The program and the module of a test.
pub fn module(test: &str) -> &str {
    test.rsplit_once("::").map_or(test, |(module, _)| module)
}

/// Where tests are run, one at a time.
pub struct Ground {
    /// Their directory for temporary files, emptied each time.
    temporary: PathBuf,
    notes: PathBuf,
    checkout: PathBuf,
}

impl Ground {
    /// The ground of this number in a directory of the driver's, for a checkout.
    pub fn new(number: usize, directory: &Path, checkout: &Path) -> Self {
        Ground {
            temporary: directory.join(format!("tmp-{number}")),
            notes: directory.join(format!("reached-{number}")),
            checkout: checkout.to_owned(),
        }
    }

    /// Runs the tests of a program with no mutant, all at once, so that what they need is built.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn warm_up(&self, program: &Program) -> io::Result<()> {
        let command = Command::new(&program.executable);
        self.run(command, &program.directory, NONE, LONGEST)?;
        Ok(())
    }

    /// Runs a test with no mutant, to see what it reaches. Whether it passes.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn explore(&self, test: &mut Test) -> io::Result<bool> {
        let _ = fs::remove_file(&self.notes);
        let noted = self.run(test.command(), &test.directory, NOTE, LONGEST)?;
        let notes = fs::read_to_string(&self.notes).unwrap_or_default();
        test.reaches = notes.lines().filter_map(|line| line.parse().ok()).collect();
        let began = Instant::now();
        let again = self.run(test.command(), &test.directory, NONE, LONGEST)?;
        test.took = began.elapsed();
        Ok((noted, again) == (End::Passed, End::Passed))
    }

    /// Runs a test with this mutant. A test that fails now and then has noticed nothing.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn attempt(&self, test: &Test, mutant: usize) -> io::Result<End> {
        test.tried.fetch_add(1, Relaxed);
        let limit = PATIENCE + 10 * test.took;
        let mut end = End::Passed;
        for _ in 0..2 {
            end = self.run(test.command(), &test.directory, mutant, limit)?;
            if end == End::Passed {
                return Ok(end);
            }
        }
        test.noticed.fetch_add(1, Relaxed);
        Ok(end)
    }

    fn run(
        &self,
        mut command: Command,
        directory: &Path,
        mutant: usize,
        limit: Duration,
    ) -> io::Result<End> {
        let _ = fs::remove_dir_all(&self.temporary);
        fs::create_dir_all(&self.temporary)?;
        command
            .current_dir(directory)
            .env("CARGO_MANIFEST_DIR", directory)
            .env("HOTSWAP_MUTANT", mutant.to_string())
            .env("HOTSWAP_MUTANTS_REACHED", &self.notes)
            .env("HOTSWAP_TEST_SWAPS", "40")
            .env("INSTA_UPDATE", "no")
            .env("INSTA_WORKSPACE_ROOT", &self.checkout)
            .env("TMPDIR", &self.temporary)
            .env_remove("RUST_BACKTRACE")
            .env_remove("XDG_RUNTIME_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What it starts ends with it.
            .process_group(0);
        let mut child = command.spawn()?;
        let end = Instant::now() + limit;
        let mut pause = Duration::from_millis(1);
        let ended = loop {
            if let Some(status) = child.try_wait()? {
                break match status.success() {
                    true => End::Passed,
                    false => End::Failed,
                };
            }
            if Instant::now() >= end {
                break End::TimedOut;
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(20));
        };
        let group = -i32::try_from(child.id()).expect("processes have small numbers");
        // SAFETY: no memory is touched.
        unsafe { libc::kill(group, libc::SIGKILL) };
        if ended == End::TimedOut {
            child.wait()?;
        }
        Ok(ended)
    }
}

/// The names of the tests of a program.
///
/// # Errors
/// It cannot be run.
pub fn list(program: &Program) -> io::Result<Vec<Test>> {
    let mut list = Command::new(&program.executable);
    list.args(["--list", "--format", "terse"]);
    let output = list.current_dir(&program.directory).output()?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let functions = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    Ok(functions.map(|name| Test::new(program, name)).collect())
}
