//! Objects that others own are of an interface, and can be used by any thread.
use hotswap_plugin::prelude::*;
use std::cell::Cell;

#[interface]
pub trait Listener: Send + Sync {
    fn hear(&self, text: &str);
}

#[interface]
pub trait Radio: Send + Sync {
    fn listen(&self, listener: Held<dyn std::fmt::Debug>);
}

struct Deaf;

struct Ear(Cell<u8>);
impl Listener for Ear {
    fn hear(&self, _: &str) {}
}

fn main() {
    let _ = Held::<dyn Listener>::new(Deaf);
    let _ = Held::<dyn Listener>::new(Ear(Cell::new(0)));
}
