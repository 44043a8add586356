//! Finds the Cargo.toml that a path stands for.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::io;
use crate::session::{Session, without_cargos_variables};
use crate::{Error, paths};

/// Returns the path of the Cargo.toml that `path`, a directory or a Cargo.toml, stands for. With `search`, directories
/// above count, too, as for Cargo.
///
/// A link to a directory is a member of the workspace that contains the link. All other links are followed.
pub(crate) fn find_manifest(
    session: &Session,
    path: &Path,
    search: bool,
) -> Result<PathBuf, Error> {
    let seen = paths::tidy(path);
    let real = seen.canonicalize().map_err(io("find", path))?;
    let none = |directory: &Path| Error::NoManifest {
        directory: directory.to_owned(),
        above: search,
    };
    let real_manifest = manifest_above(&real, search);
    if seen == real {
        return real_manifest.ok_or_else(|| none(&real));
    }
    let Some(manifest) = manifest_above(&seen, search) else {
        return real_manifest.ok_or_else(|| none(&seen));
    };
    let Some(root) = workspace_of(session, &manifest).filter(|root| *root != manifest) else {
        return real_manifest.ok_or_else(|| none(&real));
    };
    // A member by the path that the user gave. Its real path may be the same, or lie in another workspace.
    let real_root = root.canonicalize().map_err(io("find", &root))?;
    if let Some(real_manifest) = real_manifest
        && workspace_of(session, &real_manifest).as_ref() == Some(&real_root)
    {
        return Ok(real_manifest);
    }
    let below = root
        .parent()
        .and_then(|root| manifest.strip_prefix(root).ok());
    Ok(match (real_root.parent(), below) {
        (Some(root), Some(below)) => root.join(below),
        _ => manifest,
    })
}

fn manifest_above(path: &Path, search: bool) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    path.ancestors()
        .take(if search { usize::MAX } else { 1 })
        .map(|directory| directory.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
}

/// Returns the Cargo.toml of the workspace to which the package of `manifest` belongs, or `None` if Cargo cannot tell.
fn workspace_of(session: &Session, manifest: &Path) -> Option<PathBuf> {
    let mut command = Command::new(&session.cargo);
    without_cargos_variables(&mut command);
    command.args(["locate-project", "--workspace", "--message-format", "plain"]);
    command.arg("--manifest-path").arg(manifest);
    command.current_dir(manifest.parent()?);
    let output = session.interrupt.output(&mut command).ok()?.ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(said.trim_end())).filter(|_| output.status.success())
}
