//! [`HealthMonitor`], which checks the health of a host and its plugins.
use super::act::{Incident, Means};
use super::recovery::Recovery;
use super::schedule::Shared;
use super::state::{HostCheck, Key, State, Subject};
use super::{HealthError, HealthOptions, HealthReport};
use hotswap_host::{Health, PluginName, Swapper, WeakSwapper};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Checks the health of a host and its plugins, again and again.
///
/// Plugins bring checks along, as functions with `#[health]`, and the host adds its own. Each runs on a thread of its own
/// with a limit, so that one which hangs, panics, or returns nonsense has failed, and holds up nothing else: no other check,
/// no call, no reload, and no unloading. The level of a plugin is the worst one of its checks, and that of the host is the
/// worst of all.
///
/// ```no_run
/// use hotswap_host::{Health, Swapper};
/// use hotswap_operate::{HealthMonitor, HealthOptions};
/// use std::time::Duration;
///
/// # fn free_space() -> u64 { 0 }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let swapper = Swapper::builder().open()?;
/// let mut often = HealthOptions::default();
/// often.interval = Duration::from_secs(1);
/// let monitor = HealthMonitor::builder(&swapper)
///     .options_of("mailer", often)
///     .check("disk", || match free_space() {
///         0 => Err("the disk is full"),
///         _ => Ok(Health::Healthy),
///     })
///     .start()?;
/// println!("{}", monitor.health_report());
/// # Ok(())
/// # }
/// ```
///
/// An instance that is new, after a reload or a revert, begins without a past: its checks run within half a second. While the
/// [rollback window](hotswap_host::RollbackWindow) of a reload is open, a plugin that becomes unhealthy counts as a failure
/// of the new builds.
///
/// The monitor ends when its last clone is dropped, or the host ends. It does not keep the plugins loaded.
#[derive(Clone)]
pub struct HealthMonitor(Arc<Guard>);

/// Ends the monitor when it is dropped.
struct Guard {
    shared: Arc<Shared>,
    host: WeakSwapper,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// Describes a [`HealthMonitor`] before it starts.
#[must_use = "a monitor does nothing until `start` is called"]
pub struct HealthMonitorBuilder {
    swapper: Swapper,
    options: HealthOptions,
    options_of: Vec<(Subject, HealthOptions)>,
    checks: Vec<(Key, HostCheck)>,
    recovery: Option<Recovery>,
    recovery_of: Vec<(PluginName, Recovery)>,
    means: Means,
}

impl HealthMonitorBuilder {
    /// Sets the options of everything that has none of its own.
    pub fn options(mut self, options: HealthOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets the options of a plugin.
    pub fn options_of(mut self, plugin: &str, options: HealthOptions) -> Self {
        let subject = Subject::Plugin(plugin.into());
        self.options_of.push((subject, options));
        self
    }

    /// Sets the options of the checks of the host that belong to no plugin.
    pub fn host_options(mut self, options: HealthOptions) -> Self {
        self.options_of.push((Subject::Host, options));
        self
    }

    /// Adds a check of the host. It belongs to no plugin.
    pub fn check<E: fmt::Display>(
        mut self,
        name: &str,
        check: impl Fn() -> Result<Health, E> + Send + Sync + 'static,
    ) -> Self {
        let key = (Subject::Host, name.to_owned());
        self.checks.push((key, boxed(check)));
        self
    }

    /// Adds a check of a plugin that the host makes, beside those that the plugin brings along. It often calls the plugin.
    pub fn check_of<E: fmt::Display>(
        mut self,
        plugin: &str,
        name: &str,
        check: impl Fn() -> Result<Health, E> + Send + Sync + 'static,
    ) -> Self {
        let key = (Subject::Plugin(plugin.into()), name.to_owned());
        self.checks.push((key, boxed(check)));
        self
    }

    /// Sets what is done about plugins that have no recovery of their own. By default, nothing is.
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// Sets what is done about a plugin.
    pub fn recovery_of(mut self, plugin: &str, recovery: Recovery) -> Self {
        self.recovery_of.push((plugin.into(), recovery));
        self
    }

    /// Gives the recovery the builds of an earlier time: see [`RollBack`](super::RollBack).
    #[cfg(feature = "history")]
    pub fn history(mut self, history: Arc<crate::history::History>) -> Self {
        self.means.history = Some(history);
        self
    }

    /// Sets the function that is called when nothing more can be done about a plugin. It runs on a thread of its own, and may
    /// call the host.
    pub fn tell(mut self, tell: impl Fn(&Incident) + Send + Sync + 'static) -> Self {
        self.means.tell = Some(Box::new(tell));
        self
    }

    /// Starts the monitor. The first checks run at once.
    ///
    /// # Errors
    /// Options contradict each other, a recovery cannot be carried out, two checks have one name, a plugin is not loaded, or
    /// there is no thread. Then nothing was started.
    pub fn start(self) -> Result<HealthMonitor, HealthError> {
        self.options.validate("everything")?;
        let mut state = State::default();
        state.options = self.options;
        state.sync(&self.swapper.health_checks(), &[]);
        for (subject, options) in self.options_of {
            set_options(&mut state, subject, options)?;
        }
        for (key, check) in self.checks {
            add_check(&mut state, key, check)?;
        }
        if let Some(recovery) = self.recovery {
            self.means.check("all plugins", &recovery)?;
            state.recovery = Some(recovery);
        }
        for (plugin, recovery) in self.recovery_of {
            self.means.check(plugin.as_str(), &recovery)?;
            set_recovery(&mut state, plugin, recovery)?;
        }
        let shared = Arc::new(Shared::new(state, self.means));
        let host = self.swapper.downgrade();
        let (of_thread, weak) = (shared.clone(), host.clone());
        let thread = std::thread::Builder::new().name("hotswap-monitor".into());
        let serve = move || {
            let served = catch_unwind(AssertUnwindSafe(|| of_thread.serve(&weak)));
            if served.is_err() {
                tracing::error!(target: "hotswap", "the health monitor has panicked and ended, which is a bug in hotswap");
            }
            of_thread.end();
        };
        thread.spawn(serve).map_err(HealthError::Thread)?;
        Ok(HealthMonitor(Arc::new(Guard { shared, host })))
    }
}

impl HealthMonitor {
    /// Returns a builder, which describes a monitor of this host before it starts.
    pub fn builder(swapper: &Swapper) -> HealthMonitorBuilder {
        HealthMonitorBuilder {
            swapper: swapper.clone(),
            options: HealthOptions::default(),
            options_of: Vec::new(),
            checks: Vec::new(),
            recovery: None,
            recovery_of: Vec::new(),
            means: Means::default(),
        }
    }

    /// Returns the health of the host and its plugins as it is known. Nothing is waited for.
    pub fn health_report(&self) -> HealthReport {
        self.0.shared.state().report(Instant::now())
    }

    /// Returns true if nothing is checked any more.
    #[cfg(all(feature = "systemd", unix))]
    pub(crate) fn has_ended(&self) -> bool {
        self.0.shared.state().ending
    }

    /// Runs all checks of a plugin now, waits until each has answered or was given up, and returns the report.
    ///
    /// # Errors
    /// The plugin is not loaded, or the host has ended.
    pub fn check_now(&self, plugin: &str) -> Result<HealthReport, HealthError> {
        self.look()?;
        let subject = Subject::Plugin(plugin.into());
        check_loaded(&self.0.shared.state(), &subject)?;
        self.run_now(Some(&subject))
    }

    /// Runs all checks of all plugins and of the host now, waits until each has answered or was given up, and returns the
    /// report.
    ///
    /// # Errors
    /// The host has ended.
    pub fn check_all_now(&self) -> Result<HealthReport, HealthError> {
        self.look()?;
        self.run_now(None)
    }

    fn run_now(&self, subject: Option<&Subject>) -> Result<HealthReport, HealthError> {
        let shared = &self.0.shared;
        let (due, before) = shared.change(|state| state.make_due(subject));
        let answered = |state: &State| state.have_answered(&due, before);
        // The thread of the monitor gives up what hangs, so this ends unless the monitor does.
        while !shared.wait_until(Duration::from_secs(1), answered) {
            self.0.host.upgrade().ok_or(HealthError::Ended)?;
        }
        let ended = shared.state().ending;
        match ended {
            true => Err(HealthError::Ended),
            false => Ok(self.health_report()),
        }
    }

    /// Takes over which plugins are live.
    fn look(&self) -> Result<(), HealthError> {
        let swapper = self.0.host.upgrade().ok_or(HealthError::Ended)?;
        let (live, out) = (swapper.health_checks(), swapper.out_of_service());
        self.0.shared.state().sync(&live, &out);
        Ok(())
    }

    /// Waits until the health is as the condition says, and returns the report that fulfils it. Returns `None` if that takes
    /// longer than `limit`, or the monitor has ended.
    pub fn wait_until(
        &self,
        limit: Duration,
        mut condition: impl FnMut(&HealthReport) -> bool,
    ) -> Option<HealthReport> {
        let (shared, begun) = (&self.0.shared, Instant::now());
        loop {
            // The condition may call anything, so it does not run under the lock.
            let (report, seen) = {
                let state = shared.state();
                (state.report(Instant::now()), state.version)
            };
            if condition(&report) {
                return Some(report);
            }
            let left = limit.checked_sub(begun.elapsed())?;
            let changed = shared.wait_until(left, |state| state.version != seen);
            if !changed || shared.state().ending {
                return None;
            }
        }
    }

    /// Sets the options of a plugin, from now on.
    ///
    /// # Errors
    /// They contradict each other, the plugin is not loaded, or the host has ended. Then nothing has changed.
    pub fn set_options(&self, plugin: &str, options: HealthOptions) -> Result<(), HealthError> {
        self.look()?;
        let subject = Subject::Plugin(plugin.into());
        let shared = &self.0.shared;
        shared.change(|state| set_options(state, subject, options))
    }

    /// Sets the options of the checks of the host that belong to no plugin, from now on.
    ///
    /// # Errors
    /// They contradict each other. Then nothing has changed.
    pub fn set_host_options(&self, options: HealthOptions) -> Result<(), HealthError> {
        let shared = &self.0.shared;
        shared.change(|state| set_options(state, Subject::Host, options))
    }

    /// Sets what is done about a plugin, from now on.
    ///
    /// # Errors
    /// It cannot be carried out, the plugin is not loaded, or the host has ended. Then nothing has changed.
    pub fn set_recovery(&self, plugin: &str, recovery: Recovery) -> Result<(), HealthError> {
        self.look()?;
        let shared = &self.0.shared;
        // The history reads its disk, so this does not happen under the lock.
        shared.means.check(plugin, &recovery)?;
        shared.change(|state| set_recovery(state, plugin.into(), recovery))
    }

    /// Adds a check of the host, like [`HealthMonitorBuilder::check`].
    ///
    /// # Errors
    /// There is a check of this name.
    pub fn add_check<E: fmt::Display>(
        &self,
        name: &str,
        check: impl Fn() -> Result<Health, E> + Send + Sync + 'static,
    ) -> Result<(), HealthError> {
        let key = (Subject::Host, name.to_owned());
        let shared = &self.0.shared;
        shared.change(|state| add_check(state, key, boxed(check)))
    }

    /// Adds a check of a plugin, like [`HealthMonitorBuilder::check_of`].
    ///
    /// # Errors
    /// The plugin has a check of this name, or is not loaded, or the host has ended.
    pub fn add_check_of<E: fmt::Display>(
        &self,
        plugin: &str,
        name: &str,
        check: impl Fn() -> Result<Health, E> + Send + Sync + 'static,
    ) -> Result<(), HealthError> {
        self.look()?;
        let key = (Subject::Plugin(plugin.into()), name.to_owned());
        let shared = &self.0.shared;
        shared.change(|state| add_check(state, key, boxed(check)))
    }
}

impl fmt::Debug for HealthMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HealthMonitor")
            .field(&self.health_report().level)
            .finish()
    }
}

fn boxed<E: fmt::Display>(
    check: impl Fn() -> Result<Health, E> + Send + Sync + 'static,
) -> HostCheck {
    Arc::new(move || check().map_err(|error| error.to_string()))
}

fn check_loaded(state: &State, subject: &Subject) -> Result<(), HealthError> {
    let Subject::Plugin(plugin) = subject else {
        return Ok(());
    };
    let loaded_plugins = state.plugins();
    match loaded_plugins.contains(plugin) {
        true => Ok(()),
        false => Err(HealthError::NotLoaded {
            plugin: plugin.clone(),
            loaded_plugins,
        }),
    }
}

fn set_options(
    state: &mut State,
    subject: Subject,
    options: HealthOptions,
) -> Result<(), HealthError> {
    options.validate(&subject.to_string())?;
    check_loaded(state, &subject)?;
    state.make_due(Some(&subject));
    state.options_of.insert(subject, options);
    Ok(())
}

fn set_recovery(
    state: &mut State,
    plugin: PluginName,
    recovery: Recovery,
) -> Result<(), HealthError> {
    check_loaded(state, &Subject::Plugin(plugin.clone()))?;
    state.recovery_of.insert(plugin, recovery);
    Ok(())
}

fn add_check(state: &mut State, key: Key, check: HostCheck) -> Result<(), HealthError> {
    check_loaded(state, &key.0)?;
    if state.has(&key) {
        return Err(HealthError::Twice {
            of: key.0.to_string(),
            check: key.1,
        });
    }
    state.host_checks.insert(key, check);
    Ok(())
}
