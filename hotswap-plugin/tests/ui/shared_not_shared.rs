//! A field that is not shared is named once, on its own type.
use hotswap_plugin::prelude::*;
use std::sync::Arc;

struct Mine;

#[shared]
struct Scene {
    name: String,
    mine: Option<Mine>,
    more: Vec<Mine>,
    counted: std::sync::Arc<u8>,
}

#[shared]
enum Event {
    Came(Arc<u8>),
    Went { whence: (u8, Mine) },
}

fn main() {}
