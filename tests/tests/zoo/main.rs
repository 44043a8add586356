//! Tests what plugins leave behind, and whether they leave memory: the table of `hotswap-host/docs/unloading.md`, row
//! by row.
mod caller;
mod docs;
mod nightly;
mod outcome;
mod row;
mod swaps;
mod table;
