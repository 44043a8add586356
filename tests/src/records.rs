//! What this process logs.
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
    /// Its level.
    pub level: Level,
    /// Its target.
    pub target: String,
    /// Its message, followed by its fields.
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
        // A text takes any number of characters.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Keeps what this process logs from now on.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where a test program has a subscriber of its own, it does not ask for records here.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Keep));
    });
}

/// The first record with all of these texts in it, waited for.
///
/// # Panics
/// When none comes.
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

/// The records with all of these texts in them, so far.
pub fn with(texts: &[&str]) -> Vec<Record> {
    let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |record: &&Record| texts.iter().all(|text| record.text.contains(text));
    records.iter().filter(fits).cloned().collect()
}
