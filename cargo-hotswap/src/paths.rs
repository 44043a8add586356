//! Paths, as the user named them.

use std::path::{Component, Path, PathBuf};

/// Returns an absolute `path` without `.` and `..`. Links stay as they are. A `..` after a link means the directory
/// above the link's target.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if tidy.is_symlink()
                    && let Ok(real) = tidy.canonicalize()
                {
                    tidy = real;
                }
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

/// Returns the current directory `dir` by the name that a shell has for it, which may lead through a link.
pub(crate) fn as_seen(dir: PathBuf) -> PathBuf {
    let seen = std::env::var_os("PWD").map(PathBuf::from);
    let seen = seen.filter(|seen| seen.is_absolute() && tidy(seen) == *seen);
    let is_dir = |seen: &PathBuf| seen.canonicalize().is_ok_and(|real| real == dir);
    seen.filter(is_dir).unwrap_or(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_dots_lead_out_of_what_a_link_leads_to() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp.path().canonicalize().expect("it is there");
        std::fs::create_dir_all(root.join("far/away")).expect("it can be made");
        std::os::unix::fs::symlink("far/away", root.join("link")).expect("it can be made");
        let tidy = |path: &str| tidy(&root.join(path));
        assert_eq!(tidy("far/./away/../near"), root.join("far/near"));
        assert_eq!(tidy("link/../near"), root.join("far/near"));
        assert_eq!(tidy("link/inner"), root.join("link/inner"));
        assert_eq!(tidy("missing/../link"), root.join("link"));
    }
}
