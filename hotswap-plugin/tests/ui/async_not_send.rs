//! Futures that one thread alone could poll.
use hotswap_plugin::prelude::*;
use std::rc::Rc;

#[interface]
pub trait Alpha: Send + Sync {
    async fn say(&self, text: &str) -> String;
}

#[derive(Default)]
struct World;

async fn later() {}

#[plugin(exports(Alpha))]
impl World {
    #[invoke]
    async fn hum(&self) -> u32 {
        let count = Rc::new(1);
        later().await;
        *count
    }
}

impl Alpha for World {
    async fn say(&self, text: &str) -> String {
        let text = Rc::new(text.to_owned());
        later().await;
        (*text).clone()
    }
}

fn main() {}
