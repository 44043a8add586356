//! The columns of the table.

use std::cmp::Ordering;
use std::time::Duration;

use hotswap_host::shown::Shown;

use super::row::{Row, word};

/// A column, by which the table can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Plugin,
    Build,
    Health,
    Calls,
    Errors,
    Median,
    P99,
    Running,
    Memory,
    Age,
    Notes,
}

impl Column {
    /// The columns from left to right.
    pub(super) const ALL: [Column; 11] = [
        Column::Plugin,
        Column::Build,
        Column::Health,
        Column::Calls,
        Column::Errors,
        Column::Median,
        Column::P99,
        Column::Running,
        Column::Memory,
        Column::Age,
        Column::Notes,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Column::Plugin => "PLUGIN",
            Column::Build => "BUILD",
            Column::Health => "HEALTH",
            Column::Calls => "CALLS/S",
            Column::Errors => "ERR/S",
            Column::Median => "MEDIAN",
            Column::P99 => "99%",
            Column::Running => "RUN",
            Column::Memory => "MEMORY",
            Column::Age => "AGE",
            Column::Notes => "NOTES",
        }
    }

    /// The width, and whether the column takes what is left.
    pub(super) fn width(self) -> (u16, bool) {
        match self {
            Column::Plugin => (12, false),
            Column::Build => (8, false),
            Column::Health => (9, false),
            Column::Calls => (8, false),
            Column::Errors => (6, false),
            Column::Median | Column::P99 => (7, false),
            Column::Running => (5, false),
            Column::Memory => (8, false),
            Column::Age => (7, false),
            Column::Notes => (10, true),
        }
    }

    pub(super) fn is_number(self) -> bool {
        !matches!(
            self,
            Column::Plugin | Column::Build | Column::Health | Column::Notes
        )
    }

    /// True if the largest value comes first, unless the order is turned round.
    pub(super) fn is_descending(self) -> bool {
        self.is_number() || self == Column::Health
    }

    /// Returns the next column to the right, or the first one after the last.
    pub(super) fn next(self) -> Self {
        self.step(1)
    }

    /// Returns the next column to the left, or the last one before the first.
    pub(super) fn previous(self) -> Self {
        self.step(Column::ALL.len() - 1)
    }

    fn step(self, by: usize) -> Self {
        let at = Column::ALL.iter().position(|it| *it == self).unwrap_or(0);
        Column::ALL[(at + by) % Column::ALL.len()]
    }

    pub(super) fn compare(self, a: &Row, b: &Row) -> Ordering {
        match self {
            Column::Plugin => a.plugin.cmp(&b.plugin),
            Column::Build => a.build.cmp(&b.build),
            Column::Health => a.health.cmp(&b.health),
            Column::Calls => a.calls.total_cmp(&b.calls),
            Column::Errors => a.errors.total_cmp(&b.errors),
            Column::Median => optional(a.median, b.median),
            Column::P99 => optional(a.p99, b.p99),
            Column::Running => a.running.cmp(&b.running),
            Column::Memory => a.memory.cmp(&b.memory),
            Column::Age => a.age.total_cmp(&b.age),
            Column::Notes => a.notes.cmp(&b.notes),
        }
    }

    /// Returns the cell of a row.
    pub(super) fn cell(self, row: &Row) -> String {
        let none = || "-".to_owned();
        match self {
            Column::Plugin => Shown(&row.plugin).to_string(),
            Column::Build => row.build.get(..8).unwrap_or(&row.build).to_owned(),
            Column::Health => row.health.map_or_else(none, |level| word(level).to_owned()),
            Column::Calls => rate(row.calls),
            Column::Errors => rate(row.errors),
            Column::Median => row.median.map_or_else(none, time),
            Column::P99 => row.p99.map_or_else(none, time),
            Column::Running => row.running.to_string(),
            Column::Memory => row.memory.map_or_else(none, bytes),
            Column::Age => age(row.age),
            Column::Notes => Shown(&row.notes).to_string(),
        }
    }
}

fn optional(a: Option<f64>, b: Option<f64>) -> Ordering {
    a.unwrap_or(-1.0).total_cmp(&b.unwrap_or(-1.0))
}

/// Returns `0.5`, `12.0`, `1.2k`, or `3.4M`.
pub(super) fn rate(number: f64) -> String {
    match number {
        n if n < 1e3 => format!("{n:.1}"),
        n if n < 1e6 => format!("{:.1}k", n / 1e3),
        n => format!("{:.1}M", n / 1e6),
    }
}

/// Returns `340ns`, `1.2µs`, `12ms`, or `3.4s`.
fn time(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    match time {
        time if time.as_nanos() < 1000 => format!("{time:.0?}"),
        time if time.as_millis() >= 10 && time.as_millis() < 1000 => format!("{time:.0?}"),
        time => format!("{time:.1?}"),
    }
}

/// Returns `512 B`, `1.2 kB`, `3.4 MB`, or `5.6 GB`.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        n if n < 1e3 => format!("{n} B"),
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n if n < 1e9 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.1} GB", n / 1e9),
    }
}

/// Returns `7 s`, `3 min`, `5 h`, or `2 d`.
pub(super) fn age(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
