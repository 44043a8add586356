//! What cannot be live.
use hotswap_plugin::prelude::*;

struct World;

impl World {
    #[live]
    fn hum(&self) {}
}

#[live]
fn generic<T: Copy>(item: T) -> &str {
    ""
}

#[live(name = "other")]
async fn named() {}

#[live]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) {}

#[live]
trait Trait {}

#[live(prefix = "")]
mod all {
    fn all() {}
}

#[live(prefix = "job-")]
mod hyphen {}

#[live]
mod none {
    fn lively() {}
}

#[live(version = 0)]
struct Fire {
    #[live_data(was = 3)]
    shots: u32,
}

fn main() {}
