//! A subscriber that records what it sees.
use std::error::Error;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};

/// Records one line for each event. Its spans have the ids `base` + 1, + 2, …, and are written as 1, 2, ….
#[derive(Clone)]
pub(crate) struct Recorder {
    base: u64,
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Default)]
struct Recorded {
    lines: Vec<String>,
    spans: Vec<&'static Metadata<'static>>,
    entered: Vec<Id>,
}

impl Recorder {
    /// Tests run at the same time, so each has its own numbers.
    pub(crate) fn new(base: u64) -> Recorder {
        Recorder {
            base,
            recorded: Arc::default(),
        }
    }

    fn short(&self, span: &Id) -> u64 {
        span.into_u64() - self.base
    }

    fn parent(&self, explicit: Option<&Id>, contextual: bool) -> String {
        match explicit {
            Some(id) => format!("in {}", self.short(id)),
            None if contextual => "in current".into(),
            None => "in none".into(),
        }
    }

    fn write(&self, line: String) {
        self.recorded.lock().unwrap().lines.push(line);
    }

    /// Returns the lines since the last call.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.recorded.lock().unwrap().lines)
    }
}

struct Line(String);

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let _ = write!(self.0, " {field}=f64:{value}");
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        let _ = write!(self.0, " {field}=i64:{value}");
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.0, " {field}=u64:{value}");
    }
    fn record_i128(&mut self, field: &Field, value: i128) {
        let _ = write!(self.0, " {field}=i128:{value}");
    }
    fn record_u128(&mut self, field: &Field, value: u128) {
        let _ = write!(self.0, " {field}=u128:{value}");
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        let _ = write!(self.0, " {field}=bool:{value}");
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}=str:{value}");
    }
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let _ = write!(self.0, " {field}=bytes:{value:?}");
    }
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let source = value.source().map(ToString::to_string);
        let _ = write!(self.0, " {field}=error:{value} from {source:?}");
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}=debug:{value:?}");
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut recorded = self.recorded.lock().unwrap();
        recorded.spans.push(span.metadata());
        let id = recorded.spans.len();
        drop(recorded);
        let parent = self.parent(span.parent(), span.is_contextual());
        let mut line = Line(format!("new {id} {} {parent}", span.metadata().name()));
        span.record(&mut line);
        self.write(line.0);
        Id::from_u64(self.base + id as u64)
    }
    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut line = Line(format!("record {}", self.short(span)));
        values.record(&mut line);
        self.write(line.0);
    }
    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.write(format!(
            "{} follows {}",
            self.short(span),
            self.short(follows)
        ));
    }
    fn event(&self, event: &Event<'_>) {
        let parent = self.parent(event.parent(), event.is_contextual());
        let mut line = Line(format!("event {} {parent}", event.metadata().name()));
        event.record(&mut line);
        self.write(line.0);
    }
    fn enter(&self, span: &Id) {
        self.recorded.lock().unwrap().entered.push(span.clone());
        self.write(format!("enter {}", self.short(span)));
    }
    fn exit(&self, span: &Id) {
        self.recorded
            .lock()
            .unwrap()
            .entered
            .retain(|id| id != span);
        self.write(format!("exit {}", self.short(span)));
    }
    fn clone_span(&self, span: &Id) -> Id {
        self.write(format!("clone {}", self.short(span)));
        span.clone()
    }
    fn try_close(&self, span: Id) -> bool {
        self.write(format!("close {}", self.short(&span)));
        true
    }
    fn current_span(&self) -> Current {
        let recorded = self.recorded.lock().unwrap();
        recorded.entered.last().map_or(Current::none(), |id| {
            Current::new(id.clone(), recorded.spans[self.short(id) as usize - 1])
        })
    }
}
