//! Finds the compiler that Cargo starts in a workspace, as Cargo finds it: with its wrappers, and for the same target.

use std::ffi::OsString;
use std::path::Path;

use crate::Error;
use crate::cargo::Calls;
use crate::settings;
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// Asks the compiler where its libraries lie: see [`Toolchain::ask`].
///
/// # Errors
/// Returns an error if the command was interrupted.
pub(crate) fn toolchain(calls: &Calls<'_>) -> Result<Option<Toolchain>, Error> {
    let workspace = calls.workspace;
    let wrapper = program(
        workspace,
        &["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"],
        "rustc-wrapper",
    );
    let of_workspace = program(
        workspace,
        &[
            "RUSTC_WORKSPACE_WRAPPER",
            "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        ],
        "rustc-workspace-wrapper",
    );
    let rustc = program(workspace, &["RUSTC", "CARGO_BUILD_RUSTC"], "rustc");
    let rustc = rustc.unwrap_or_else(|| "rustc".into());
    let programs = wrapper.into_iter().chain(of_workspace).chain([rustc]);
    Toolchain::ask(
        calls.session,
        programs.collect(),
        &workspace.directory,
        target(calls),
    )
}

/// Returns the program that a variable or a setting names, as Cargo understands it.
fn program(workspace: &Workspace, variables: &[&str], key: &str) -> Option<OsString> {
    let (base, value) = settings::of_builds(workspace, variables, key)?;
    let is_path = Path::new(&value).components().count() > 1;
    match is_path {
        true => Some(base.join(value).into()),
        // It is looked up on the path. No name means no wrapper.
        false => Some(value).filter(|name| !name.is_empty()),
    }
}

/// Returns the target for which Cargo builds, if it is named.
fn target(calls: &Calls<'_>) -> Option<OsString> {
    let given = calls.options.target.as_ref().map(OsString::from);
    given.or_else(|| program(calls.workspace, &["CARGO_BUILD_TARGET"], "target"))
}
