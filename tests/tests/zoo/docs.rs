//! Tests that the documentation has the same table.
use crate::table::TABLE;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn the_docs_have_this_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hotswap-host/docs/unloading.md");
    let docs = fs::read_to_string(file).expect("the chapter can be read");
    let mut table = String::from(
        "| a plugin that | once its callers have called again or ended | while one does neither |\n|---|---|---|\n",
    );
    for row in TABLE {
        writeln!(table, "| {} | {} | {} |", row.what, row.then, row.idle)
            .expect("writing to a string does not fail");
    }
    assert!(
        docs.contains(&table),
        "hotswap-host/docs/unloading.md should have this table:\n{table}"
    );
}
