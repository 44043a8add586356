//! A user's workspace, and the commands that run in it.
use crate::running::Running;
use hotswap_tests::{fixture, odd};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A directory with a space in its path, and hosts that no other test has.
pub struct Project {
    temp: TempDir,
    pub root: PathBuf,
}

impl Project {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap().join("some where");
        fs::create_dir(&root).unwrap();
        Project { temp, root }
    }

    /// Copies the demos of the checkout, as a workspace that depends on the checkout's crates. Those are compiled once for
    /// all projects.
    pub fn of_the_checkout() -> Self {
        let project = Project::new();
        odd::copy_tree(&checkout().join("demos"), &project.root.join("demos"));
        let lock = "Cargo.lock";
        fs::copy(checkout().join(lock), project.root.join(lock)).unwrap();
        let manifest = fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
        let mut manifest: toml::Table = manifest.parse().unwrap();
        let workspace = manifest["workspace"].as_table_mut().unwrap();
        workspace.remove("exclude");
        let members = workspace["members"].as_array_mut().unwrap();
        members.retain(|member| member.as_str().unwrap().starts_with("demos/"));
        for (_, dependency) in workspace["dependencies"].as_table_mut().unwrap() {
            if let Some(path) = dependency.get_mut("path") {
                *path = checkout()
                    .join(path.as_str().unwrap())
                    .to_str()
                    .unwrap()
                    .into();
            }
        }
        // The profile is that of everything else that is built here.
        let profile = manifest["profile"]["dev"].as_table_mut().unwrap();
        profile.insert("debug".into(), false.into());
        let packages = profile["package"].as_table_mut().unwrap();
        // Cargo warns of a profile for a package that is not there.
        packages.retain(|name, _| ["*", "addr2line", "gimli", "object", "sha2"].contains(&name));
        fs::write(project.root.join("Cargo.toml"), manifest.to_string()).unwrap();
        project
    }

    /// Returns the command, to be run in a directory of the project. All projects share one target directory, so that
    /// their dependencies are built once.
    pub fn hotswap(&self, dir: &str, args: &[&str]) -> Command {
        let mut command = fixture::hotswap();
        command.args(args).current_dir(self.root.join(dir));
        self.settle(&mut command);
        command
    }

    /// Returns the command as the checkout has it: through its alias, with nothing installed.
    pub fn alias(&self, args: &[&str]) -> Command {
        let mut command = fixture::cargo(&[]);
        command.arg("hotswap").args(args).current_dir(checkout());
        self.settle(&mut command);
        // The target directory of the tests holds the command already.
        command
            .env("CARGO_TARGET_DIR", fixture::target().parent().unwrap())
            .env_remove("CARGO_PROFILE_DEV_DEBUG");
        command
    }

    /// Returns Cargo itself.
    pub fn cargo(&self, dir: &str, args: &[&str]) -> Command {
        let mut command = fixture::cargo(&[]);
        command.args(args).current_dir(self.root.join(dir));
        self.settle(&mut command);
        command
    }

    fn settle(&self, command: &mut Command) {
        command
            .stdin(Stdio::null())
            .env("CARGO_TARGET_DIR", fixture::target())
            // The settings are those with which the fixtures are built.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_TERM_COLOR", "never")
            .env("HOTSWAP_RUNTIME_DIR", self.hosts())
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTFLAGS")
            .env_remove("RUST_LOG");
    }

    /// Starts the command, so that a test can read its lines.
    pub fn start(&self, dir: &str, args: &[&str]) -> Running {
        Running::start(&mut self.hotswap(dir, args))
    }

    /// Runs the command, and returns its exit code, stdout, and stderr.
    pub fn ran(&self, dir: &str, args: &[&str]) -> Ran {
        let output = self.hotswap(dir, args).output().unwrap();
        self.redacted(&output)
    }

    /// Returns the stdout of a command that has to succeed.
    pub fn ok(&self, dir: &str, args: &[&str]) -> Ran {
        let ran = self.ran(dir, args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran
    }

    /// Replaces the names of this machine's directories.
    pub fn redacted(&self, output: &Output) -> Ran {
        let target = fixture::target();
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .replace(self.root.to_str().unwrap(), "<root>")
                .replace(target.to_str().unwrap(), "<target>")
        };
        Ran {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Replaces `from`, which the file has to contain, with `to`, in one step as editors do it.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let file = self.root.join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{} has no {from:?}", file.display());
        let temporary = file.with_extension("tmp");
        fs::write(&temporary, text.replace(from, to)).unwrap();
        fs::rename(&temporary, &file).unwrap();
    }

    /// Pins the dependencies to the versions that are built already, rather than the newest ones.
    pub fn lock(&self, dir: &str) {
        let versions = checkout().join("tests/fixtures/Cargo.lock");
        fs::copy(versions, self.root.join(dir).join("Cargo.lock")).unwrap();
    }

    /// Returns the directory in which running hosts have their files.
    pub fn hosts(&self) -> PathBuf {
        self.temp.path().join("hosts")
    }

    /// Returns the plugin directory of a host. It is empty at first.
    pub fn plugin_dir(&self, host: &str) -> PathBuf {
        let dir = fixture::target().join("hotswap/debug").join(host);
        let _ = fs::remove_dir_all(&dir);
        dir
    }
}

pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Returns the checkout that these tests are part of.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
