//! Answers the driver of the comparison, for wasmtime.
mod hum;

use compare_harness::{Host, Timing, serve};
use hum::{Caller, Hum};
use std::error::Error;

impl compare_harness::Caller for Caller<'_> {
    fn add(&mut self, a: i64, b: i64) -> i64 {
        Caller::add(self, a, b)
    }

    fn hum(&mut self, name: &str, times: u64) -> u64 {
        Caller::hum(self, name, times)
    }

    fn version(&mut self) -> u64 {
        Caller::version(self)
    }
}

impl Host for Hum {
    type Caller<'h> = Caller<'h>;

    fn caller(&self) -> Caller<'_> {
        Caller::new(self)
    }

    fn hold(&self, timing: Timing) -> Option<f64> {
        let mut caller = Caller::new(self);
        let thread = caller.newest();
        Some(timing.of(|a, b| thread.add(a, b)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let build = std::env::args_os().nth(1).ok_or("expected a build")?;
    let hum = Hum::open(build.as_ref())?;
    serve(&hum, |build| Ok(hum.reload(build)?))
}
