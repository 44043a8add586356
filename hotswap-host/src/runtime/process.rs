//! Identifies processes. A process id alone may have passed to another process.

pub(super) use crate::platform::{is_stopped, start_time};

/// Returns true if the process with this start time still exists.
pub(super) fn is_alive(pid: u32, started: u64) -> bool {
    start_time(pid) == Some(started)
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::{is_alive, is_stopped, start_time};
    use std::process::{Command, id};

    #[test]
    fn a_process_is_alive_until_it_ends() {
        let own = start_time(id()).unwrap();
        assert!(is_alive(id(), own));

        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let started = start_time(child.id()).unwrap();
        assert!(started >= own);
        assert!(is_alive(child.id(), started));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(child.id(), started));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_zombie_is_not_alive() {
        let child = Command::new("true").spawn().unwrap();
        // The child is not waited for before the test has seen this.
        while start_time(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(std::path::Path::new(&format!("/proc/{}", child.id())).exists());
        let mut child = child;
        child.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_stopped_process_is_alive_and_stopped() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let started = start_time(child.id()).unwrap();
        let signal = |signal| {
            let pid = child.id().cast_signed();
            // SAFETY: `kill` touches no memory. The child has not been waited for, so the id is still its own.
            assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        };
        assert!(!is_stopped(child.id()));
        signal(libc::SIGSTOP);
        while !is_stopped(child.id()) {
            std::thread::yield_now();
        }
        assert!(is_alive(child.id(), started));
        signal(libc::SIGCONT);
        while is_stopped(child.id()) {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_confuse() {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join("x) Z 1 (2");
        std::os::unix::fs::symlink("/bin/sleep", &odd).unwrap();
        let mut child = Command::new(&odd).arg("1000").spawn().unwrap();
        assert!(start_time(child.id()).unwrap() >= start_time(id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
