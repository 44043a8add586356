//! Where `#[plugin]` cannot stand, and what it does not know.
use hotswap_plugin::prelude::*;

struct World<T>(T);

trait Alpha {}

#[plugin]
impl<T> Alpha for World<T> where T: Copy {}

#[plugin]
struct Moon;

#[derive(Default)]
struct Sun;

#[plugin(name = "the sun", version = "one\"", export(Alpha))]
impl Sun {
    #[invoke(name = "shine")]
    fn shine(&self) {}
}

fn main() {}
