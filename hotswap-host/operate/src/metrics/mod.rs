//! The metrics of a host, for any exporter of the crate `metrics`.
mod counts;
mod names;
mod publish;

pub use names::MetricDescription;

use counts::Counts;
use hotswap_host::{ReloadError, ReloadEvent, Swapper, WeakSwapper};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "health")]
use crate::health::HealthMonitor;

/// The metrics of a host, which go to whatever exporter the program has installed for the crate
/// [`metrics`](https://docs.rs/metrics).
///
/// It is an [observer](hotswap_host::Builder::observe) of the host, so it is made before the host is opened:
///
/// ```no_run
/// use hotswap_host::Swapper;
/// use hotswap_operate::HostMetrics;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let metrics = HostMetrics::new();
/// let swapper = Swapper::builder().observe(metrics.observer()).open()?;
/// metrics.count_calls(&swapper)?;
/// // Whenever the exporter is about to be read.
/// metrics.publish();
/// # Ok(())
/// # }
/// ```
///
/// Counters go on over reloads: they belong to the plugin, and not to a build. [The book][book] has the table of all metrics.
///
/// [book]: https://github.com/hotswap-rs/hotswap/blob/main/book/src/metrics.md
#[derive(Clone)]
pub struct HostMetrics(Arc<Inner>);

struct Inner {
    since: Instant,
    counts: Mutex<Counts>,
    host: Mutex<Option<WeakSwapper>>,
    #[cfg(feature = "health")]
    health: Mutex<Option<HealthMonitor>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HostMetrics {
    /// Makes metrics that count nothing yet.
    pub fn new() -> Self {
        HostMetrics(Arc::new(Inner {
            since: Instant::now(),
            counts: Mutex::default(),
            host: Mutex::default(),
            #[cfg(feature = "health")]
            health: Mutex::default(),
        }))
    }

    /// Describes all metrics.
    pub fn describe() -> &'static [MetricDescription] {
        names::ALL
    }

    /// Returns the observer that counts reloads, for [`Builder::observe`](hotswap_host::Builder::observe).
    pub fn observer(&self) -> impl Fn(&ReloadEvent<'_>) + Send + Sync + 'static {
        let inner = self.0.clone();
        move |event| lock(&inner.counts).note(event)
    }

    /// Counts the calls of this host's plugins from now on: see [`Swapper::count_calls`]. From now on,
    /// [`publish`](Self::publish) also tells the state of the host, which is not kept alive by this.
    ///
    /// # Errors
    /// The caller is inside a reload or a call.
    pub fn count_calls(&self, swapper: &Swapper) -> Result<(), ReloadError> {
        swapper.count_calls(true)?;
        self.watch(swapper);
        Ok(())
    }

    /// Tells the state of this host, like [`count_calls`](Self::count_calls), without counting calls. The calls of plugins then
    /// cost nothing more, and the metrics `hotswap_calls_total` and `hotswap_call_errors_total` stay as they are.
    pub fn watch(&self, swapper: &Swapper) {
        *lock(&self.0.host) = Some(swapper.downgrade());
    }

    /// Also tells the health of plugins.
    #[cfg(feature = "health")]
    pub fn health(&self, monitor: &HealthMonitor) {
        *lock(&self.0.health) = Some(monitor.clone());
    }

    /// Brings all metrics up to date. Call this whenever the exporter is about to be read, or use [`every`](Self::every).
    pub fn publish(&self) {
        let inner = &self.0;
        let swapper = lock(&inner.host).as_ref().and_then(WeakSwapper::upgrade);
        #[cfg(feature = "health")]
        let health = lock(&inner.health)
            .as_ref()
            .map(HealthMonitor::health_report);
        // Nothing of the host is called under the lock.
        let state = swapper.as_ref().map(publish::State::of);
        drop(swapper);
        let mut counts = lock(&inner.counts);
        counts.publish();
        metrics::gauge!(names::UPTIME).set(inner.since.elapsed().as_secs_f64());
        counts.publish_state(state.as_ref());
        #[cfg(feature = "health")]
        if let Some(health) = health {
            counts.publish_health(&health);
        }
    }

    /// Publishes again and again on a thread of its own, for exporters that send what they have by themselves. The thread ends
    /// when all clones of these metrics are gone.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn every(&self, interval: Duration) -> std::io::Result<()> {
        let weak = Arc::downgrade(&self.0);
        let run = move || {
            while let Some(inner) = weak.upgrade() {
                HostMetrics(inner).publish();
                std::thread::sleep(interval);
            }
        };
        let thread = std::thread::Builder::new().name("hotswap-metrics".into());
        thread.spawn(run).map(drop)
    }
}

impl Default for HostMetrics {
    fn default() -> Self {
        HostMetrics::new()
    }
}

impl std::fmt::Debug for HostMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostMetrics")
            .field("since", &self.0.since)
            .finish_non_exhaustive()
    }
}
