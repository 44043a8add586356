//! The host's book of all instances there ever were.
use hotswap_tests::model::Plugin;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an instance did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number that it was given.
    pub number: u64,
    pub plugin: Plugin,
    pub hook: String,
}

#[derive(Default)]
pub struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// The plugin of each number.
    entered: Vec<Plugin>,
    events: Vec<Event>,
    dropped: BTreeSet<u64>,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the instance has come to its end.
    pub fn is_dropped(&self, number: u64) -> bool {
        self.pages().dropped.contains(&number)
    }

    /// What happened since this was asked last.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.pages().events)
    }
}

impl nodes::Register for Book {
    fn enter(&self, plugin: &str) -> u64 {
        let mut pages = self.pages();
        let letter = plugin.chars().last().expect("a plugin has a name");
        pages.entered.push(letter);
        pages.entered.len() as u64 - 1
    }

    fn note(&self, number: u64, hook: &str) {
        let mut pages = self.pages();
        let plugin = pages.entered[number as usize];
        if hook == "drop" {
            pages.dropped.insert(number);
        }
        pages.events.push(Event {
            number,
            plugin,
            hook: hook.to_owned(),
        });
    }
}
