//! What the host has slots for. Host and plugins are compiled with it, none with another plugin.
use hotswap_plugin::prelude::*;

/// What a cat can do.
#[interface]
pub trait Meow: Send + Sync {
    /// What it says now.
    fn meow(&self) -> String;
}

/// What a scale can do.
#[interface]
pub trait Weigh: Send + Sync {
    /// How heavy a sound is, in words.
    fn weigh(&self, sound: &str) -> String;
}

/// What the host hears and weighs, if there is a plugin for it.
#[extension]
pub struct Sounds {
    /// What meows.
    pub meow: Slot<dyn Meow>,
    /// What weighs that.
    pub weigh: Slot<dyn Weigh>,
}
