//! Tests live functions and types, which are found by name in the newest generation, whichever plugin they are in.
mod duplicates;
mod files;
mod functions;
mod support;
mod types;
mod vault;
