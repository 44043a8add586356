//! The program of a host: which of its binaries, and how it is built.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::Error;
use crate::cargo::{Calls, Made, file_of};
use crate::freshness::Freshness;
use crate::workspace::binaries;

/// Builds the binary of `host`, which loads its plugins.
pub(crate) fn build(
    calls: &Calls<'_>,
    host: &Package,
    named: Option<&str>,
) -> Result<PathBuf, Error> {
    let name = binary(host, named)?;
    let output = |made: &Made| executable(made, host, name);
    let (_, file) = Freshness::new(calls).build(&calls.host(host, name), output)?;
    Ok(file)
}

/// The binary to run: the one named, the default one, or the only one.
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

/// The file of the binary `name` of `host`.
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
