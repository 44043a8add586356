//! What a user of subsecond writes.
use crate::functions;
use subsecond::HotFn;

pub fn add(a: i64, b: i64) -> i64 {
    HotFn::current(functions::add).call((a, b))
}

pub fn hum(name: &str, times: u64) -> u64 {
    HotFn::current(functions::hum).call((name, times))
}

pub fn version() -> u64 {
    HotFn::current(functions::version).call(())
}
