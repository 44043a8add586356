//! Answers the driver of the comparison, for relib.
// The generated bindings have no imports here.
#![allow(dead_code, unused_imports, unused_variables)]

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
        let exports = self.exports();
        // SAFETY: the module and the host were built with the same interface.
        Some(timing.of(|a, b| unsafe { exports.add(a, b) }.expect("the module adds")))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let build = std::env::args_os().nth(1).ok_or("expected a build")?;
    let (hum, module) = Hum::open(build.as_ref())?;
    let mut module = Some(module);
    serve(&hum, |build| hum.reload(build, &mut module))
}
