//! Where everything lies, and how it is built.
//!
//! The sources are edited and built in a copy of this workspace, below its target directory.
use crate::peers::{Kind, Peer};
use anyhow::{Context as _, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const WASM: &str = "wasm32-unknown-unknown";

/// The profile of a build.
#[derive(Clone, Copy, PartialEq)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    fn directory(self) -> &'static str {
        match self {
            Profile::Dev => "debug",
            Profile::Release => "release",
        }
    }
}

/// The directories.
pub struct Place {
    /// The checkout of hotswap.
    pub checkout: PathBuf,
    /// The directory for everything that is made here.
    pub out: PathBuf,
    /// Cargo's target directory for the copy. `cargo hotswap run` watches no file in it.
    pub target: PathBuf,
    /// The copy of the workspace.
    pub work: PathBuf,
    /// The `cargo-hotswap` that is measured.
    pub command: PathBuf,
}

impl Place {
    /// Makes the copy, and builds `cargo-hotswap` unless the variable HOTSWAP names one.
    pub fn prepare() -> anyhow::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
        let checkout = workspace.join("../..").canonicalize()?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => env::current_dir()?.join(directory),
            None => workspace.join("target"),
        };
        let out = target.join("compare");
        let place = Place {
            target: out.join("target"),
            work: out.join("work"),
            command: hotswap_command(&checkout)?,
            checkout,
            out,
        };
        copy(workspace, &place.work, &place.checkout)?;
        Ok(place)
    }

    /// Returns a directory for a peer, which is empty.
    pub fn empty(&self, peer: &Peer, name: &str) -> anyhow::Result<PathBuf> {
        let directory = self.out.join(peer.name).join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// Returns the file for the stderr of a peer's host.
    pub fn log(&self, peer: &Peer) -> PathBuf {
        self.out.join(peer.name).join("stderr")
    }

    /// Writes a number into the source of the plugin.
    pub fn set_version(&self, peer: &Peer, version: u64) -> anyhow::Result<()> {
        const BEGIN: &str = "const VERSION: u64 = ";
        let file = self.work.join(peer.source);
        let source = fs::read_to_string(&file)?;
        let (before, rest) = source
            .split_once(BEGIN)
            .context("the source has no version")?;
        let (_, after) = rest.split_once(';').context("the version has no end")?;
        fs::write(&file, format!("{before}{BEGIN}{version};{after}"))?;
        Ok(())
    }

    /// Builds what a user of the peer rebuilds after an edit, and returns the file.
    pub fn build_plugin(&self, peer: &Peer, profile: Profile) -> anyhow::Result<PathBuf> {
        let directory = self.target.join(profile.directory());
        match peer.kind {
            Kind::Restart => self.build_host(peer, profile),
            Kind::Hotswap => {
                let out = self.out.join(peer.name).join("out");
                let mut command = self.hotswap();
                command.args(["build", "--quiet", "--locked", "--package", &peer.plugin()]);
                command.arg("--out-dir").arg(&out);
                if profile == Profile::Release {
                    command.arg("--release");
                }
                run(&mut command)?;
                Ok(out.join(peer.library()))
            }
            Kind::Module => {
                self.cargo(&peer.plugin(), profile, &["--target", WASM])?;
                let directory = self.target.join(WASM).join(profile.directory());
                let name = peer.plugin().replace('-', "_");
                Ok(directory.join(name).with_extension("wasm"))
            }
            Kind::Watched | Kind::Library | Kind::Patch => {
                self.cargo(&peer.plugin(), profile, &[])?;
                Ok(directory.join(peer.library()))
            }
        }
    }

    /// Builds the host, and returns the program.
    pub fn build_host(&self, peer: &Peer, profile: Profile) -> anyhow::Result<PathBuf> {
        self.cargo(&peer.host(), profile, &[])?;
        Ok(self.target.join(profile.directory()).join(peer.host()))
    }

    fn cargo(&self, package: &str, profile: Profile, args: &[&str]) -> anyhow::Result<()> {
        let mut command = self.command("cargo");
        command.args(["build", "--quiet", "--locked", "--package", package]);
        command.args(args);
        if profile == Profile::Release {
            command.arg("--release");
        }
        run(&mut command)
    }

    /// Returns a call of `cargo hotswap`.
    pub fn hotswap(&self) -> Command {
        let mut command = self.command(&self.command);
        command.arg("hotswap");
        command
    }

    /// Returns a command that runs in the copy, as a developer would run it.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.work);
        command.env("CARGO_TARGET_DIR", &self.target);
        command.env("CARGO_TERM_COLOR", "never");
        command.env_remove("CARGO_INCREMENTAL");
        command
    }

    /// Returns the version of a crate in the lock file.
    pub fn version(&self, name: &str) -> Option<String> {
        let lock = fs::read_to_string(self.work.join("Cargo.lock")).ok()?;
        // The last one is the newest. The others are those of dependencies.
        let (_, after) = lock.rsplit_once(&format!("name = \"{name}\"\nversion = \""))?;
        let (version, _) = after.split_once('"')?;
        Some(version.to_owned())
    }
}

/// Returns the `cargo-hotswap` to measure.
fn hotswap_command(checkout: &Path) -> anyhow::Result<PathBuf> {
    if let Some(command) = env::var_os("HOTSWAP") {
        return Ok(env::current_dir()?.join(command));
    }
    let mut command = Command::new("cargo");
    command.args([
        "build",
        "--release",
        "--locked",
        "--package",
        "cargo-hotswap",
    ]);
    command.args(["--target-dir", "target"]);
    run(command.current_dir(checkout).env_remove("CARGO_TARGET_DIR"))?;
    Ok(checkout.join("target/release/cargo-hotswap"))
}

/// Runs a command. The error has what it has printed.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        eprintln!("{said}");
        let error = said.lines().find(|line| line.starts_with("error"));
        bail!("cannot be built here: {}", error.unwrap_or("see stderr"));
    }
    Ok(())
}

/// Copies the workspace. Files that are the same already keep their time, so that they are not compiled again.
fn copy(from: &Path, to: &Path, checkout: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&from, &to, checkout)?;
            continue;
        }
        let mut text = fs::read(&from)?;
        if entry.file_name() == "Cargo.toml" {
            let absolute = format!("\"{}/", checkout.display());
            let manifest = String::from_utf8(text)?;
            text = manifest.replace("\"../../", &absolute).into_bytes();
        }
        if fs::read(&to).ok().as_ref() != Some(&text) {
            fs::write(&to, text)?;
        }
    }
    Ok(())
}
