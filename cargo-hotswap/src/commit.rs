//! Finds the commit of a plugin's sources.
//!
//! That is the last commit that changed anything below the package's directory, as `git log -1 -- <directory>` would
//! print it, and whether there are changes since. A commit that cannot be found is `unknown`, and never an error. That
//! happens without a repository, before the first commit, in a shallow clone that ends before the commit, and after
//! more than [`MAX_COMMITS`] commits.
//!
//! The result is kept beside the artifacts, so that the next build looks only at the commits made since.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{Commit, ErrorCode, Oid, Repository, StatusOptions};
use hotswap_host::artifact::Note;
use serde::{Deserialize, Serialize};

use crate::install::{read_kept, write_kept};

/// How many commits are looked at before the answer is `unknown`. That takes some tenths of a second, once.
const MAX_COMMITS: usize = 10_000;

pub(crate) const UNKNOWN: &str = "unknown";

/// Finds commits, and remembers them.
pub(crate) struct Commits {
    file: PathBuf,
    known: BTreeMap<PathBuf, Known>,
}

/// The result for a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The commit from which the search began.
    head: String,
    /// The commit that was found.
    commit: String,
}

impl Commits {
    /// Keeps the results in `file`. A file that cannot be used only costs time.
    pub(crate) fn new(file: PathBuf) -> Self {
        let text = read_kept(&file).unwrap_or_default();
        let known = serde_json::from_slice(&text).unwrap_or_default();
        Self { file, known }
    }

    /// Returns the note for the package in `directory`, a canonical path.
    pub(crate) fn note(&mut self, directory: &Path) -> Note {
        let found = Repository::discover(directory).ok().and_then(|repository| {
            let root = repository.workdir()?.canonicalize().ok()?;
            let below = directory.strip_prefix(root).ok()?.to_owned();
            Some((repository, below))
        });
        let Some((repository, below)) = found else {
            return Note {
                commit: UNKNOWN.into(),
                dirty: false,
                location: None,
            };
        };
        let commit = self
            .last_change(&repository, directory, &below)
            .ok()
            .flatten();
        Note {
            commit: commit.unwrap_or_else(|| UNKNOWN.into()),
            dirty: is_dirty(&repository, &below).unwrap_or(false),
            location: None,
        }
    }

    /// Returns the last commit that changed `below`. If a merge left it as it was on one side, that side is followed.
    fn last_change(
        &mut self,
        repository: &Repository,
        directory: &Path,
        below: &Path,
    ) -> Result<Option<String>, git2::Error> {
        let mut commit = repository.head()?.peel_to_commit()?;
        let head = commit.id().to_string();
        let content = entry(&commit, below)?;
        if content.is_none() {
            return Ok(None);
        }
        let known = self.known.get(directory);
        let mut found = UNKNOWN.to_owned();
        for _ in 0..MAX_COMMITS {
            let id = commit.id().to_string();
            if let Some(known) = known.filter(|known| known.head == id) {
                found.clone_from(&known.commit);
                break;
            }
            let mut unchanged = None;
            for parent in commit.parents() {
                if entry(&parent, below)? == content {
                    unchanged = Some(parent);
                    break;
                }
            }
            match unchanged {
                Some(parent) => commit = parent,
                // A shallow clone shows its last commits without parents, so their changes are not known.
                None if commit.parent_count() == 0 && repository.is_shallow() => return Ok(None),
                None => {
                    found = id;
                    break;
                }
            }
        }
        self.remember(
            directory,
            Known {
                head,
                commit: found.clone(),
            },
        );
        Ok(Some(found))
    }

    fn remember(&mut self, directory: &Path, known: Known) {
        if self.known.get(directory) == Some(&known) {
            return;
        }
        self.known.insert(directory.to_owned(), known);
        let Ok(text) = serde_json::to_vec(&self.known) else {
            return;
        };
        write_kept(&self.file, &text);
    }
}

/// Returns the entry of `commit` at `below`, or its whole tree if that is the root.
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

/// Returns true if anything below `below` differs from the last commit. New files count, and ignored ones do not.
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
