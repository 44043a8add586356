//! The calls of plugins in numbers, for those who look at a host for a while.
use crate::support::Controlled;
use hotswap_control::api::PluginCalls;
use hotswap_host::prelude::*;

fn calls(host: &Controlled) -> PluginCalls {
    let calls = host.client().calls().unwrap();
    calls.plugins.into_iter().next().unwrap()
}

#[test]
fn calls_are_counted_and_timed_while_somebody_asks() {
    let host = Controlled::new();
    let add: Function<fn(u32) -> u32> = host.stage.swapper.function("checked", "add").unwrap();
    let check: Function<fn(u32) -> Result<u32, String>> =
        host.stage.swapper.function("checked", "check").unwrap();
    let before = calls(&host);
    assert_eq!((&*before.plugin, before.in_flight), ("checked", 0));
    for _ in 0..2000 {
        add.call(0).unwrap();
    }
    check.call(3).unwrap();
    host.stage
        .swapper
        .invoke("checked", "boom", &[])
        .unwrap_err();
    let after = calls(&host);
    // All hosts of a process count together.
    assert!(after.calls - before.calls >= 2002);
    assert!(after.panics > before.panics);
    let latency = after.latency.unwrap();
    assert!(latency.timed >= 1, "{latency:?}");
    assert!(0.0 < latency.median && latency.median <= latency.p99);
    let (code, answer) = host.curl(&["/v1/calls"]);
    assert_eq!(code, "200");
    assert_eq!(answer["plugins"][0]["plugin"], "checked");
    host.close();
}
