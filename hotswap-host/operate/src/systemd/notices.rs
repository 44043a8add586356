//! The notices, and the thread that sends them.
use super::progress::{Progress, Told, Woken};
use super::send;
use hotswap_host::shown::Shown;
use hotswap_host::{Listing, WeakSwapper};
use sd_notify::NotifyState;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "health")]
use crate::health::{HealthLevel, HealthMonitor, HealthReport};

/// The largest number of bytes of a text. systemd ignores a notice of more than 4,096 bytes.
const TEXT: usize = 1500;

/// The sender of a service's notices, and what it needs to make them.
pub(super) struct Notices {
    pub(super) progress: Arc<Progress>,
    pub(super) swapper: WeakSwapper,
    #[cfg(feature = "health")]
    pub(super) health: Option<HealthMonitor>,
    /// True once systemd knows that the service stops. It is locked while a notice is sent, so that none comes later.
    pub(super) stopped: Mutex<bool>,
}

/// The state that the thread keeps from one notice to the next.
#[derive(Default)]
struct Last {
    /// The error of the last attempt, if the host has refused it.
    refused: Option<String>,
    /// The reason for which the watchdog gets no notice.
    withheld: Option<String>,
}

impl Notices {
    /// Tells that the service is ready.
    pub(super) fn ready(&self) -> io::Result<()> {
        self.progress.start();
        self.send(&[NotifyState::Ready], &self.text(&Last::default()))
    }

    /// Tells that the service stops, and ends the thread.
    pub(super) fn stop(&self) -> io::Result<()> {
        self.progress.end();
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped = true;
        send(&[NotifyState::Stopping, NotifyState::Status("stopping")])
    }

    /// Tells everything that happens, until the service stops or the host is gone.
    pub(super) fn serve(&self, watchdog: Option<Duration>) {
        let pause = watchdog.map(|limit| limit / 2);
        let mut due = pause.map(|_| Instant::now());
        let mut last = Last::default();
        loop {
            let woken = self.progress.next(due);
            if let (Woken::Due, Some(pause)) = (&woken, pause) {
                due = Some(Instant::now() + pause);
            }
            if self.swapper.upgrade().is_none() {
                return;
            }
            let sent = match woken {
                Woken::Ending => return,
                Woken::Due => self.alive(&mut last),
                Woken::Told(told) => self.tell(told, &mut last),
            };
            if let Err(error) = sent {
                tracing::warn!(target: "hotswap", "the service manager cannot be told how the host does: {error}");
            }
        }
    }

    fn tell(&self, told: Told, last: &mut Last) -> io::Result<()> {
        match told {
            Told::Reloading { cause } => {
                let since = NotifyState::monotonic_usec_now()?;
                let text = format!("reloading, because of {cause}");
                self.send(&[NotifyState::Reloading, since], &text)
            }
            Told::Reloaded { refused } => {
                last.refused = refused;
                self.send(&[NotifyState::Ready], &self.text(last))
            }
            Told::Changed => self.send(&[], &self.text(last)),
        }
    }

    /// Tells the watchdog that the host lives, unless its health forbids that.
    fn alive(&self, last: &mut Last) -> io::Result<()> {
        let withheld = self.critical();
        if withheld != last.withheld {
            last.withheld = withheld;
            self.send(&[], &self.text(last))?;
        }
        match last.withheld {
            Some(_) => Ok(()),
            None => self.send_fields(&[NotifyState::Watchdog]),
        }
    }

    /// Returns the reason why systemd should restart the service, if there is one.
    fn critical(&self) -> Option<String> {
        #[cfg(feature = "health")]
        if let Some(monitor) = &self.health {
            return match monitor.has_ended() {
                true => Some("the health monitor has ended".into()),
                false => critical(&monitor.health_report()),
            };
        }
        None
    }

    /// Returns the state of the host on one line.
    fn text(&self, last: &Last) -> String {
        let listing = self.swapper.upgrade().map(|swapper| swapper.listing());
        let mut text = listing.as_ref().map(line).unwrap_or_default();
        if let Some(reason) = &last.withheld {
            text.push_str(&format!("; no notice for the watchdog, because {reason}"));
        }
        if let Some(error) = &last.refused {
            text.push_str(&format!("; the last reload was refused: {error}"));
        }
        text
    }

    fn send(&self, fields: &[NotifyState<'_>], text: &str) -> io::Result<()> {
        let text = cut(Shown(text).to_string());
        let fields: Vec<_> = fields
            .iter()
            .cloned()
            .chain([NotifyState::Status(&text)])
            .collect();
        self.send_fields(&fields)
    }

    fn send_fields(&self, fields: &[NotifyState<'_>]) -> io::Result<()> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        match *stopped {
            true => Ok(()),
            false => send(fields),
        }
    }
}

/// Returns the reason why the host should be restarted, if its health is critical. A plugin that is out of service is not one.
#[cfg(feature = "health")]
pub(super) fn critical(report: &HealthReport) -> Option<String> {
    let is_critical = |level| level == HealthLevel::Critical;
    let in_service = report
        .plugins
        .iter()
        .filter(|it| it.out_of_service.is_none());
    let mut plugins = in_service.filter(|plugin| is_critical(plugin.level));
    let mut checks = report.host.iter().filter(|check| is_critical(check.level));
    let plugin = plugins
        .next()
        .map(|it| format!("{} is critical: {}", it.plugin, it.message));
    plugin.or_else(|| {
        let check = checks.next()?;
        Some(format!(
            "the host is critical: {}: {}",
            check.name, check.message
        ))
    })
}

/// Returns `generation 3: guestbook 653f8d75, pages 01e6ca9e`.
fn line(listing: &Listing) -> String {
    let plugins = listing.plugins.iter().map(|plugin| {
        let out = match plugin.out_of_service {
            Some(_) => " (out of service)",
            None => "",
        };
        format!("{} {}{out}", plugin.name, plugin.build_id.short())
    });
    let plugins: Vec<_> = plugins.collect();
    let plugins = match plugins.as_slice() {
        [] => "no plugins".to_owned(),
        plugins => plugins.join(", "),
    };
    format!("generation {}: {plugins}", listing.generation)
}

/// Shortens a text that is too long for a notice.
fn cut(mut text: String) -> String {
    if text.len() > TEXT {
        let end = (0..=TEXT).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}
