use super::error::RuntimeError;
use super::held::parse_name;
use super::{base, process};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A directory in which hosts would be looked for if it could be trusted.
#[derive(Debug, thiserror::Error)]
#[error("{reason}{}", of_hosts(pids))]
#[non_exhaustive]
pub struct RefusedDir {
    /// The reason why it is refused.
    pub reason: RuntimeError,
    /// The running processes that are named there as hosts. Anyone who can write to the directory may have invented
    /// them.
    pub pids: Vec<u32>,
}

/// The maximum number of names that are looked at.
const MAX_HOSTS: usize = 1024;

fn of_hosts(pids: &[u32]) -> String {
    match pids {
        [] => String::new(),
        pids => {
            let pids: Vec<_> = pids.iter().map(u32::to_string).collect();
            format!(
                "; so the hosts in it are not seen (process id {})",
                pids.join(", ")
            )
        }
    }
}

/// Returns the directories that exist but that [`hosts`](super::hosts()) skips, each with the reason.
pub fn refused() -> Vec<RefusedDir> {
    refused_of(base::once_candidates())
}

fn refused_of(candidates: Vec<PathBuf>) -> Vec<RefusedDir> {
    let refused = candidates.into_iter().filter_map(|dir| {
        let reason = base::open(&dir).err()?;
        // If there is no directory, there are no hosts.
        if matches!(&reason, RuntimeError::NotCreated { error, .. } if error.kind() == ErrorKind::NotFound)
        {
            return None;
        }
        // Others can put any number of names there.
        let named = fs::read_dir(&dir).into_iter().flatten().flatten();
        let hosts = named.filter_map(|entry| parse_name(entry.file_name().to_str()?));
        let alive = hosts.take(MAX_HOSTS);
        let alive = alive.filter(|(pid, started)| process::is_alive(*pid, *started));
        let mut pids: Vec<_> = alive.map(|(pid, _)| pid).take(16).collect();
        pids.sort_unstable();
        pids.dedup();
        Some(RefusedDir { reason, pids })
    });
    refused.collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{process, refused_of};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_refused_is_named_with_its_hosts() {
        let temp = tempfile::tempdir().unwrap();
        let [safe, exposed, missing] =
            ["safe", "exposed", "missing"].map(|it| temp.path().join(it));
        let own = std::process::id();
        let started = process::start_time(own).unwrap();
        for dir in [&safe, &exposed] {
            for name in [
                format!("{own}-{started}-0"),
                format!("{own}-{}-0", started + 1),
            ] {
                fs::create_dir_all(dir.join(name)).unwrap();
            }
        }
        fs::set_permissions(&exposed, Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(&safe, Permissions::from_mode(0o700)).unwrap();
        let refused = refused_of(vec![safe, exposed.clone(), missing]);
        let [refused] = &refused[..] else {
            panic!("{refused:?}")
        };
        assert_eq!(refused.pids, [own]);
        let text = refused.to_string();
        assert!(text.contains(exposed.to_str().unwrap()), "{text}");
        assert!(
            text.contains("may be written to by others (mode 777)"),
            "{text}"
        );
        assert!(text.contains(&format!("(process id {own})")), "{text}");
    }
}
