//! The host's log levels, and notifications of their changes.
//!
//! `tracing` notifies its callsites when subscribers or filters change, but it calls them with its own locks held, and
//! sets the new maximum level only afterwards. `log` notifies nothing. So a change only wakes the watchers. They
//! compare [`levels`] with the levels that plugins were told, and do so again a moment later: see [`watch`].
use hotswap_plugin::telemetry::table::level;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::sync::{Arc, Mutex, Once, PoisonError};
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing_core::callsite::{Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::{Interest, Kind, Level, Metadata};

/// The levels of the host. A plugin is told again when they differ from those that it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Levels {
    /// The first argument of `PluginEntry::set_levels`.
    pub(crate) log: u32,
    /// The second one.
    pub(crate) trace: u32,
    /// The number of times that a subscriber has changed its interest in a callsite of a plugin.
    interests: u64,
}

static INTERESTS: AtomicU64 = AtomicU64::new(0);

/// Returns the current levels of the host.
pub(crate) fn levels() -> Levels {
    // The count is read first, so that a level that is set between the two reads is at worst told twice.
    let interests = INTERESTS.load(Acquire);
    Levels {
        log: number_of_log(log::max_level().min(log::STATIC_MAX_LEVEL)),
        trace: number(LevelFilter::current().min(STATIC_MAX_LEVEL)),
        interests,
    }
}

fn number_of_log(filter: log::LevelFilter) -> u32 {
    match filter {
        log::LevelFilter::Off => level::OFF,
        log::LevelFilter::Error => level::ERROR,
        log::LevelFilter::Warn => level::WARN,
        log::LevelFilter::Info => level::INFO,
        log::LevelFilter::Debug => level::DEBUG,
        log::LevelFilter::Trace => level::TRACE,
    }
}

fn number(filter: LevelFilter) -> u32 {
    match filter {
        LevelFilter::OFF => level::OFF,
        LevelFilter::ERROR => level::ERROR,
        LevelFilter::WARN => level::WARN,
        LevelFilter::INFO => level::INFO,
        LevelFilter::DEBUG => level::DEBUG,
        LevelFilter::TRACE => level::TRACE,
    }
}

type Wake = Arc<dyn Fn() + Send + Sync>;

static WATCHERS: Mutex<Vec<Wake>> = Mutex::new(Vec::new());

/// Ends a [`watch`] when it is dropped.
pub(crate) struct Watch(Wake);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watchers = WATCHERS.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|wake| !Arc::ptr_eq(wake, &self.0));
    }
}

/// Calls `wake` when [`levels`] is about to change because of a subscriber.
///
/// `wake` runs with locks of `tracing` held. It may only wake a thread, and must neither call a plugin nor log. The
/// thread compares [`levels`] at once *and* every 200 ms, because a new maximum level is visible only when all
/// callsites know of it, and `log::set_max_level` wakes nothing.
pub(crate) fn watch(wake: impl Fn() + Send + Sync + 'static) -> Watch {
    static REGISTERED: Once = Once::new();
    let wake: Wake = Arc::new(wake);
    WATCHERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(wake.clone());
    REGISTERED.call_once(|| tracing_core::callsite::register(&BELL));
    Watch(wake)
}

/// Notes that a subscriber has changed its interest in a callsite of a plugin.
pub(super) fn interest_changed() {
    INTERESTS.fetch_add(1, Release);
    ring();
}

fn ring() {
    for wake in WATCHERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
    {
        wake();
    }
}

/// A callsite without events, which is notified of each change of the subscribers.
struct Bell {
    /// An object without a size would share its address with others, and callsites are distinguished by their
    /// addresses.
    _sized: u8,
}

static BELL: Bell = Bell { _sized: 0 };
static BELL_METADATA: Metadata<'static> = Metadata::new(
    "levels",
    module_path!(),
    Level::TRACE,
    None,
    None,
    None,
    FieldSet::new(&[], Identifier(&BELL)),
    Kind::HINT,
);

impl Callsite for Bell {
    fn set_interest(&self, _: Interest) {
        ring();
    }

    fn metadata(&self) -> &Metadata<'_> {
        &BELL_METADATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn levels_have_the_numbers_of_the_contract() {
        let log = [
            log::LevelFilter::Off,
            log::LevelFilter::Warn,
            log::LevelFilter::Trace,
        ];
        assert_eq!(
            log.map(number_of_log),
            [level::OFF, level::WARN, level::TRACE]
        );
        let trace = [LevelFilter::OFF, LevelFilter::WARN, LevelFilter::TRACE];
        assert_eq!(trace.map(number), [level::OFF, level::WARN, level::TRACE]);
    }

    #[test]
    fn a_new_subscriber_wakes_the_watchers() {
        let (send, woken) = mpsc::channel();
        let watch = watch(move || {
            let _ = send.send(());
        });
        while woken.try_recv().is_ok() {}
        let _subscriber =
            tracing_core::Dispatch::new(tracing_core::subscriber::NoSubscriber::new());
        woken.recv().expect("the watcher is alive");
        drop(watch);
        // The loop ends when the sender is gone, and with it the closure.
        woken.iter().for_each(drop);
    }
}
