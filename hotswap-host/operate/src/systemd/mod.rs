//! [`Systemd`], which tells systemd how a host does.
mod notices;
mod progress;
#[cfg(all(test, feature = "health"))]
mod tests;

use hotswap_host::{ReloadEvent, Swapper};
use notices::Notices;
use progress::Progress;
use sd_notify::NotifyState;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

#[cfg(feature = "health")]
use crate::health::HealthMonitor;

/// Tells systemd how a host does: that it is ready, reloads, lives, and stops.
///
/// It is an [observer](hotswap_host::Builder::observe) of the host, so it is made before the host is opened:
///
/// ```no_run
/// use hotswap_host::Swapper;
/// use hotswap_operate::Systemd;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let systemd = Systemd::new();
/// let swapper = Swapper::builder().observe(systemd.observer()).open()?;
/// // The program opens its ports here.
/// let service = systemd.ready(&swapper)?;
/// // The program does its work here.
/// drop(service);
/// # Ok(())
/// # }
/// ```
///
/// | notice | sent |
/// |---|---|
/// | `READY=1` | by [`ready`](Self::ready), and at the end of each attempt to reload, also if the host has refused it |
/// | `RELOADING=1` with `MONOTONIC_USEC` | when the first step of a reload has ended, or the host has refused it before; for a reload that the host's own code has begun and can still give up, when it hands over state or switches |
/// | `WATCHDOG=1` | twice in each period of `WatchdogSec`, as long as [nothing is critical](Self::health) |
/// | `STATUS` | with all of these: the generation, the builds of the plugins, and what is not as it should be |
/// | `STOPPING=1` | when the [`SystemdService`] is dropped |
///
/// Any service manager that sets the variable `NOTIFY_SOCKET` gets them. Without that variable, nothing is started and nothing is
/// sent.
#[must_use = "systemd is told nothing until `ready` is called"]
pub struct Systemd {
    progress: Arc<Progress>,
    #[cfg(feature = "health")]
    health: Option<HealthMonitor>,
}

impl Systemd {
    /// Makes something that tells nothing yet.
    pub fn new() -> Self {
        Systemd {
            progress: Arc::default(),
            #[cfg(feature = "health")]
            health: None,
        }
    }

    /// Returns the observer for [`Builder::observe`](hotswap_host::Builder::observe), from which systemd learns of reloads.
    pub fn observer(&self) -> impl Fn(&ReloadEvent<'_>) + Send + Sync + use<> {
        let progress = self.progress.clone();
        move |event| progress.note(event)
    }

    /// Gives the watchdog the health of the host. As long as a plugin or a check of the host is critical, or if the monitor has
    /// ended, systemd gets no `WATCHDOG=1`, and therefore restarts the service when the time of `WatchdogSec` is over. A check that
    /// hangs becomes critical, too.
    ///
    /// Plugins that are [out of service](Swapper::take_out_of_service) do not count: somebody has decided that the host goes on
    /// without them.
    #[cfg(feature = "health")]
    pub fn health(mut self, monitor: HealthMonitor) -> Self {
        self.health = Some(monitor);
        self
    }

    /// Tells systemd that the service is ready, and goes on to tell it of everything else, on a thread of its own, until the
    /// result is dropped. Call this when the host has loaded its plugins and opened its ports.
    ///
    /// The thread does not keep the host open. It ends, and with it the watchdog's notices, when the host does.
    ///
    /// # Errors
    /// The socket that `NOTIFY_SOCKET` names cannot be reached, or the thread cannot be started.
    pub fn ready(self, swapper: &Swapper) -> Result<SystemdService, SystemdError> {
        let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
            return Ok(SystemdService { notices: None });
        };
        let notices = Arc::new(Notices {
            progress: self.progress,
            swapper: swapper.downgrade(),
            #[cfg(feature = "health")]
            health: self.health,
            stopped: Mutex::new(false),
        });
        notices
            .ready()
            .map_err(|error| SystemdError::Notify { socket, error })?;
        let of_thread = notices.clone();
        std::thread::Builder::new()
            .name("hotswap-systemd".into())
            .spawn(move || of_thread.serve(sd_notify::watchdog_enabled()))
            .map_err(SystemdError::Thread)?;
        Ok(SystemdService {
            notices: Some(notices),
        })
    }
}

impl Default for Systemd {
    fn default() -> Self {
        Systemd::new()
    }
}

impl fmt::Debug for Systemd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Systemd").finish_non_exhaustive()
    }
}

/// A service that has told systemd that it is ready. When it is dropped, systemd learns that the service stops, and nothing
/// else afterwards.
///
/// Drop it as soon as the program begins to stop, and before the [`Swapper`] is shut down.
#[must_use = "dropping it tells systemd that the service stops"]
pub struct SystemdService {
    /// `None` if there is no service manager.
    notices: Option<Arc<Notices>>,
}

impl Drop for SystemdService {
    fn drop(&mut self) {
        if let Some(notices) = &self.notices {
            // The program stops, whether systemd learns of it or not.
            let _ = notices.stop();
        }
    }
}

impl fmt::Debug for SystemdService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemdService")
            .field("is_managed", &self.notices.is_some())
            .finish()
    }
}

/// The reason why systemd cannot be told that the service is ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemdError {
    /// The socket of the service manager cannot be reached.
    #[error(
        "cannot tell the service manager at `{}` that the service is ready: {error}; it has set NOTIFY_SOCKET, so look \
         whether the service may use that socket",
        socket.display()
    )]
    Notify {
        /// The value of `NOTIFY_SOCKET`.
        socket: OsString,
        /// The reason.
        error: io::Error,
    },
    /// The thread cannot be started.
    #[error("the thread that tells systemd how the host does cannot be started: {0}")]
    Thread(io::Error),
}

/// Sends a notice of several fields.
fn send(fields: &[NotifyState<'_>]) -> io::Result<()> {
    sd_notify::notify(fields)
}
