//! The slots of the host. The host and the plugins depend on this crate, and no plugin depends on another one.
use hotswap_plugin::prelude::*;

/// A cat.
#[interface]
pub trait Meow: Send + Sync {
    /// Returns the next sound.
    fn meow(&self) -> String;
}

/// A scale.
#[interface]
pub trait Weigh: Send + Sync {
    /// Returns the weight of a sound, in words.
    fn weigh(&self, sound: &str) -> String;
}

/// The slots for sounds. Each may be empty.
#[extension]
pub struct Sounds {
    /// The cat that meows.
    pub meow: Slot<dyn Meow>,
    /// The scale that weighs the sounds.
    pub weigh: Slot<dyn Weigh>,
}
