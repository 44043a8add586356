//! Functions that cannot be called by name, all of them reported at once.
use hotswap_plugin::prelude::*;

#[derive(Default)]
struct World;

#[plugin]
impl World {
    #[invoke]
    fn create() {}
    #[invoke]
    fn change(&mut self) {}
    #[invoke]
    fn generic<T>(&self, item: T) {}
    #[invoke]
    async fn later<'a>(&'a self) -> &'a str {
        ""
    }
    #[invoke]
    fn borrowed(&self) -> &str {
        ""
    }
    #[invoke]
    fn slice(&self, text: &'static str) -> Vec<&[String]> {
        Vec::new()
    }
    #[invoke]
    fn pattern(&self, _: u32) {}
    #[invoke]
    fn same(&self) -> Option<Self> {
        None
    }
    #[invoke]
    fn nine(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) {}
}

fn main() {}
