//! Calls of an import that do not fit, and imports of what is no interface.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Alpha: Send + Sync {
    fn one(&self, text: &str, at: u32) -> String;
}

struct Fake;

fn calls(alpha: &Imported<dyn Alpha>) {
    alpha.onee("a", 1);
    alpha.one("a");
    alpha.one("a", "b");
    let _ = Imported::<dyn Alpha>::from_impl(Fake);
}

#[derive(Import)]
struct Deps {
    alpha: Imported<dyn std::fmt::Debug>,
}

fn main() {}
