//! The log records of this process.
use crate::LIMIT;
use std::fmt::{self, Write};
use std::sync::{Condvar, Mutex, Once, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

/// One event.
#[derive(Clone, Debug)]
pub struct Record {
    /// The level.
    pub level: Level,
    /// The target.
    pub target: String,
    /// The message, followed by the fields.
    pub text: String,
}

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());
static CHANGED: Condvar = Condvar::new();

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let record = Record {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            text: text.0,
        };
        RECORDS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record);
        CHANGED.notify_all();
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Keeps the log records of this process from now on.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A test program with a subscriber of its own does not ask for records here.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Keep));
    });
}

/// Waits for a record that contains all of these texts, and returns the first one.
///
/// # Panics
/// Panics if none comes.
pub fn wait_for(texts: &[&str]) -> Record {
    let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let find = |records: &[Record]| {
        let fits = |record: &&Record| texts.iter().all(|text| record.text.contains(text));
        records.iter().find(fits).cloned()
    };
    let waited = CHANGED.wait_timeout_while(records, LIMIT, |records| find(records).is_none());
    let (records, _) = waited.unwrap_or_else(PoisonError::into_inner);
    find(&records).unwrap_or_else(|| panic!("no record with {texts:?} among {records:#?}"))
}

/// Returns the records so far that contain all of these texts.
pub fn with(texts: &[&str]) -> Vec<Record> {
    let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |record: &&Record| texts.iter().all(|text| record.text.contains(text));
    records.iter().filter(fits).cloned().collect()
}
