//! Reloads on a signal, such as the one that `cargo hotswap reload`, or an operator's `kill -USR1`, sends.
use crate::base::fail_point;
use crate::error::ReloadError;
use crate::platform::sender_of;
use crate::runtime::may_mean_reload;
use crate::swapper::{Cause, SignalSender, Swapper, WeakSwapper};
use crate::telemetry::{contain, guarded};
use signal_hook::consts::FORBIDDEN;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;
use signal_hook::iterator::{Handle, SignalsInfo};
use std::fmt;
use std::io;
use std::thread::{self, JoinHandle};

type Signals = SignalsInfo<WithRawSiginfo>;

/// The usual signal: `SIGUSR1`.
pub const USUAL: i32 = signal_hook::consts::SIGUSR1;

/// Makes a host reload whenever the process receives `signal`, usually [`USUAL`].
///
/// A thread of its own reloads, and logs the report or the error. After an error, the host goes on unchanged. Checks
/// and observers of every generation ([`Builder::check`](crate::Builder::check) and
/// [`observe`](crate::Builder::observe)) see these reloads, too. Signals that arrive during a reload cause one more
/// reload after it. The [`runtime`](crate::runtime) files tell tools which signal it is.
///
/// `signal` is SIGUSR1, SIGUSR2, SIGHUP, SIGWINCH, or a real-time signal. No tool sends another one.
///
/// A reload by signal passes the same checks as any other: a host that is [frozen](Swapper::freeze) refuses it, for
/// instance. The log, the observers, and the journal learn which process has sent the signal, and of which user
/// ([`Cause::Signal`]). If several signals arrive at the same time, they name the first one's sender. If the host does not
/// reload [on signals](crate::Builder::signals), it listens all the same, so that the signal does not end the process, and
/// refuses: the tools do not learn of the signal.
///
/// The listener does not keep the plugins loaded: when the last swapper is gone, signals do nothing.
///
/// ```no_run
/// use hotswap_host::{Swapper, signal};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let swapper = Swapper::builder().open()?;
/// let _listener = signal::reload_on(signal::USUAL, &swapper)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ListenError`] if the host cannot listen for the signal, or if this is called where a reload is refused: inside a
/// call or a hook, or after the shutdown.
pub fn reload_on(signal: i32, swapper: &Swapper) -> Result<Listener, ListenError> {
    if FORBIDDEN.contains(&signal) || !may_mean_reload(signal) {
        return Err(ListenError::Forbidden { signal });
    }
    let refused = |error| ListenError::Refused { signal, error };
    let mut signals = Signals::new([signal]).map_err(refused)?;
    let told = swapper.reloads_on_signals().then_some(signal);
    let handle = signals.handle();
    let weak = swapper.downgrade();
    let swapper_of_listener = weak.clone();
    let thread = thread::Builder::new()
        .name("hotswap-reload".into())
        .spawn(move || {
            while !signals.is_closed() {
                // Those that have arrived since the last reload cause one.
                let mut arrived = signals.wait();
                let Some(first) = arrived.next() else {
                    continue;
                };
                arrived.for_each(drop);
                let Some(swapper) = weak.upgrade() else {
                    break;
                };
                let cause = Cause::Signal {
                    signal,
                    sender: sender_of(&first).map(SignalSender::new),
                };
                // A reload that panics does not end the listener.
                let _ = guarded("hotswap-reload", || reload(cause, &swapper));
            }
        })
        .map_err(refused)?;
    let listener = Listener {
        signal,
        handle,
        thread: Some(thread),
        swapper: swapper_of_listener,
    };
    // This comes last, because the signal would end a process that does not listen yet.
    swapper
        .set_reload_signal(told)
        .map_err(ListenError::Reload)?;
    Ok(listener)
}

fn reload(cause: Cause, swapper: &Swapper) {
    fail_point::reach("hotswap-reload");
    let outcome = swapper.prepare_reload().caused_by(cause).run();
    // A subscriber that panics does not end the listener.
    contain((), || match outcome {
        Ok(report) => tracing::info!(target: "hotswap", "{report}"),
        Err(error) => tracing::error!(target: "hotswap", "reload failed: {error}"),
    });
}

/// Listens for a signal until it is dropped. The drop waits for a running reload. From then on, the signal itself is
/// ignored.
#[must_use = "the signal is only listened for until this is dropped; `detach` it to listen for ever"]
pub struct Listener {
    signal: i32,
    handle: Handle,
    /// The thread, which is taken when it is joined.
    thread: Option<JoinHandle<()>>,
    swapper: WeakSwapper,
}

impl Listener {
    /// Listens for as long as there is a swapper.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("signal", &self.signal)
            .finish_non_exhaustive()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(swapper) = self.swapper.upgrade() {
            // This is refused inside a hook and after the shutdown. Tools then wait in vain for an answer, but a hook
            // must not wait for a reload that waits for the hook.
            if swapper.set_reload_signal(None).is_err() {
                return;
            }
        }
        if let Some(thread) = self.thread.take() {
            // The thread has logged its panic.
            let _ = thread.join();
        }
    }
}

/// The reason why the host cannot listen for a signal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The signal has another meaning.
    #[error(
        "signal {signal} cannot be used for reloading; take SIGUSR1, or another that programs may use as they like"
    )]
    Forbidden {
        /// The signal.
        signal: i32,
    },
    /// The operating system refused.
    #[error("signal {signal} cannot be listened for: {error}")]
    Refused {
        /// The signal.
        signal: i32,
        /// The error of the system.
        error: io::Error,
    },
    /// A reload is refused at this point.
    #[error(transparent)]
    Reload(ReloadError),
}

#[cfg(test)]
mod tests {
    use super::{ListenError, reload_on};
    use crate::runtime::{RunningHost, hosts};
    use crate::{ReloadEventKind, Swapper};
    use signal_hook::consts::{SIGKILL, SIGUSR2};
    use std::path::Path;
    use std::process::id;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;
    use tempfile::TempDir;

    fn host_of(dir: &Path) -> Option<RunningHost> {
        hosts()
            .into_iter()
            .find(|host| host.pid == id() && host.serves(dir).unwrap())
    }

    #[test]
    fn a_signal_makes_the_host_reload_until_the_listener_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let builder = Swapper::builder().plugin_dir(dir.path());
        let swapper = builder.allow_empty(true).open().unwrap();
        assert_eq!(host_of(dir.path()).unwrap().reload_signal, None);
        assert!(matches!(
            reload_on(SIGKILL, &swapper),
            Err(ListenError::Forbidden { .. })
        ));

        let listener = reload_on(SIGUSR2, &swapper).unwrap();
        let host = host_of(dir.path()).unwrap();
        assert_eq!(host.reload_signal, Some(SIGUSR2));
        let first = host.report().unwrap();
        for attempt in first.attempt..first.attempt + 3 {
            host.request_reload().unwrap();
            let report = host
                .wait_for_attempt(Some(attempt), Duration::from_secs(60))
                .unwrap();
            assert!(report.ok, "{}", report.text);
        }
        // This plugin cannot be loaded.
        std::fs::write(dir.path().join("bad.so"), "").unwrap();
        let before = host.report().unwrap().attempt;
        host.request_reload().unwrap();
        let report = host
            .wait_for_attempt(Some(before), Duration::from_secs(60))
            .unwrap();
        assert!(
            !report.ok && report.text.contains("bad.so is empty"),
            "{}",
            report.text
        );
        // A bug of the host is the error of one reload, and not the end of the listener.
        std::fs::remove_file(dir.path().join("bad.so")).unwrap();
        for (panics, ok) in [(true, false), (false, true)] {
            let asks = dir.path().join(".panic");
            match panics {
                true => std::fs::write(&asks, "").unwrap(),
                false => std::fs::remove_file(&asks).unwrap(),
            }
            let before = host.report().unwrap().attempt;
            host.request_reload().unwrap();
            let report = host
                .wait_for_attempt(Some(before), Duration::from_secs(60))
                .unwrap();
            assert_eq!(report.ok, ok, "{}", report.text);
            assert_eq!(report.text.contains("panicked"), panics, "{}", report.text);
        }

        drop(listener);
        assert_eq!(host_of(dir.path()).unwrap().reload_signal, None);
        reload_on(SIGUSR2, &swapper).unwrap().detach();
        assert_eq!(host_of(dir.path()).unwrap().reload_signal, Some(SIGUSR2));
        // It still listens after its plugin directory has changed.
        let other = tempfile::tempdir().unwrap();
        swapper.set_plugin_dir(other.path()).unwrap();
        let host = host_of(other.path()).unwrap();
        assert_eq!(host.reload_signal, Some(SIGUSR2));
        drop(swapper);
        assert!(host_of(other.path()).is_none());
        // The signal is ignored now, and does not end the process.
        host.request_reload().unwrap();
    }

    /// Returns the outcome of each attempt of a host, with its cause.
    fn watched(allow: bool) -> (Swapper, Receiver<String>, TempDir) {
        let (sender, told) = channel();
        let dir = tempfile::tempdir().unwrap();
        let builder = Swapper::builder().plugin_dir(dir.path()).signals(allow);
        let swapper = builder
            .observe(move |event| {
                if !matches!(event.kind, ReloadEventKind::Step(_)) {
                    let _ = sender.send(event.to_string());
                }
            })
            .allow_empty(true)
            .open()
            .unwrap();
        told.recv().unwrap();
        (swapper, told, dir)
    }

    /// Returns the next outcome after a signal.
    fn after(told: &Receiver<String>, send: impl FnOnce()) -> String {
        send();
        told.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cause_names_the_sender() {
        let signal = libc::SIGRTMIN() + 3;
        let (swapper, told, _dir) = watched(true);
        let listener = reload_on(signal, &swapper).unwrap();
        let mut kill = std::process::Command::new("sh");
        let script = format!("echo $$; kill -{signal} {}", id());
        let mut sender = String::new();
        let outcome = after(&told, || {
            let output = kill.args(["-c", &script]).output().unwrap();
            sender = String::from_utf8(output.stdout).unwrap();
        });
        let user = crate::platform::user();
        let expected = format!(
            "signal {signal} of process {} of user {user}: ",
            sender.trim()
        );
        assert!(outcome.starts_with(&expected), "{outcome}");
        drop(listener);
    }

    fn refuses_signals(allow: bool, signal: i32) {
        let (swapper, told, dir) = watched(allow);
        let listener = reload_on(signal, &swapper).unwrap();
        assert_eq!(host_of(dir.path()).unwrap().reload_signal, None);
        let outcome = after(&told, || {
            signal_hook::low_level::raise(signal).unwrap();
        });
        assert!(
            outcome.contains(": refused: this host does not reload on signals"),
            "{outcome}"
        );
        // Only signals are off.
        swapper.reload().unwrap();
        assert!(!told.recv().unwrap().contains("refused"));
        drop(listener);
    }

    #[test]
    fn a_host_without_signals_refuses_them_and_goes_on() {
        refuses_signals(false, signal_hook::consts::SIGWINCH);
    }

    #[test]
    fn the_environment_turns_signals_off() {
        for (value, is_off) in [("off", true), ("no", true), ("on", false), ("", false)] {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "signal::tests::be_without_signals", "--ignored"])
                .env("HOTSWAP_SIGNALS", value)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(told.contains("running 1 test"), "{told}");
            assert_eq!(output.status.success(), is_off, "{value}: {told}");
        }
    }

    #[test]
    #[ignore = "it is a process of the_environment_turns_signals_off"]
    fn be_without_signals() {
        refuses_signals(true, signal_hook::consts::SIGHUP);
    }
}
