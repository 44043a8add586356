//! Answers the driver of the comparison, for stabby.
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
        let functions = self.functions();
        Some(timing.of(|a, b| (functions.add)(a, b)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let build = std::env::args_os().nth(1).ok_or("expected a build")?;
    let hum = Hum::open(build.as_ref()).map_err(plain)?;
    serve(&hum, |build| hum.reload(build).map_err(plain))
}

fn plain(error: Box<dyn Error + Send + Sync>) -> Box<dyn Error> {
    error
}
