//! Compares hotswap with what people would use instead: the same functions and the same edit, through each of them.
//!
//! `README.md` says how it measures.
mod cell;
mod lines;
mod machine;
mod measure;
mod options;
mod peers;
mod place;
mod plots;
mod process;
mod report;

use anyhow::Context as _;
use cell::Cell;
use measure::Row;
use options::Options;
use peers::PEERS;
use place::Place;
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let place = Place::prepare()?;
    let peers = PEERS.iter().filter(|peer| options.wants(peer.name));
    let mut rows: Vec<Row> = peers.map(|peer| Row::new(peer, &place)).collect();
    for row in &mut rows {
        row.build(&place);
    }
    let effort = options.effort();
    // A pass after the other, so that what disturbs the machine for a while disturbs all of them.
    for _ in 0..effort.passes {
        for row in &mut rows {
            row.measure_calls(&place, &effort);
        }
    }
    for row in &mut rows {
        row.measure_reloads(&place, &effort);
    }
    for row in &mut rows {
        row.measure_edits(&place, &effort);
    }
    let report = report::markdown(&rows, &place, &options)?;
    println!("{report}");
    fs::write(place.out.join("comparison.md"), &report).context("cannot write the table")?;
    plots::write(&rows, &place.out)?;
    eprintln!("The table and the plots are in {}", place.out.display());
    if options.book {
        report::into_book(&report, &place)?;
        plots::write(&rows, &place.checkout.join("book/src"))?;
    }
    Ok(())
}

/// Prints what is going on.
fn progress(peer: &str, what: &str) {
    eprintln!("{peer}: {what}");
}

/// Returns the median.
fn median(mut numbers: Vec<f64>) -> Cell {
    numbers.sort_by(f64::total_cmp);
    match numbers.get(numbers.len() / 2) {
        Some(&median) => Cell::Figure(median),
        None => Cell::None("nothing was measured".into()),
    }
}
