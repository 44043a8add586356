//! Shows that the tests of this crate can fail. In a copy of the shipped files, it takes away each ordering, barrier, and
//! check of the protocol in turn, and expects the test that is named for it to fail.
//!
//! ```text
//! cargo run -p hotswap-model
//! ```
mod weakenings;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use weakenings::{Test, WEAKENINGS, Weakening};

/// The directories that are compiled, beside the manifests.
const DIRECTORIES: [&str; 3] = [
    "hotswap-host/src/reclaim",
    "hotswap-host/src/platform",
    "tests/model",
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted =
        |w: &&Weakening| wanted.is_empty() || wanted.iter().any(|name| w.what.contains(name));
    match Copy::of(&root).and_then(|copy| copy.weaken(WEAKENINGS.iter().filter(is_wanted))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(unnoticed) => {
            eprintln!(
                "{unnoticed} weakenings went unnoticed: write a test that fails, or relax what is not needed"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot weaken the protocol: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A copy of the sources that the tests compile, as a workspace.
struct Copy {
    source: PathBuf,
    workspace: tempfile::TempDir,
    target: PathBuf,
}

impl Copy {
    fn of(root: &Path) -> io::Result<Self> {
        let workspace = tempfile::tempdir()?;
        for directory in DIRECTORIES {
            copy(&root.join(directory), &workspace.path().join(directory))?;
        }
        let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
        fs::write(workspace.path().join("Cargo.toml"), alone(&manifest)?)?;
        fs::copy(root.join("Cargo.lock"), workspace.path().join("Cargo.lock"))?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        Ok(Copy {
            source: root.to_owned(),
            workspace,
            target: target.join("weakened"),
        })
    }

    /// Tries these weakenings. Returns how many went unnoticed.
    fn weaken<'a>(&self, all: impl Iterator<Item = &'a Weakening>) -> io::Result<usize> {
        let mut unnoticed = 0;
        for weakening in all {
            let is_noticed = self.is_noticed(weakening)?;
            let (Test::Protocol(test) | Test::Machine(test)) = weakening.fails;
            let result = if is_noticed { "noticed  " } else { "UNNOTICED" };
            println!("{result}  {}  ({test})", weakening.what);
            unnoticed += usize::from(!is_noticed);
        }
        Ok(unnoticed)
    }

    fn is_noticed(&self, weakening: &Weakening) -> io::Result<bool> {
        let file = Path::new(DIRECTORIES[0]).join(weakening.file);
        let (from, to) = (self.source.join(&file), self.workspace.path().join(&file));
        let text = fs::read_to_string(&from)?;
        if text.matches(weakening.from).count() != 1 {
            let problem = format!(
                "{} of `{}`: `{}` is not there exactly once",
                weakening.what, weakening.file, weakening.from
            );
            return Err(io::Error::other(problem));
        }
        fs::write(&to, text.replacen(weakening.from, weakening.to, 1))?;
        let noticed = self.fails(weakening.fails);
        fs::write(&to, text)?;
        noticed
    }

    /// Returns true if the test fails after it was compiled without errors.
    fn fails(&self, test: Test) -> io::Result<bool> {
        let (program, name) = match test {
            Test::Protocol(name) => ("protocol", name),
            Test::Machine(name) => ("machine", name),
        };
        let built = self.cargo(program).arg("--no-run").output()?;
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stderr);
            return Err(io::Error::other(format!("it does not compile:\n{errors}")));
        }
        let fails = || {
            let mut run = self.cargo(program);
            run.args(["--", "--exact", name]);
            let status = run.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
            Ok(!status.success())
        };
        let tries = match test {
            Test::Protocol(_) => 1,
            // On a busy machine, the two threads of a race may never run at the same time.
            Test::Machine(_) => 20,
        };
        // The search stops at the first run that fails.
        let mut results = (0..tries).map(|_| fails());
        let failed = results.find(|result| !matches!(result, Ok(false)));
        failed.unwrap_or(Ok(false))
    }

    fn cargo(&self, program: &str) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["test", "--quiet", "--offline", "--test", program])
            .current_dir(self.workspace.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "1")
            // A weakening that goes unnoticed has to end at some time.
            .env("LOOM_MAX_DURATION", "60");
        command
    }
}

/// Returns the workspace's manifest with this crate as its only member.
fn alone(manifest: &str) -> io::Result<String> {
    let parts = manifest
        .split_once("members = [")
        .and_then(|(before, rest)| Some((before, rest.split_once("]\n")?.1)));
    let (before, after) =
        parts.ok_or_else(|| io::Error::other("the workspace has no list of members"))?;
    Ok(format!("{before}members = [\"tests/model\"]\n{after}"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}
