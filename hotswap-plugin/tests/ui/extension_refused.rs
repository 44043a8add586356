//! What an extension cannot be, all of it reported at once.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Meow: Send + Sync {}

trait Private {}

#[extension(name = "sounds")]
pub struct Sounds<T> {
    meow: Slot<dyn Meow>,
    count: u32,
    boxed: Box<dyn Meow>,
    generic: Slot<T>,
    #[cfg(unix)]
    sometimes: Slot<dyn Meow>,
}

#[extension]
pub struct Pair(Slot<dyn Meow>, Slot<dyn Meow>);

#[extension]
pub enum Either {
    Meow(Slot<dyn Meow>),
}

fn main() {}
