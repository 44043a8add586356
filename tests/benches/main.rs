//! Measures the costs of hotswap: `cargo bench`, or `cargo bench -- typed` for the rows with such a name.
//!
//! Prints one table, and writes the last figure of each row to `target/hotswap-bench.json`. `--quick` measures next to
//! nothing, and only shows that everything runs. `cargo bench -- growth` measures how the costs grow with the number of
//! plugins instead.
mod async_calls;
mod calls;
mod control;
mod growth;
mod live_data;
mod measure;
mod memory;
mod pipeline;
mod plugins;
mod reloads;
mod state;
mod table;

use measure::Effort;
use std::fs;
use table::{ROWS, Table};

fn main() {
    // A row starts this program as a probe, and another one to open a library.
    pipeline::open_and_end();
    let desk = || std::sync::Arc::new(hotswap_tests::Desk::default());
    hotswap_host::init_with(|probe| probe.provide::<dyn shapes::Desk>(desk()));
    let (mut effort, mut filters) = (Effort::Full, Vec::new());
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--quick" => effort = Effort::Quick,
            // Cargo passes this option to every benchmark.
            "--bench" => {}
            _ => filters.push(arg),
        }
    }
    plugins::build();
    if filters == ["growth"] {
        println!("{}", growth::measure(effort));
        return;
    }
    let mut table = Table::begin();
    for row in ROWS {
        if filters.is_empty() || filters.iter().any(|filter| row.name.contains(filter)) {
            table.add(row, (row.measure)(effort));
        }
    }
    let file = hotswap_tests::fixture::target().with_file_name("hotswap-bench.json");
    let json = serde_json::to_string_pretty(&table.figures()).expect("numbers are JSON");
    fs::write(&file, json + "\n").expect("the target directory can be written");
    println!("\n{}", file.display());
}
