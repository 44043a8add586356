//! [`ReloadOptions`], which say how careful a reload is.
use super::keep::{Keep, KeepOf};
use super::option_value::{OptionValue, as_option, by_serde};
use crate::base::name::PluginName;
use crate::environment::{option_variable, text_of};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Defines the options with their documentation, their defaults, and the table of both.
macro_rules! reload_options {
    ($(#[$of_struct:meta])* pub struct ReloadOptions {
        $(#[doc = $first:literal] $(#[doc = $more:literal])* $name:ident: $Type:ty = $default:expr,)*
    }) => {
        $(#[$of_struct])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct ReloadOptions {
            $(
                #[doc = $first]
                $(#[doc = $more])*
                #[serde(with = "as_option")]
                pub $name: $Type,
            )*
        }

        impl Default for ReloadOptions {
            fn default() -> Self {
                ReloadOptions { $($name: $default,)* }
            }
        }

        impl ReloadOptions {
            /// Describes all options, in the order of the fields.
            pub fn describe() -> Vec<OptionDescription> {
                let default = ReloadOptions::default();
                vec![$(OptionDescription {
                    name: stringify!($name),
                    type_name: <$Type as OptionValue>::TYPE,
                    default: default.$name.to_text(),
                    variable: option_variable(stringify!($name)),
                    meaning: concat!($first $(, $more)*).trim_start(),
                },)*]
            }

            /// Sets an option by its name and a text, such as `"drain_limit"` and `"2.5"`.
            ///
            /// # Errors
            /// There is no option with this name, or the text is no value of its type.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
                match name {
                    $(stringify!($name) => {
                        self.$name = OptionValue::from_text(value).ok_or_else(|| OptionError::Value {
                            name: stringify!($name),
                            value: value.to_owned(),
                            type_name: <$Type as OptionValue>::TYPE,
                        })?;
                    })*
                    _ => return Err(OptionError::Unknown { name: name.to_owned() }),
                }
                Ok(())
            }
        }
    };
}

reload_options! {
/// How careful a reload is: which steps it has, how long each may take, and what makes it go back.
///
/// By default a reload has no step that it does not need. [`staging`](Self::staging) and
/// [`production`](Self::production) are made for their places. [`Builder::reload_options`](crate::Builder::reload_options)
/// sets the options of all reloads of a host, and [`Reload::options`](crate::Reload::options) those of one reload.
///
/// ```
/// use hotswap_host::ReloadOptions;
/// use std::time::Duration;
///
/// let mut options = ReloadOptions::production();
/// options.healthy_deadline = Duration::from_secs(300);
/// ```
pub struct ReloadOptions {
    /// Refuses a reload if the dry run finds that it breaks an item that somebody uses.
    refuse_breaking: bool = false,
    /// Runs Clippy (`cargo clippy -p PACKAGE`) on the sources of each new build, where a warning is an error. If the sources
    /// are not at hand, the report says so.
    lint: bool = false,
    /// Runs the tests (`cargo test -p PACKAGE`) of each new build. If its sources are not at hand, a child process runs the
    /// tests with `#[smoke(deep)]` in their place.
    tests: bool = false,
    /// The longest time that Cargo may take for the lints of all new builds, and for their tests.
    tests_limit: Duration = Duration::from_secs(600),
    /// Tries the new builds in a child process first, which loads them, runs their hooks up to `on_init` and their smoke
    /// tests, and restores a copy of the live state. A crash there is an error. The host's `main` has to begin with
    /// [`init`](crate::init).
    probe: bool = false,
    /// The longest time that the child process may take, and the processor time that it may use.
    probe_limit: Duration = Duration::from_secs(10),
    /// The bytes of address space that the child process may use.
    probe_memory: u64 = 4 << 30,
    /// Also runs the smoke tests in the child process that take longer: those with `#[smoke(deep)]`.
    deep: bool = false,
    /// Runs the smoke tests of the plugins and of the host, if there are any.
    smoke: bool = true,
    /// The longest time that one smoke test may take.
    smoke_limit: Duration = Duration::from_secs(5),
    /// Says what happens to calls of the plugins that are replaced.
    drain: Drain = Drain::Off,
    /// The longest time that calls may wait for the running ones.
    drain_limit: Duration = Duration::from_secs(5),
    /// The length of the rollback window. For as long, the previous generation stays whole beside the new one, and the
    /// reload can be reverted. Zero means that there is no window, and that the reload is permanent at once.
    healthy_deadline: Duration = Duration::ZERO,
    /// The time without a failure after which the reload becomes permanent.
    min_healthy_time: Duration = Duration::ZERO,
    /// The time between two looks at the new generation.
    interval: Duration = Duration::from_secs(1),
    /// The number of failures that the new generation may have in the window: panics of the plugins that are new in it,
    /// and errors of their `on_start`. The first one beyond this number is a reason to revert the reload, at once.
    failure_limit: u64 = 0,
    /// The number of watched calls of the new generation from which its rates count. Watched are the calls that the host
    /// makes of the plugins that are new in it: through handles, async ones included, and by name. Calls of a pinned
    /// generation are not.
    min_calls: u64 = 0,
    /// The share of the watched calls, from 0 to 1, that may return an error. A larger share reverts the reload. A call of
    /// an interface has returned an error if one of its methods has, and an async call counts when it ends.
    max_error_rate: f64 = 1.0,
    /// The factor by which that share may exceed the one of the previous generation, which is measured while the new one is
    /// staged, if that has `min_calls`. Zero means any.
    error_rate_factor: f64 = 0.0,
    /// The time that 99 of 100 watched calls may take at most. It is measured with one of 1,024 calls of each thread, or
    /// of 32,768 while it makes many, and with the next one after each `interval`. Async calls are not timed. Zero means
    /// any.
    max_latency: Duration = Duration::ZERO,
    /// The factor by which that time may exceed the one of the previous generation. Zero means any.
    latency_factor: f64 = 0.0,
    /// Makes the reload permanent at the deadline if there were fewer calls than `min_calls`. Otherwise it is reverted.
    promote_inconclusive: bool = true,
    /// Reverts the reload when the failure limit is exceeded. Otherwise that is only logged.
    auto_revert: bool = true,
    /// Makes the reload permanent when it has been healthy for long enough. Otherwise it has to be
    /// [confirmed](crate::Swapper::confirm), and is reverted at the deadline.
    auto_promote: bool = true,
    /// Lets another reload replace a generation whose window is open. Reverting then leads to the permanent
    /// generation. Otherwise, the other reload waits until the window has closed.
    supersede: bool = true,
    /// Says what is kept of the plugins that are replaced while the rollback window is open: their instances, or only their
    /// builds and saved states.
    keep: Keep = Keep::Warm,
    /// The bytes that the kept plugins may take in memory. If they take more, the reload is refused. Zero means any.
    kept_state_limit: u64 = 0,
    /// The plugins for which something else holds than `keep` says: in a file, `keep_of = { world = "cold" }`.
    keep_of: KeepOf = KeepOf::default(),
}
}

/// What happens to calls of the plugins that are replaced.
///
/// By default they simply go to the new generation from the switch on, and running calls end in the old one. This is
/// enough unless the old code and the new code must not run at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Drain {
    /// Nobody waits.
    #[default]
    Off,
    /// New calls wait until the running ones have ended. If they do not end in time, the reload is refused.
    OrFail,
    /// New calls wait until the running ones have ended. If they do not end in time, the switch happens all the same,
    /// and they end in the old generation. A plugin whose state is handed over cannot do this, so its reload is refused.
    OrProceed,
}

impl ReloadOptions {
    /// The options for a developer's machine, which are the defaults: smoke tests, and no window.
    pub fn development() -> Self {
        ReloadOptions::default()
    }

    /// The options for a test environment: a reload that breaks somebody is refused, and the rollback window lasts 10
    /// seconds.
    pub fn staging() -> Self {
        ReloadOptions {
            refuse_breaking: true,
            healthy_deadline: Duration::from_secs(10),
            min_healthy_time: Duration::from_secs(5),
            ..ReloadOptions::default()
        }
    }

    /// The options for a service that must not fail: as in [`staging`](Self::staging), calls are drained for up to 5
    /// seconds, the rollback window lasts 60 seconds, and no other reload begins in it.
    pub fn production() -> Self {
        ReloadOptions {
            drain: Drain::OrProceed,
            healthy_deadline: Duration::from_secs(60),
            min_healthy_time: Duration::from_secs(30),
            supersede: false,
            ..ReloadOptions::staging()
        }
    }

    /// Says what is kept of this plugin while the rollback window is open, whatever [`keep`](Self::keep) says.
    #[must_use]
    pub fn keep_of(mut self, plugin: impl Into<PluginName>, keep: Keep) -> Self {
        self.keep_of.set(plugin, keep);
        self
    }

    /// True if calls of the new generation are watched.
    pub(super) fn has_rates(&self) -> bool {
        let absolute = self.max_error_rate < 1.0 || !self.max_latency.is_zero();
        self.has_window() && (absolute || self.min_calls > 0 || self.wants_baseline())
    }

    /// True if calls of the previous generation are watched, too.
    pub(super) fn wants_baseline(&self) -> bool {
        self.has_window() && (self.error_rate_factor > 0.0 || self.latency_factor > 0.0)
    }

    /// True if the previous generation is kept for a while.
    pub(super) fn has_window(&self) -> bool {
        !self.healthy_deadline.is_zero()
    }

    /// Overrides the options by environment variables: each option by the variable that
    /// [`describe`](Self::describe) names, such as `HOTSWAP_DRAIN_LIMIT`.
    ///
    /// A program that has more rights than the user who started it, because it is setuid or has capabilities, ignores
    /// these variables.
    ///
    /// # Errors
    /// A variable is no value of its option.
    pub fn with_environment(mut self) -> Result<Self, OptionError> {
        for option in ReloadOptions::describe() {
            if let Some(value) = text_of(&option.variable) {
                self.set(option.name, &value)?;
            }
        }
        Ok(self)
    }
}

/// The description of one of the [`ReloadOptions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OptionDescription {
    /// The name, which is also the key in a file.
    pub name: &'static str,
    /// The type.
    pub type_name: &'static str,
    /// The default, as a text.
    pub default: String,
    /// The environment variable that [`ReloadOptions::with_environment`] reads.
    pub variable: String,
    /// The meaning.
    pub meaning: &'static str,
}

/// A text that sets no option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// There is no option with this name.
    #[error("there is no reload option {name}; see `ReloadOptions::describe`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The text is no value of the option.
    #[error("{name} cannot be {value:?}: it is {type_name}")]
    Value {
        /// The option.
        name: &'static str,
        /// The text.
        value: String,
        /// The type of the option.
        type_name: &'static str,
    },
}

impl OptionValue for Drain {
    const TYPE: &str = "off, or_fail, or or_proceed";
    fn from_text(text: &str) -> Option<Self> {
        let all = [Drain::Off, Drain::OrFail, Drain::OrProceed];
        all.into_iter().find(|drain| drain.to_text() == text)
    }
    fn to_text(&self) -> String {
        let text = match self {
            Drain::Off => "off",
            Drain::OrFail => "or_fail",
            Drain::OrProceed => "or_proceed",
        };
        text.into()
    }
    by_serde!();
}
