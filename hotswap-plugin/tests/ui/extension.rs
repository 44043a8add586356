//! Slots for what is no interface, objects that do not fit, and a struct that is no extension.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Meow: Send + Sync {}

trait Private {}

#[extension]
pub struct Sounds {
    meow: Slot<dyn Meow>,
    private: Slot<dyn Private>,
}

#[extension]
pub struct Noises {
    meow: Slot<dyn Meow>,
}

#[derive(Default)]
struct Plain {
    meow: Slot<dyn Meow>,
}

struct Dog;

fn on_init(vault: &Vault<'_>) -> Result<()> {
    vault.extend::<Noises>(|noises| noises.meow.fill(Held::new(Dog)))?;
    vault.extend::<Plain>(|_| {})?;
    Ok(())
}

fn main() {}
