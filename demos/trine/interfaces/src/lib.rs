//! What the three plugins offer each other and the host. All of them are compiled with it, none with another plugin.
use hotswap_plugin::prelude::*;

/// One leg of a walk, or where it ends.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// To the east.
    pub x: f64,
    /// To the north.
    pub y: f64,
    /// What it is called.
    pub label: String,
}

/// A walk that beta does not go for.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub struct TooFar {
    /// How many legs are enough.
    pub limit: u32,
}

/// What alpha can do: arithmetic.
#[interface]
pub trait Alpha: Send + Sync {
    /// Where one is after all of these.
    fn sum(&self, vectors: &[Vector]) -> Vector;

    /// How far that is, in words.
    fn distance(&self, vector: &Vector) -> String;

    /// Who answers: the plugin's name and build.
    fn build(&self) -> String;
}

/// What beta can do: walks, with the help of alpha.
#[interface]
pub trait Beta: Send + Sync {
    /// A walk of so many legs.
    fn walk(&self, legs: u32) -> Result<Vec<Vector>, TooFar>;

    /// Tells of a walk.
    fn tell(&self, title: &str, walk: &[Vector]) -> String;

    /// Who answers: beta, and the alpha that it asks.
    fn builds(&self) -> Vec<String>;
}

/// What gamma can do: the pulse, with the help of both. The host calls it.
#[interface]
pub trait Gamma: Send + Sync {
    /// What the host prints at this beat; the last line names all builds that had a part in it.
    fn pulse(&self, beat: u32) -> String;
}
