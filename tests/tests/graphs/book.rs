//! The host's book, which records every instance that ever existed.
use hotswap_tests::model::Plugin;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A hook that an instance has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number that the host gave to the instance.
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

    /// Returns true if the instance was dropped.
    pub fn is_dropped(&self, number: u64) -> bool {
        self.pages().dropped.contains(&number)
    }

    /// Takes the events since the last time that this was called.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.pages().events)
    }
}

impl shapes::nodes::Register for Book {
    fn enter(&self, plugin: &str) -> u64 {
        let mut pages = self.pages();
        let letter = plugin.chars().last().expect("a plugin's name is not empty");
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
