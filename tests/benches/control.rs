//! Measures what people who look at a host cost its calls.
use crate::calls::compare_typed;
use crate::measure::{Comparison, Effort};
use crate::plugins::{self, ADDER};
use hotswap_control::{Client, Control};
use hotswap_tests::process::host_dir_of;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The number of clients that read the events, and of those that ask for the status.
const CLIENTS: usize = 200;
/// Each client asks for the status about once in this time.
const EACH: Duration = Duration::from_secs(1);

/// Measures a typed call in a host whose control endpoint has many clients, compared with the same call in a host without an
/// endpoint.
pub fn beside_clients(effort: Effort) -> Comparison {
    let control = Control::new();
    let observer = control.observer();
    let adder = plugins::adder(1);
    let stage = plugins::host_with(&[(ADDER, &adder)], |builder| builder.observe(observer));
    let plain = plugins::host_with(&[(ADDER, &adder)], |builder| builder);
    let serving = control
        .serve(&stage.swapper)
        .expect("the socket can be made");
    let socket = host_dir_of(stage.dir()).join("control.sock");
    let client = || Client::of_socket(&socket);
    let streams = (0..effort.pick(CLIENTS, 2)).map(|_| client().events(None));
    let streams: Result<Vec<_>, _> = streams.collect();
    let streams = streams.expect("the endpoint takes so many clients");
    let ended = AtomicBool::new(false);
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Relaxed) {
                client().status().expect("the endpoint answers");
                std::thread::sleep(EACH / CLIENTS as u32);
            }
        });
        let found = compare_typed(effort, &stage, &plain);
        ended.store(true, Relaxed);
        found
    });
    drop((streams, serving));
    found
}
