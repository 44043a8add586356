//! What a method of an interface cannot be, all of it reported at once.
use hotswap_plugin::prelude::*;
use std::sync::Arc;

#[interface]
pub trait Listener: Send + Sync {
    fn hear(&self, text: &str);
}

#[interface]
pub trait Alpha: Send + Sync {
    const LIMIT: u32;
    type Item;
    fn create() -> u32;
    fn change(&mut self);
    fn consume(self);
    fn boxed(self: Box<Self>);
    fn generic<T>(&self, item: T);
    fn lifetime<'a>(&'a self, text: &'a str) -> &'a str;
    fn condition(&self)
    where
        Self: Sized;
    async fn later(&self, text: &mut String) -> &str;
    unsafe fn promise(&self);
    extern "C" fn foreign(&self);
    fn anything(&self, item: impl Clone) -> impl Clone;
    fn borrowed(&self) -> &str;
    fn changed(&self, text: &mut String);
    fn pattern(&self, (x, y): (u8, u8));
    fn same(&self, other: &Self) -> Self;
    fn function(&self, callback: fn(u32) -> u32);
    fn address(&self, at: *const u8);
    fn owned(&self, listener: Box<dyn Listener>) -> Vec<Arc<dyn Listener>>;
    fn lent(&self, listener: &dyn Listener);
    fn itself(&self) -> Vec<Held<dyn Alpha>>;
    fn clone(&self) -> u32;
    fn deref(&self) -> u32;
    fn to_owned(&self) -> u32;
    #[cfg(unix)]
    fn sometimes(&self);
}

fn main() {}
