//! The interfaces of the three plugins. All of them and the host depend on this crate, and no plugin depends on another
//! one.
use hotswap_plugin::prelude::*;

/// One leg of a walk, or its end.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// The distance to the east.
    pub x: f64,
    /// The distance to the north.
    pub y: f64,
    /// The name of the leg or the end.
    pub label: String,
}

/// The error for a walk that is too long for beta.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub struct TooFar {
    /// The largest number of legs.
    pub limit: u32,
}

/// The interface of alpha: arithmetic.
#[interface]
pub trait Alpha: Send + Sync {
    /// Returns the end of a walk with these legs.
    fn sum(&self, vectors: &[Vector]) -> Vector;

    /// Returns the length of a vector, in words.
    fn distance(&self, vector: &Vector) -> String;

    /// Returns the plugin's name and build.
    fn build(&self) -> String;
}

/// The interface of beta: walks, with the help of alpha.
#[interface]
pub trait Beta: Send + Sync {
    /// Returns a walk with this many legs.
    fn walk(&self, legs: u32) -> Result<Vec<Vector>, TooFar>;

    /// Describes a walk.
    fn tell(&self, title: &str, walk: &[Vector]) -> String;

    /// Returns the names and builds of beta, and of the alpha that it calls.
    fn builds(&self) -> Vec<String>;
}

/// The interface of gamma: the pulse, with the help of both. The host calls it.
#[interface]
pub trait Gamma: Send + Sync {
    /// Returns the lines that the host prints at this beat. The last line names all builds that took part.
    fn pulse(&self, beat: u32) -> String;
}
