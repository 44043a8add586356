//! Which commit a plugin's sources are from.
//!
//! That is the last commit that changed anything below the package's directory, as `git log -1 -- <directory>` would
//! say, and whether there are changes since. Where it cannot be told, it is `unknown` and never an error: no
//! repository, no commit yet, a shallow clone that ends before the commit, or a history of more than
//! [`MAX_COMMITS`] commits since.

use std::path::Path;

use git2::{Commit, ErrorCode, Oid, Repository, StatusOptions};
use hotswap_host::artifact::Note;

/// So many commits are looked at before the answer is `unknown`; about 50 ms of work.
pub(crate) const MAX_COMMITS: usize = 5_000;

const UNKNOWN: &str = "unknown";

/// The note for the package in `directory`, a canonical path.
pub(crate) fn note(directory: &Path) -> Note {
    let found = Repository::discover(directory).ok().and_then(|repository| {
        let below = directory
            .strip_prefix(repository.workdir()?.canonicalize().ok()?)
            .ok()?
            .to_owned();
        Some((repository, below))
    });
    let Some((repository, below)) = found else {
        return Note {
            commit: UNKNOWN.into(),
            dirty: false,
        };
    };
    let commit = match last_change(&repository, &below) {
        Ok(Some(commit)) => commit.to_string(),
        Ok(None) | Err(_) => UNKNOWN.into(),
    };
    Note {
        commit,
        dirty: is_dirty(&repository, &below).unwrap_or(false),
    }
}

/// The last commit that changed `below`. Where a merge left it as it was on one side, that side is followed.
fn last_change(repository: &Repository, below: &Path) -> Result<Option<Oid>, git2::Error> {
    let mut commit = repository.head()?.peel_to_commit()?;
    let content = entry(&commit, below)?;
    if content.is_none() {
        return Ok(None);
    }
    for _ in 0..MAX_COMMITS {
        let mut unchanged = None;
        for parent in commit.parents() {
            if entry(&parent, below)? == content {
                unchanged = Some(parent);
                break;
            }
        }
        match unchanged {
            Some(parent) => commit = parent,
            // A shallow clone shows its last commits without parents: what they changed cannot be told.
            None if commit.parent_count() == 0 && repository.is_shallow() => return Ok(None),
            None => return Ok(Some(commit.id())),
        }
    }
    Ok(None)
}

/// What `commit` has at `below`; all of it where that is the root.
fn entry(commit: &Commit<'_>, below: &Path) -> Result<Option<Oid>, git2::Error> {
    let tree = commit.tree()?;
    if below.as_os_str().is_empty() {
        return Ok(Some(tree.id()));
    }
    match tree.get_path(below) {
        Ok(entry) => Ok(Some(entry.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether anything below `below` differs from the last commit, new files included, ignored ones not.
fn is_dirty(repository: &Repository, below: &Path) -> Result<bool, git2::Error> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .disable_pathspec_match(true)
        .exclude_submodules(true);
    if !below.as_os_str().is_empty() {
        options.pathspec(below);
    }
    Ok(!repository.statuses(Some(&mut options))?.is_empty())
}
