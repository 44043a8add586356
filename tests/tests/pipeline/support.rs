//! What these tests share.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, ReloadOptions, Value};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build};
use std::time::Duration;

/// Returns the plugin with these orders.
pub fn checked(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::Checked.bytes("checked"), orders)
}

/// Returns the plugin with a state, and with these orders.
pub fn stateful(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::CheckedStateful.bytes("checked"), orders)
}

/// Opens a host with this build.
pub fn host(build: &[u8], settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::with(&[("checked", build)], settings)
}

/// Options with a long rollback window, which nothing but the tests close.
pub fn window() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options.supersede = false;
    options
}

/// Returns the orders of the live build.
pub fn orders(stage: &Stage) -> String {
    match stage.swapper.invoke("checked", "orders", &[]) {
        Ok(Value::Str(orders)) => orders,
        other => panic!("{other:?}"),
    }
}

/// Adds to the counter of the live build, and returns its value.
pub fn add(stage: &Stage, n: u32) -> u32 {
    let add: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    add.call(n).unwrap()
}

/// Makes the live build panic in a call.
pub fn panic_once(stage: &Stage) {
    let error = stage.swapper.invoke("checked", "boom", &[]).unwrap_err();
    assert!(error.to_string().contains("panicked: boom"), "{error}");
}
