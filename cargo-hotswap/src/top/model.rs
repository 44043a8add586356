//! The state of the screen, and what keys do with it.

use std::collections::BTreeMap;
use std::path::Path;

use hotswap_control::api::{Calls, Health, Status};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::column::Column;
use super::row::Row;

/// The answers of a host at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) status: Status,
    pub(crate) calls: Calls,
    /// `None` if the host does not check its health.
    pub(crate) health: Option<Health>,
    /// The time of this machine, in seconds since 1970.
    pub(crate) now: f64,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) sample: Option<Sample>,
    pub(super) rows: Vec<Row>,
    /// The number of the sorted column.
    pub(super) sort: Column,
    /// True if the order is the other one than is usual for the column.
    pub(super) is_inverted: bool,
    /// The plugin whose line is selected.
    selected: Option<String>,
    pub(super) is_paused: bool,
    /// The reason why there is no newer sample.
    pub(super) error: Option<String>,
}

impl Default for Model {
    fn default() -> Self {
        Model {
            sample: None,
            rows: Vec::new(),
            sort: Column::Calls,
            is_inverted: false,
            selected: None,
            is_paused: false,
            error: None,
        }
    }
}

impl Model {
    /// Takes what the host has said. While the screen is paused, nothing changes.
    pub(crate) fn take(&mut self, sample: Result<Sample, String>) {
        if self.is_paused {
            return;
        }
        match sample {
            Ok(sample) => {
                let before = self.sample.as_ref().map(|before| &before.calls);
                self.rows = rows(&sample, before);
                self.sample = Some(sample);
                self.error = None;
                self.sort();
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Does what a key says. Returns false if it ends the screen.
    pub(crate) fn press(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return false,
            KeyCode::Char('q') | KeyCode::F(10) => return false,
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('N') => self.sort_by(Column::Plugin),
            KeyCode::Char('P') => self.sort_by(Column::Calls),
            KeyCode::Char('M') => self.sort_by(Column::Memory),
            KeyCode::Char('L') => self.sort_by(Column::P99),
            KeyCode::Char('T') => self.sort_by(Column::Age),
            KeyCode::Char('>' | '.') | KeyCode::Right => self.sort_by(self.sort.next()),
            KeyCode::Char('<' | ',') | KeyCode::Left => self.sort_by(self.sort.previous()),
            KeyCode::Char('I') => {
                self.is_inverted = !self.is_inverted;
                self.sort();
            }
            KeyCode::Up => self.select(|at, _| at.saturating_sub(1)),
            KeyCode::Down => self.select(|at, last| (at + 1).min(last)),
            KeyCode::Home => self.select(|_, _| 0),
            KeyCode::End => self.select(|_, last| last),
            _ => {}
        }
        true
    }

    fn sort_by(&mut self, column: Column) {
        self.sort = column;
        self.is_inverted = false;
        self.sort();
    }

    fn sort(&mut self) {
        let (column, is_descending) = (self.sort, self.sort.is_descending() != self.is_inverted);
        self.rows.sort_by(|a, b| {
            let order = column.compare(a, b);
            let order = if is_descending {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| a.plugin.cmp(&b.plugin))
        });
    }

    fn select(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let Some(last) = self.rows.len().checked_sub(1) else {
            return;
        };
        let at = to(self.selected().unwrap_or(0), last);
        self.selected = Some(self.rows[at].plugin.clone());
    }

    /// Returns the number of the selected line: the first one until a key has selected another.
    pub(super) fn selected(&self) -> Option<usize> {
        let is_it = |row: &Row| self.selected.as_ref() == Some(&row.plugin);
        let at = self.rows.iter().position(is_it).unwrap_or(0);
        (!self.rows.is_empty()).then_some(at)
    }

    /// Returns `web (pid 42)`.
    pub(super) fn host(sample: &Sample) -> String {
        let host = &sample.status.host;
        let program = Path::new(&host.executable).file_name().unwrap_or_default();
        format!("{} (pid {})", program.display(), host.pid)
    }
}

fn rows(sample: &Sample, before: Option<&Calls>) -> Vec<Row> {
    let levels: BTreeMap<_, _> = sample
        .health
        .iter()
        .flat_map(|health| &health.plugins)
        .map(|it| (it.plugin.as_str(), it.level))
        .collect();
    // A host that was started again counts from zero.
    let seconds = before.map_or(0.0, |before| sample.calls.at - before.at);
    let per_second = |now: u64, then: Option<u64>| match then.and_then(|then| now.checked_sub(then))
    {
        Some(more) if seconds > 0.0 => more as f64 / seconds,
        _ => 0.0,
    };
    let row = |plugin: &hotswap_control::api::Plugin| {
        let is_it = |it: &&hotswap_control::api::PluginCalls| it.plugin == plugin.name;
        let calls = sample.calls.plugins.iter().find(is_it);
        let then = before.and_then(|before| before.plugins.iter().find(is_it));
        let mut notes = Vec::new();
        if let Some(out) = &plugin.out_of_service {
            notes.push(format!("out of service: {}", out.reason));
        }
        if plugin.deployed {
            notes.push("deployed".to_owned());
        }
        if let Some(calls) = calls.filter(|calls| calls.panics > 0) {
            notes.push(format!("panics: {}", calls.panics));
        }
        Row {
            plugin: plugin.name.clone(),
            build: plugin.build_id.clone(),
            health: levels.get(plugin.name.as_str()).copied(),
            calls: calls.map_or(0.0, |it| per_second(it.calls, then.map(|then| then.calls))),
            errors: calls.map_or(0.0, |it| {
                per_second(it.errors, then.map(|then| then.errors))
            }),
            median: calls.and_then(|it| Some(it.latency.as_ref()?.median)),
            p99: calls.and_then(|it| Some(it.latency.as_ref()?.p99)),
            running: calls.map_or(0, |it| it.in_flight),
            memory: calls.and_then(|it| it.memory),
            age: sample.now - plugin.loaded_at,
            notes: notes.join(", "),
        }
    };
    sample.status.plugins.iter().map(row).collect()
}
