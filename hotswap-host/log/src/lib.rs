#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod filter;
mod options;
mod sinks;

pub use error::LogError;
pub use options::{Console, LogFile, LogOptions, Rotation};

use sinks::Sink;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::level_filters::LevelFilter;
use tracing_log::AsLog as _;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry, reload};

/// Starts the log of this program and its plugins as the environment says.
///
/// # Errors
/// A variable cannot be used, the file cannot be opened, or the program has a `tracing` subscriber already.
pub fn start() -> Result<Log, LogError> {
    LogOptions::from_env()?.start()
}

/// The log of a program and its plugins, which changes while they run. Dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
type WithConsole = Layered<reload::Layer<Sink<Filtered>, Filtered>, Filtered>;

struct Shared {
    options: Mutex<LogOptions>,
    filter: reload::Handle<EnvFilter, Registry>,
    console: reload::Handle<Sink<Filtered>, Filtered>,
    file: reload::Handle<Sink<WithConsole>, WithConsole>,
}

impl LogOptions {
    /// Starts the log of this program and its plugins. Records of the crate `log` are logged, too, if the program has no
    /// other logger for them.
    ///
    /// # Errors
    /// An option cannot be used, the file cannot be opened, or the program has a `tracing` subscriber already.
    pub fn start(self) -> Result<Log, LogError> {
        let (filter, filter_handle) = reload::Layer::new(filter::parse(&self.filter)?);
        let (console, console_handle) =
            reload::Layer::new(sinks::console(self.console.has_colors()));
        let (file, file_handle) = reload::Layer::new(sinks::file(self.file.as_ref())?);
        let subscriber = Registry::default().with(filter).with(console).with(file);
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Already)?;
        // A logger of the program's own remains.
        let _ = tracing_log::LogTracer::init();
        follow_the_level();
        Ok(Log(Arc::new(Shared {
            options: Mutex::new(self),
            filter: filter_handle,
            console: console_handle,
            file: file_handle,
        })))
    }
}

impl Log {
    /// Returns the present options.
    pub fn options(&self) -> LogOptions {
        self.0.options().clone()
    }

    /// Changes the log. Plugins follow within a quarter of a second.
    ///
    /// # Errors
    /// An option cannot be used, or the file cannot be opened. Nothing has changed.
    pub fn set(&self, options: LogOptions) -> Result<(), LogError> {
        let mut present = self.0.options();
        let filter = filter::parse(&options.filter)?;
        // The file that is open goes on.
        if options.file != present.file {
            let file = sinks::file(options.file.as_ref())?;
            self.0.file.reload(file).expect(NEVER_DROPPED);
        }
        if options.console != present.console {
            let console = sinks::console(options.console.has_colors());
            self.0.console.reload(console).expect(NEVER_DROPPED);
        }
        self.0.filter.reload(filter).expect(NEVER_DROPPED);
        follow_the_level();
        *present = options;
        Ok(())
    }
}

/// The subscriber is that of the program.
const NEVER_DROPPED: &str = "the subscriber of the program is never dropped";

impl Shared {
    fn options(&self) -> MutexGuard<'_, LogOptions> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.options().fmt(f)
    }
}

/// Passes on the records of `log` up to the level that the filter has.
fn follow_the_level() {
    log::set_max_level(LevelFilter::current().as_log());
}
