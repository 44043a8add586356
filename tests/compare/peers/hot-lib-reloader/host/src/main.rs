//! Answers the driver of the comparison, for hot-lib-reloader.
mod hum;

use compare_harness::{Calls, serve};
use std::error::Error;

struct Hum;

impl Calls for Hum {
    fn add(&self, a: i64, b: i64) -> i64 {
        hum::add(a, b)
    }

    fn hum(&self, name: &str, times: u64) -> u64 {
        hum::hum(name, times)
    }

    fn version(&self) -> u64 {
        hum::version()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&Hum, hum::reload)
}
