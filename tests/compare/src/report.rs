//! The table, as Markdown.
use crate::cell::Cell;
use crate::machine;
use crate::measure::Row;
use crate::options::Options;
use crate::place::Place;
use anyhow::Context as _;
use std::fmt::Write as _;
use std::fs;

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- /measured -->";

/// What a reader has to know of a short run.
const QUICK: &str = "This was a short run, which shows what can be measured. Its figures vary by a factor of two and more.\n\n";

/// A column: its head, its figure, how that is shown, and whether its ratio is.
struct Column {
    head: &'static str,
    cell: fn(&Row) -> &Cell,
    show: fn(f64) -> String,
    compared: bool,
}

const COLUMNS: &[Column] = &[
    Column {
        head: "call, 1 thread",
        cell: |row| &row.add,
        show: time,
        compared: true,
    },
    Column {
        head: "2 threads",
        cell: |row| &row.add_2,
        show: time,
        compared: true,
    },
    Column {
        head: "build held",
        cell: |row| &row.held,
        show: time,
        compared: true,
    },
    Column {
        head: "with a text",
        cell: |row| &row.hum,
        show: time,
        compared: true,
    },
    Column {
        head: "reload",
        cell: |row| &row.reload,
        show: time,
        compared: true,
    },
    Column {
        head: "memory of a reload",
        cell: |row| &row.memory,
        show: bytes,
        compared: false,
    },
    Column {
        head: "stall, median",
        cell: |row| &row.stall,
        show: time,
        compared: true,
    },
    Column {
        head: "longest",
        cell: |row| &row.worst_stall,
        show: time,
        compared: true,
    },
    Column {
        head: "edit to live",
        cell: |row| &row.edit,
        show: time,
        compared: true,
    },
];

/// Returns the table with its notes, and the table of what the projects publish.
pub fn markdown(rows: &[Row], place: &Place, options: &Options) -> anyhow::Result<String> {
    let effort = options.effort();
    let ours = rows.iter().find(|row| row.peer.name == "hotswap");
    let ours = ours.context("hotswap is always measured")?;
    let mut text = format!(
        "{}:\n\n```console\n$ {}\n```\n\n",
        machine::describe(),
        options.command()
    );
    if options.quick {
        text += QUICK;
    }
    let mut notes = Vec::new();
    let heads: Vec<_> = COLUMNS.iter().map(|column| column.head).collect();
    writeln!(text, "| | {} | lines |", heads.join(" | "))?;
    writeln!(text, "|---|{}---|", "---|".repeat(COLUMNS.len()))?;
    for row in rows {
        write!(text, "| {} |", row.name(place))?;
        for column in COLUMNS {
            let shown = match (column.cell)(row) {
                Cell::Figure(figure) => {
                    let shown = (column.show)(*figure);
                    match (column.cell)(ours).figure() {
                        Some(own) if column.compared => {
                            format!("{shown} ({})", ratio(figure / own))
                        }
                        _ => shown,
                    }
                }
                Cell::None(why) => note(&mut notes, why),
            };
            write!(text, " {shown} |")?;
        }
        let lines = row.lines as f64 / ours.lines as f64;
        writeln!(text, " {} ({}) |", row.lines, ratio(lines))?;
    }
    writeln!(text)?;
    for (number, note) in notes.iter().enumerate() {
        writeln!(text, "{}. {note}", number + 1)?;
    }
    let direct = rows.iter().filter_map(|row| row.direct.figure());
    let direct = direct.fold(f64::INFINITY, f64::min);
    let quiet = rows.iter().filter_map(|row| row.quiet.figure());
    let quiet = quiet.fold(f64::INFINITY, f64::min);
    let p999 = rows.iter().filter_map(|row| {
        let p999 = row.p999.figure()?;
        Some(format!("{} {}", row.peer.name, time(p999)))
    });
    let p999: Vec<_> = p999.collect();
    writeln!(
        text,
        "\nIn parentheses is the ratio to hotswap. A call through a function pointer within the host takes {}. The longest \
         pause of the same thread within as much time without a reload is {} (the median of {}). While builds are \
         reloaded, 999 of a thousand calls take no longer than: {}.",
        time(direct),
        time(quiet),
        effort.stalls,
        p999.join(", "),
    )?;
    writeln!(
        text,
        "\nCalls are the fastest of {} rounds of {} calls. Reloads are the median of {}, and their memory is the growth \
         over as many. Stalls are those of {} reloads. Edit to live is the median of {} edits.",
        effort.passes * effort.rounds,
        effort.times,
        effort.reloads,
        effort.stalls,
        effort.edits,
    )?;
    writeln!(text, "\n| project | what it publishes |\n|---|---|")?;
    for row in rows.iter().filter(|row| !row.peer.published.is_empty()) {
        writeln!(text, "| {} | {} |", row.peer.name, row.peer.published)?;
    }
    Ok(text)
}

impl Row {
    /// The name of the peer with its versions.
    fn name(&self, place: &Place) -> String {
        let versions = self.peer.crates.iter().filter_map(|name| {
            let version = place.version(name)?;
            Some(match *name {
                "hotswap-host" => format!("hotswap {version}"),
                _ => format!("{name} {version}"),
            })
        });
        let versions: Vec<_> = versions.collect();
        match versions.is_empty() {
            true => "a restart of the process".to_owned(),
            false => versions.join(", "),
        }
    }
}

/// Returns a reference to the note with this text.
fn note(notes: &mut Vec<String>, why: &str) -> String {
    let known = notes.iter().position(|note| note == why);
    let at = known.unwrap_or_else(|| {
        notes.push(why.to_owned());
        notes.len() - 1
    });
    format!("– [{}]", at + 1)
}

fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.095 => format!("{ratio:.2}×"),
        ratio if ratio < 9.95 => format!("{ratio:.1}×"),
        ratio => format!("{ratio:.0}×"),
    }
}

/// Shows nanoseconds.
pub fn time(nanoseconds: f64) -> String {
    let (number, unit) = match nanoseconds {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    match number {
        number if number < 10.0 => format!("{number:.2} {unit}"),
        number if number < 100.0 => format!("{number:.1} {unit}"),
        number => format!("{number:.0} {unit}"),
    }
}

/// Shows a number of bytes.
pub fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 0.5 => "0 B".to_owned(),
        bytes if bytes < 1024.0 => format!("{bytes:.0} B"),
        bytes => format!("{:.1} KB", bytes / 1024.0),
    }
}

/// Puts the report into the chapter of the book.
pub fn into_book(report: &str, place: &Place) -> anyhow::Result<()> {
    let file = place.checkout.join("book/src/comparison.md");
    let chapter = fs::read_to_string(&file)?;
    let (before, rest) = chapter
        .split_once(BEGIN)
        .context("the chapter has no mark")?;
    let (_, after) = rest
        .split_once(END)
        .context("the chapter has no second mark")?;
    fs::write(&file, format!("{before}{BEGIN}\n{report}\n{END}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{bytes, ratio, time};

    #[test]
    fn figures_have_two_or_three_digits() {
        assert_eq!(time(2.934), "2.93 ns");
        assert_eq!(time(42_500.0), "42.5 µs");
        assert_eq!(time(446_000_000.0), "446 ms");
        assert_eq!(bytes(-3.0), "0 B");
        assert_eq!(bytes(2048.0), "2.0 KB");
        assert_eq!(ratio(12.34), "12×");
        assert_eq!(ratio(0.028), "0.03×");
    }
}
