//! The fixtures `abacus` and `abacus-host` in a workspace of their own, where a test edits the plugin while it is
//! debugged.
use crate::debugger::Host;
use hotswap_tests::fixture;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the host gets the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The plugin is a library, and the host opens a copy of it.
    Loaded,
    /// The same, where the copy cannot be a file with a name.
    LoadedFromMemory,
    /// The plugin is linked into the host.
    Linked,
}

/// The profile of a user: debug information for the user's own crates.
const WORKSPACE: &str = "\
[workspace]
resolver = \"3\"
members = [\"abacus\", \"abacus-host\"]

[profile.dev]
debug = false

[profile.dev.package.abacus]
debug = \"full\"

[profile.dev.package.abacus-host]
debug = \"full\"
";

const SOURCE: &str = "abacus/src/lib.rs";
/// The line at which debuggers stop.
pub const STOP: &str = "let sum = left + right;";
/// The edit inserts this once for each line that the source had, so that every line number changes its meaning.
const EDIT: &str = "// One more line.\n";

/// A workspace with a plugin and a host. It is always in the same place, where Cargo finds its earlier builds, so only
/// one test at a time may use it.
pub struct Workshop {
    root: PathBuf,
    pub mode: Mode,
    host: PathBuf,
    /// The number of the line at which debuggers stop, in the first call and in the second.
    pub lines: [usize; 2],
    _lock: File,
}

impl Workshop {
    /// Builds the host, and the plugin before and after the edit. Afterwards, the source is as before the edit.
    pub fn open(mode: Mode) -> Self {
        let root = fixture::target().join("debuggers");
        fs::create_dir_all(&root).unwrap();
        let lock = File::create(root.join("lock")).unwrap();
        lock.lock().unwrap();
        write(&root.join("Cargo.toml"), WORKSPACE);
        let checkout = fixture::workspace().join("../..").canonicalize().unwrap();
        let checkout = format!("\"{}/", checkout.display());
        for file in [
            "Cargo.lock",
            "abacus/Cargo.toml",
            "abacus-host/Cargo.toml",
            "abacus-host/src/main.rs",
        ] {
            let text = fs::read_to_string(fixture::workspace().join(file)).unwrap();
            write(&root.join(file), &text.replace("\"../../../", &checkout));
        }
        let first = fs::read_to_string(fixture::workspace().join(SOURCE)).unwrap();
        let later = EDIT.repeat(first.lines().count()) + &first;
        let sources = match mode {
            // A linked plugin is not replaced.
            Mode::Linked => [&first; 2],
            _ => [&first, &later],
        };
        let lines = sources.map(|source| {
            let stop = source.lines().position(|line| line.trim() == STOP);
            stop.expect("the source has the line") + 1
        });
        let source = root.join(SOURCE);
        let host = match mode {
            Mode::Linked => {
                write(&source, &first);
                linked_host(&root)
            }
            _ => {
                write(&root.join("later.rs"), &later);
                write(&source, &later);
                build(&root, "later");
                write(&source, &first);
                build(&root, "plugins");
                host(&root)
            }
        };
        Workshop {
            root,
            mode,
            host,
            lines,
            _lock: lock,
        }
    }

    /// Returns shell commands that edit the source, and put the plugin that was built from it where the host looks.
    pub fn edit(&self) -> &'static [&'static str] {
        match self.mode {
            // A linked plugin stays as it is.
            Mode::Linked => &[],
            _ => &[
                "cp later.rs abacus/src/lib.rs",
                "mv later/libabacus.so plugins/",
            ],
        }
    }

    /// Returns the host, and the way to start it here.
    pub fn host(&self) -> Host {
        let mut env = vec![("HOTSWAP_PLUGIN_DIR".into(), "plugins".into())];
        if self.mode == Mode::LoadedFromMemory {
            env.push(("HOTSWAP_RUNTIME_DIR".into(), "/dev/null/nowhere".into()));
        }
        Host {
            program: self.host.clone(),
            dir: self.root.clone(),
            env,
        }
    }
}

/// Builds the plugin into a directory.
fn build(root: &Path, out: &str) {
    let mut command = fixture::hotswap();
    command.args(["build", "--quiet", "--package", "abacus"]);
    command.arg("--out-dir").arg(root.join(out));
    run(command, root);
}

/// Builds the host that loads the plugin.
fn host(root: &Path) -> PathBuf {
    let mut command = fixture::cargo(&[]);
    command.args(["build", "--quiet", "--package", "abacus-host"]);
    run(command, root);
    fixture::target().join("debug/abacus-host")
}

/// Builds the host with the plugin linked in.
fn linked_host(root: &Path) -> PathBuf {
    let mut command = fixture::hotswap();
    command.args(["build", "--static", "--quiet"]);
    command.arg(root.join("abacus-host"));
    PathBuf::from(run(command, root).trim())
}

/// Returns the output of the command.
fn run(mut command: Command, root: &Path) -> String {
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", fixture::target())
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS");
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("the file has a parent directory")).unwrap();
    fs::write(file, text).unwrap();
}
