use hotswap_host::prelude::*;
use hotswap_plugin::boundary::RawObject;
use hotswap_plugin::interface;
use std::sync::Arc;

#[interface]
pub trait JobQueue: Send + Sync {
    fn len(&self) -> u64;
}

struct Queue;

impl hotswap_host::Provider<dyn JobQueue> for Queue {
    fn raw(&self) -> RawObject {
        RawObject::lent(std::ptr::null(), std::ptr::null())
    }
}

fn main() {
    Swapper::builder().provide::<dyn JobQueue>(Arc::new(Queue));
}
