//! Asks another process to reload, with a signal that may mean this, and without signalling any other process.
use super::error::WaitError;
use super::process;
use super::record::HostRecord;
use crate::platform;
use std::io;

/// Returns true if a host may be asked to reload with this signal. The number comes from a file of the host, so it is
/// not trusted. None of the allowed signals ends or stops a process that listens for it, and programs may use each of
/// them freely.
pub(crate) fn may_mean_reload(signal: i32) -> bool {
    platform::is_for_requests(signal)
}

/// Sends its reload signal to a host.
pub(super) fn request_reload(host: &HostRecord) -> io::Result<()> {
    let HostRecord { pid, .. } = *host;
    let Some(signal) = host.reload_signal else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "the host with process id {pid} reloads on no signal; call `hotswap_host::signal::reload_on` in it, unless HOTSWAP_SIGNALS turns signals off"
            ),
        ));
    };
    if !may_mean_reload(signal) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "the host with process id {pid} claims to reload on signal {signal}, which is not one for reloading; nothing was \
                 sent, call `hotswap_host::signal::reload_on` in it with SIGUSR1"
            ),
        ));
    }
    let is_meant = || process::is_alive(pid, host.start_time);
    platform::send_signal(pid, signal, is_meant).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), WaitError::Ended { pid }),
        _ => error,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{may_mean_reload, request_reload};
    use crate::runtime::{HostRecord, process};
    use std::io::ErrorKind;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn signals_that_stop_or_end_a_process_are_none_for_reloading() {
        for signal in [libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP, libc::SIGRTMAX()] {
            assert!(may_mean_reload(signal));
        }
        for signal in [
            0,
            -1,
            libc::SIGKILL,
            libc::SIGSTOP,
            libc::SIGTERM,
            libc::SIGINT,
            libc::SIGSEGV,
            libc::SIGTSTP,
            libc::SIGCONT,
            i32::MAX,
        ] {
            assert!(!may_mean_reload(signal), "{signal}");
        }
    }

    #[test]
    fn only_the_process_that_is_meant_gets_a_signal_and_only_one_for_reloading() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let mut record = HostRecord::of_this_process(Path::new("/"));
        record.pid = child.id();
        record.start_time = process::start_time(child.id()).unwrap();
        let ask = |record: &HostRecord| request_reload(record).map_err(|error| error.kind());

        for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGSTOP] {
            record.reload_signal = Some(signal);
            assert_eq!(ask(&record), Err(ErrorKind::InvalidData));
        }
        record.reload_signal = Some(libc::SIGUSR1);
        // Another process had this id before.
        record.start_time -= 1;
        assert_eq!(ask(&record), Err(ErrorKind::NotFound));
        assert!(child.try_wait().unwrap().is_none(), "nothing was sent");
        record.start_time += 1;
        assert_eq!(ask(&record), Ok(()));
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGUSR1));
        assert_eq!(ask(&record), Err(ErrorKind::NotFound));
        // These numbers mean groups of processes, or all of them.
        for pid in [0, u32::MAX, u32::MAX - 1] {
            record.pid = pid;
            assert_eq!(ask(&record), Err(ErrorKind::NotFound));
        }
    }
}
