//! What is not shared is named once, on its own type; so is what else the plugin lacks.
use hotswap_plugin::prelude::*;
use std::sync::Arc;

#[derive(Default)]
struct World;

struct Mine;
struct Yours;

#[plugin]
impl World {
    #[invoke]
    fn one(&self, counted: &Arc<u8>, mine: Mine) -> Result<Yours> {
        drop((counted.clone(), mine));
        Ok(Yours)
    }
    #[invoke]
    fn two(&self) -> Mine {
        Mine
    }
}

struct Moon;

#[plugin]
impl Moon {}

#[derive(Default)]
struct Sun;

trait Private {}

#[plugin(exports(Private))]
impl Sun {}

struct Deps;
struct Comet;

#[plugin]
impl Comet {
    fn new(deps: Deps) -> Self {
        drop(deps);
        Comet
    }
}

fn main() {}
