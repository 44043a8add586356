//! Tests the README, the book, and the pages that it includes: the examples work as printed, the links lead somewhere,
//! and the tests that they name exist.
mod alerts;
mod examples;
mod links;
mod names;
mod options;
mod packages;
mod pages;
mod troubleshooting;

use std::path::{Path, PathBuf};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the checkout exists")
}
