//! Answers the driver of the comparison, for hotswap.
mod hum;

use compare_harness::{Calls, Timing, serve};
use hotswap_host::prelude::*;
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
        let pin = self.swapper.pin();
        let add = self.add.on(&pin).expect("the plugin adds");
        Some(timing.of(|a, b| add.call(a, b).expect("the plugin adds")))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let hum = Hum::open()?;
    serve(&hum, |build| hum.reload(build))
}
