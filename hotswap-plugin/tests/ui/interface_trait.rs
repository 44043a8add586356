//! What an interface cannot be.
use hotswap_plugin::prelude::*;

#[interface]
pub unsafe trait Alpha<T>: std::fmt::Debug
where
    T: Copy,
{
    fn one(&self);
}

#[interface]
pub trait Beta: Send {
    fn one(&self);
}

#[interface]
pub struct Gamma;

#[interface(name = "delta")]
pub trait Delta: Send + Sync {}

fn main() {}
