//! Parameters and results that are not shared are named once, on their own types.
use hotswap_plugin::prelude::*;
use std::sync::Arc;

pub struct Mine;

#[interface]
pub trait Alpha: Send + Sync {
    fn one(&self, text: &str, mine: &Mine) -> Option<Mine>;
    fn two(&self, counted: Arc<u8>);
}

fn main() {}
