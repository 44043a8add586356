//! The program of a host: which of its binaries it is, and how it is built.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Package;
use cargo_metadata::camino::Utf8PathBuf;

use crate::Error;
use crate::call::{Made, file_of};
use crate::cargo::Calls;
use crate::install::Locked;
use crate::output::base_dir;
use crate::session::without_cargos_variables;
use crate::settings;
use crate::workspace::{binaries, directory};

/// Builds the binary of `host`, which will load its plugins.
pub(crate) fn build(
    calls: &Calls<'_>,
    host: &Package,
    named: Option<&str>,
) -> Result<PathBuf, Error> {
    let name = binary(host, named)?;
    let _lock = Locked::of_builds(calls.session, &base_dir(calls.workspace))?;
    let made = calls.make(&calls.host(host, name), host)?;
    executable(&made, host, name)
}

/// Returns the binary to run: the named one, the default one, or the only one.
pub(crate) fn binary<'a>(host: &'a Package, named: Option<&'a str>) -> Result<&'a str, Error> {
    let wanted = named.or(host.default_run.as_deref());
    let all: Vec<&str> = binaries(host).collect();
    match (wanted, &all[..]) {
        (Some(wanted), all) if all.contains(&wanted) => Ok(wanted),
        (None, [only]) => Ok(only),
        _ => Err(Error::WhichBinary {
            host: host.name.to_string(),
            binaries: all.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// Returns the command that runs `executable`, a program of `host` that Cargo cannot run, since it does not know how
/// the program was built. The command has everything that `cargo run` would add, except for the runner.
pub(crate) fn linked_command(
    calls: &Calls<'_>,
    host: &Package,
    executable: &Path,
    args: &[OsString],
) -> Command {
    let mut command = Command::new(executable);
    without_cargos_variables(&mut command);
    command
        .args(args)
        .current_dir(&calls.session.dir)
        .env("CARGO", &calls.session.cargo)
        .env("CARGO_MANIFEST_DIR", directory(host))
        .env("CARGO_MANIFEST_PATH", &host.manifest_path)
        .envs(variables(host))
        .envs(settings::environment(calls.workspace));
    command
}

/// Returns the variables with which Cargo describes a package to its program.
fn variables(host: &Package) -> [(&'static str, String); 14] {
    let version = &host.version;
    let path = |path: &Option<Utf8PathBuf>| path.as_ref().map(ToString::to_string);
    let text = Option::unwrap_or_default;
    [
        ("CARGO_PKG_NAME", host.name.to_string()),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PKG_AUTHORS", host.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", text(host.description.clone())),
        ("CARGO_PKG_HOMEPAGE", text(host.homepage.clone())),
        ("CARGO_PKG_REPOSITORY", text(host.repository.clone())),
        ("CARGO_PKG_LICENSE", text(host.license.clone())),
        ("CARGO_PKG_LICENSE_FILE", text(path(&host.license_file))),
        ("CARGO_PKG_README", text(path(&host.readme))),
        (
            "CARGO_PKG_RUST_VERSION",
            text(host.rust_version.as_ref().map(ToString::to_string)),
        ),
    ]
}

/// Returns the file of the binary `name` of `host`.
pub(crate) fn executable(made: &Made, host: &Package, name: &str) -> Result<PathBuf, Error> {
    let wanted = |artifact: &cargo_metadata::Artifact, file: &Path| {
        artifact.target.is_bin()
            && artifact.target.name == name
            && artifact
                .executable
                .as_deref()
                .is_some_and(|found| found == file)
    };
    file_of(&made.artifacts, &host.id, wanted).ok_or_else(|| Error::NoArtifact {
        package: host.name.to_string(),
        wanted: "executable",
    })
}
