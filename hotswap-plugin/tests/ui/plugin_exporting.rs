//! Hooks with `&mut self` of a plugin that others may be calling.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Hum: Send + Sync {
    fn hum(&self) -> u32;
}

#[derive(Default)]
struct World {
    hums: u32,
}

#[plugin(exports(Hum))]
impl World {
    fn on_load(&mut self) {
        self.hums = 1;
    }
    fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
        Ok(())
    }
    fn save(&self) -> u32 {
        self.hums
    }
    fn restore(&mut self, hums: u32) {
        self.hums = hums;
    }
    // Nobody else has it any more.
    fn on_free(&mut self) {
        self.hums = 0;
    }
}

impl Hum for World {
    fn hum(&self) -> u32 {
        self.hums
    }
}

#[derive(Default)]
struct Half;

#[plugin(exports(Hum))]
impl Half {
    fn save(&self) -> u32 {
        0
    }
}

impl Hum for Half {
    fn hum(&self) -> u32 {
        0
    }
}

fn main() {}
