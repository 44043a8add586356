//! Answers the driver of the comparison, in a program that is restarted.
use compare_harness::{Calls, serve};
use std::error::Error;

struct Hum;

impl Calls for Hum {
    fn add(&self, a: i64, b: i64) -> i64 {
        hum_restart::add(a, b)
    }

    fn hum(&self, name: &str, times: u64) -> u64 {
        hum_restart::hum(name, times)
    }

    fn version(&self) -> u64 {
        hum_restart::version()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&Hum, |_| Err("this program is restarted".into()))
}
