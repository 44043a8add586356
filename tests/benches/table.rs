//! The rows of the table, and how they are printed.
use crate::measure::{Comparison, Effort};
use crate::{async_calls, calls, control, live_data, memory, pipeline, reloads, state};
use serde_json::{Map, Value};

/// A measurement.
pub struct Row {
    pub name: &'static str,
    against: &'static str,
    /// The limit of the figure.
    ask: f64,
    pub measure: fn(Effort) -> Figure,
}

/// The result of a measurement.
pub enum Figure {
    /// The figure is the ratio.
    Ratio(Comparison),
    /// The figure is a number of bytes.
    Bytes(f64),
    /// The figure is the time of the subject in microseconds.
    Micros(Comparison),
}

impl From<Comparison> for Figure {
    fn from(comparison: Comparison) -> Self {
        Figure::Ratio(comparison)
    }
}

const BOX: &str = "Box<dyn Trait>";

/// All rows.
pub const ROWS: &[Row] = &[
    Row {
        name: "typed_call_1t",
        against: BOX,
        ask: 2.5,
        measure: |effort| calls::typed(effort).into(),
    },
    Row {
        name: "typed_call_2t",
        against: BOX,
        ask: 2.5,
        measure: |effort| calls::typed_on_two_threads(effort).into(),
    },
    Row {
        name: "live_call",
        against: BOX,
        ask: 2.5,
        measure: |effort| calls::live(effort).into(),
    },
    Row {
        name: "pinned_call",
        against: BOX,
        ask: 1.7,
        measure: |effort| calls::pinned(effort).into(),
    },
    Row {
        name: "import_call",
        against: BOX,
        ask: 1.7,
        measure: |effort| calls::import(effort).into(),
    },
    Row {
        name: "async_call",
        against: "Box<dyn Future>",
        ask: 8.0,
        measure: |effort| async_calls::ready(effort).into(),
    },
    Row {
        name: "invoke_two_ints",
        against: BOX,
        ask: 10.0,
        measure: |effort| calls::two_ints(effort).into(),
    },
    Row {
        name: "invoke_string",
        against: BOX,
        ask: 40.0,
        measure: |effort| calls::string(effort).into(),
    },
    Row {
        name: "live_data_round_trip",
        against: "rmp_serde",
        ask: 1.3,
        measure: |effort| live_data::round_trip(effort).into(),
    },
    Row {
        name: "reload_changed",
        against: "dlopen by hand",
        ask: 3.0,
        measure: |effort| reloads::changed(effort).into(),
    },
    Row {
        name: "reload_unchanged",
        against: "reload_changed",
        ask: 0.05,
        measure: |effort| reloads::unchanged(effort).into(),
    },
    Row {
        name: "reload_1_of_200",
        against: "1 of 1",
        ask: 1.5,
        measure: |effort| reloads::one_of_many(effort).into(),
    },
    Row {
        name: "rss_bytes_per_swap",
        against: "",
        ask: 1024.0,
        measure: |effort| Figure::Bytes(memory::growth(effort)),
    },
    Row {
        name: "caller_stall_p999",
        against: "without swaps",
        ask: 1.5,
        measure: |effort| reloads::stall(effort).into(),
    },
    Row {
        name: "state_gate_us",
        against: "save and restore",
        ask: 2000.0,
        measure: |effort| Figure::Micros(state::gate(effort)),
    },
    Row {
        name: "hand_over_100mb",
        against: "save and restore",
        ask: 1.5,
        measure: |effort| state::large(effort).into(),
    },
    Row {
        name: "state_wait",
        against: "the gate",
        ask: 1.5,
        measure: |effort| state::wait(effort).into(),
    },
    Row {
        name: "watched_call",
        against: "typed_call_1t",
        ask: 1.15,
        measure: |effort| calls::watched(effort).into(),
    },
    Row {
        name: "counted_call",
        against: "typed_call_1t",
        ask: 1.15,
        measure: |effort| calls::counted(effort).into(),
    },
    Row {
        name: "patched_call",
        against: "typed_call_1t",
        ask: 1.5,
        measure: |effort| calls::patched(effort).into(),
    },
    Row {
        name: "patched_import",
        against: "import_call",
        ask: 1.5,
        measure: |effort| calls::patched_import(effort).into(),
    },
    Row {
        name: "import_beside_patch",
        against: "import_call",
        ask: 1.03,
        measure: |effort| calls::import_beside_patch(effort).into(),
    },
    Row {
        name: "call_beside_patch",
        against: "typed_call_1t",
        ask: 1.03,
        measure: |effort| calls::beside_patch(effort).into(),
    },
    Row {
        name: "call_beside_clients",
        against: "typed_call_1t",
        ask: 1.05,
        measure: |effort| control::beside_clients(effort).into(),
    },
    Row {
        name: "patch_apply_us",
        against: "out of service",
        ask: 100.0,
        measure: |effort| Figure::Micros(calls::apply_patch(effort)),
    },
    Row {
        name: "health_check_us",
        against: "the check, called",
        ask: 200.0,
        measure: |effort| Figure::Micros(calls::health_check(effort)),
    },
    Row {
        name: "pipeline_validate",
        against: "fork, exec, dlopen",
        ask: 2.0,
        measure: |effort| pipeline::validate(effort).into(),
    },
    Row {
        name: "pipeline_probe",
        against: "fork, exec, dlopen",
        ask: 2.0,
        measure: |effort| pipeline::probe(effort).into(),
    },
    Row {
        name: "pipeline_store",
        against: "write and fsync",
        ask: 3.0,
        measure: |effort| pipeline::store(effort).into(),
    },
    Row {
        name: "pipeline_history",
        against: "write and fsync",
        ask: 3.0,
        measure: |effort| pipeline::history(effort).into(),
    },
    Row {
        name: "commit",
        against: "from the switch on",
        ask: 1.5,
        measure: |effort| pipeline::commit(effort).into(),
    },
    Row {
        name: "swap_stall_p999",
        against: "no pipeline",
        ask: 1.5,
        measure: |effort| pipeline::stall(effort).into(),
    },
    Row {
        name: "alloc_counting",
        against: "allocator = false",
        ask: 1.1,
        measure: |effort| memory::counting(effort).into(),
    },
];

/// Prints each row as soon as it is measured.
pub struct Table(Map<String, Value>);

impl Table {
    /// Prints the head.
    pub fn begin() -> Self {
        line(["row", "against", "ours", "baseline", "ratio", "ask", ""]);
        Table(Map::new())
    }

    /// Prints a row.
    pub fn add(&mut self, row: &Row, figure: Figure) {
        let (ours, baseline, figure, shown) = match figure {
            Figure::Ratio(found) => (
                time(found.ours),
                time(found.baseline),
                found.ratio,
                number(found.ratio),
            ),
            Figure::Micros(found) => (
                time(found.ours),
                time(found.baseline),
                found.ours * 1e6,
                number(found.ratio),
            ),
            Figure::Bytes(bytes) => (format!("{bytes:.0} B"), String::new(), bytes, String::new()),
        };
        let verdict = if figure <= row.ask { "ok" } else { "missed" };
        let ask = format!("≤ {}", row.ask);
        line([
            row.name,
            row.against,
            &ours,
            &baseline,
            &shown,
            &ask,
            verdict,
        ]);
        self.0.insert(row.name.into(), figure.into());
    }

    /// Returns the figure of each row.
    pub fn figures(self) -> Map<String, Value> {
        self.0
    }
}

fn line([row, against, ours, baseline, ratio, ask, verdict]: [&str; 7]) {
    println!("{row:<18}  {against:<17}  {ours:>9}  {baseline:>9}  {ratio:>7}  {ask:>7}  {verdict}");
}

fn time(seconds: f64) -> String {
    let (number, unit) = match seconds {
        ..1e-6 => (seconds * 1e9, "ns"),
        ..1e-3 => (seconds * 1e6, "µs"),
        _ => (seconds * 1e3, "ms"),
    };
    format!("{} {unit}", self::number(number))
}

/// Formats a number with three digits.
fn number(number: f64) -> String {
    match number {
        ..0.1 => format!("{number:.4}"),
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
