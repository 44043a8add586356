//! The plots, as SVG.
use crate::cell::Cell;
use crate::measure::Row;
use crate::report::{bytes, time};
use anyhow::anyhow;
use plotters::prelude::*;
use std::path::Path;

const WIDTH: u32 = 760;
const BAR: i32 = 18;
const LINE: i32 = 28;
const LEFT: i32 = 130;
const RIGHT: i32 = 90;
const TOP: i32 = 44;

/// A plot: a bar for each peer that has a figure.
struct Plot {
    file: &'static str,
    title: &'static str,
    cell: fn(&Row) -> &Cell,
    show: fn(f64) -> String,
    logarithmic: bool,
}

const PLOTS: &[Plot] = &[
    Plot {
        file: "comparison-calls.svg",
        title: "A call with two integers, on one thread",
        cell: |row| &row.add,
        show: time,
        logarithmic: true,
    },
    Plot {
        file: "comparison-reloads.svg",
        title: "A reload, until the first call of the new build has returned",
        cell: |row| &row.reload,
        show: time,
        logarithmic: true,
    },
    Plot {
        file: "comparison-stalls.svg",
        title: "The longest pause of a calling thread around a reload (median)",
        cell: |row| &row.stall,
        show: time,
        logarithmic: true,
    },
    Plot {
        file: "comparison-memory.svg",
        title: "The memory that stays after each reload",
        cell: |row| &row.memory,
        show: bytes,
        logarithmic: false,
    },
    Plot {
        file: "comparison-edits.svg",
        title: "From the save of a source to the first call of the new code",
        cell: |row| &row.edit,
        show: time,
        logarithmic: false,
    },
];

/// Writes the plots into a directory.
pub fn write(rows: &[Row], directory: &Path) -> anyhow::Result<()> {
    for plot in PLOTS {
        let file = directory.join(plot.file);
        draw(plot, rows, &file).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn draw(plot: &Plot, rows: &[Row], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let figures: Vec<(&str, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.peer.name, (plot.cell)(row).figure()?)))
        .collect();
    let height = TOP + LINE * figures.len() as i32 + 10;
    let area = SVGBackend::new(file, (WIDTH, height.cast_unsigned())).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font().color(&BLACK);
    let scale = if plot.logarithmic {
        " (logarithmic)"
    } else {
        ""
    };
    let title = format!("{}{scale}", plot.title);
    area.draw(&Text::new(title, (10, 12), font(20)))?;
    for (n, (name, figure)) in figures.iter().enumerate() {
        let y = TOP + LINE * n as i32;
        let right = LEFT + length(plot, &figures, *figure);
        let color = match *name {
            "hotswap" => RGBColor(0xb7, 0x41, 0x0e),
            _ => RGBColor(0x6b, 0x7f, 0x94),
        };
        let corners = [(LEFT, y), (right, y + BAR)];
        area.draw(&Rectangle::new(corners, color.filled()))?;
        area.draw(&Text::new(*name, (10, y + 2), font(16)))?;
        area.draw(&Text::new(
            (plot.show)(*figure),
            (right + 6, y + 2),
            font(16),
        ))?;
    }
    area.present()?;
    Ok(())
}

/// Returns the length of a bar. A logarithmic one begins at a third of the smallest figure.
fn length(plot: &Plot, figures: &[(&str, f64)], figure: f64) -> i32 {
    let all = || figures.iter().map(|(_, figure)| *figure);
    let largest = all().fold(f64::MIN_POSITIVE, f64::max);
    let part = if plot.logarithmic {
        let smallest = all().fold(largest, f64::min).max(f64::MIN_POSITIVE) / 3.0;
        (figure / smallest).ln() / (largest / smallest).ln()
    } else {
        figure / largest
    };
    let room = WIDTH.cast_signed() - LEFT - RIGHT;
    (part.clamp(0.0, 1.0) * f64::from(room)) as i32
}
