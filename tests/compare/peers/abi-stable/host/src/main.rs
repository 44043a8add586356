//! Answers the driver of the comparison, for abi_stable.
mod hum;

use compare_harness::{Calls, Timing, serve};
use hum::Hum;
use std::error::Error;

impl Calls for Hum {
    fn add(&self, a: i64, b: i64) -> i64 {
        Hum::add(self, a, b)
    }

    fn hum(&self, name: &str, times: u64) -> u64 {
        Hum::hum(self, name, times)
    }

    fn version(&self) -> u64 {
        Hum::version(self)
    }

    fn hold(&self, timing: Timing) -> Option<f64> {
        let add = self.module().add();
        Some(timing.of(|a, b| add(a, b)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let build = std::env::args_os().nth(1).ok_or("expected a build")?;
    let hum = Hum::open(build.as_ref())?;
    serve(&hum, |build| Ok(hum.reload(build)?))
}
