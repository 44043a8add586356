//! The directory for the output of a build, unless the user names one: below the target directory, by the target, the
//! profile, and the host.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::cli::CompileOptions;
use crate::install;
use crate::session::Session;
use crate::workspace::Workspace;

/// Returns the directory of the artifacts of `host`, or of plugins that are built without one.
pub(crate) fn out_dir(
    session: &Session,
    workspace: &Workspace,
    options: &CompileOptions,
    host: Option<&Package>,
) -> PathBuf {
    if let Some(directory) = &options.out_dir {
        return session.absolute(directory);
    }
    let directory = below(base_dir(workspace), options, host);
    install::of_workspace(directory, &workspace.root)
}

/// Returns the directory below `directory` for `host`, built with `options`.
pub(crate) fn below(
    mut directory: PathBuf,
    options: &CompileOptions,
    host: Option<&Package>,
) -> PathBuf {
    // The name of a file that describes a target stands for the target.
    let triple = options.target.as_deref().map(Path::new);
    directory.extend(triple.and_then(|triple| match triple.extension() {
        Some(extension) if extension == "json" => triple.file_stem(),
        _ => Some(triple.as_os_str()),
    }));
    // These are the names of Cargo's own directories.
    directory.push(match profile(options) {
        "dev" | "test" => "debug",
        "release" | "bench" => "release",
        other => other,
    });
    directory.extend(host.map(|host| host.name.as_str()));
    directory
}

/// Returns the directory below which everything lies that is made for a workspace.
pub(crate) fn base_dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("hotswap")
}

/// Returns the name of the profile, in the form that Cargo takes.
pub(crate) fn profile(options: &CompileOptions) -> &str {
    options
        .profile
        .as_deref()
        .unwrap_or(if options.release { "release" } else { "dev" })
}
