//! Live functions and types: found by their names in the newest generation, whichever plugin they are in.
mod duplicates;
mod files;
mod functions;
mod support;
mod types;
mod vault;
