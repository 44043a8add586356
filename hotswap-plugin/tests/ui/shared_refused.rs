//! What a shared type cannot be, several mistakes in one item.
use hotswap_plugin::prelude::*;
use std::collections::HashMap;

#[shared]
struct Generic<T, const N: usize>
where
    T: Copy,
{
    items: [T; N],
}

#[shared]
struct Borrowed<'a> {
    text: &'a str,
    bytes: Vec<&'static [u8]>,
    pointer: *const u8,
    function: fn(u32) -> u32,
    object: Box<dyn Iterator<Item = u8> + Send>,
}

#[shared]
enum Tree {
    Leaf,
    Branch(Box<Tree>, Vec<Tree>),
    Named { children: HashMap<String, Self> },
}

#[shared]
struct Sometimes {
    always: u8,
    #[cfg(unix)]
    sometimes: u8,
}

#[shared]
enum Never {}

#[shared]
union Either {
    a: u8,
    b: i8,
}

#[shared]
trait Alpha {}

#[shared]
fn function() {}

#[shared(create = hotswap_plugin)]
struct Misspelt;

fn main() {}
