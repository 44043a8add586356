//! A future of an object, or of an import, is dropped before the handle that it was made with.
use hotswap_plugin::prelude::*;

#[interface]
pub trait Star: Send + Sync {
    async fn shine(&self);
}

async fn object(star: Held<dyn Star>) {
    let shining;
    let held = star.clone();
    shining = held.shine();
    shining.await
}

fn import(star: Imported<dyn Star>) {
    let _shining;
    let own = star.clone();
    _shining = own.shine();
}

fn main() {}
