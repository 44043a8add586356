//! Options that do not exist. Nobody is told to write the attribute or the derive that is there.
use hotswap_plugin::prelude::*;

#[interface(nonsense)]
pub trait Alpha: Send + Sync {}

#[derive(Import)]
pub struct Deps {
    #[import(optoinal)]
    alpha: Imported<dyn Alpha>,
    beta: u32,
}

#[shared(nonsense)]
pub struct Number {
    number: u32,
}

pub struct World;

#[plugin]
impl World {
    fn new(_: Deps) -> Self {
        World
    }

    #[invoke]
    fn number(&self, alpha: Held<dyn Alpha>) -> Number {
        let _ = alpha;
        Number { number: 1 }
    }
}

fn main() {}
