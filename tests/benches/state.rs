//! Measures how long it takes to hand state over, and how that affects callers.
use crate::measure::{Comparison, Effort, each};
use crate::plugins;
use hotswap_host::StateReport;
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, Stage};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const NAME: &str = "bench-state";
/// The size of the state.
const BYTES: u32 = 1_000_000;
/// The size of a large state.
const LARGE: u32 = 100 * BYTES;

/// A plugin with state, of which two builds take turns.
struct Stateful {
    stage: Stage,
    builds: [Vec<u8>; 2],
    next: usize,
    /// The size of the state.
    bytes: u32,
}

impl Stateful {
    fn new(bytes: u32) -> Self {
        let builds = [1, 2].map(plugins::stateful);
        let stage = Stage::with(&[(NAME, &builds[0])], |builder| {
            builder.load_data(bytes).gate_limit(LIMIT)
        });
        Stateful {
            stage,
            builds,
            next: 1,
            bytes,
        }
    }

    /// Returns how long calls could not begin while the state went to the other build. The replaced build has left
    /// memory when this returns.
    fn hand_over(&mut self) -> Duration {
        self.stage.install(NAME, &self.builds[self.next]);
        self.next = 1 - self.next;
        let report = self
            .stage
            .swapper
            .reload()
            .expect("the build can be loaded");
        let handed = report.plugin(NAME).and_then(|plugin| plugin.state);
        let Some(StateReport::HandedOver { bytes }) = handed else {
            panic!("{report}")
        };
        assert!(bytes >= self.bytes.into(), "{report}");
        let late = self.stage.swapper.wait_retired(LIMIT);
        assert!(late.is_empty(), "{late:?}");
        report.gate.expect("state was handed over")
    }
}

/// Measures how long the gate is closed for one megabyte, compared with saving and restoring a megabyte without a gate.
pub fn gate(effort: Effort) -> Comparison {
    gate_for(BYTES, effort)
}

/// Measures the same for a hundred megabytes.
pub fn large(effort: Effort) -> Comparison {
    gate_for(LARGE, effort)
}

fn gate_for(size: u32, effort: Effort) -> Comparison {
    let mut stateful = Stateful::new(size);
    let bytes = vec![7_u8; size as usize];
    let by_hand = || {
        let began = Instant::now();
        let saved = hotswap_plugin::LiveData::save(&bytes.clone()).expect("the bytes can be saved");
        let copy =
            hotswap_plugin::LiveData::from_bytes(saved.as_bytes()).expect("the data is complete");
        let restored: Vec<u8> = copy.restore().expect("the bytes can be restored");
        assert_eq!(restored.len(), bytes.len());
        began.elapsed().as_secs_f64()
    };
    each(effort, || stateful.hand_over().as_secs_f64(), by_hand)
}

/// Measures the longest time that a caller waits while state is handed over, compared with the gate.
pub fn wait(effort: Effort) -> Comparison {
    let mut stateful = Stateful::new(BYTES);
    let call: Function<fn() -> u64> = stateful
        .stage
        .swapper
        .function(NAME, "call")
        .expect("the plugin has this function");
    let mut gates = Vec::new();
    let waits = || {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let caller = scope.spawn(|| {
                let (mut longest, mut before) = (Duration::ZERO, Instant::now());
                while !done.load(Relaxed) {
                    call.call().expect("no call fails");
                    let after = Instant::now();
                    longest = longest.max(after - before);
                    before = after;
                }
                longest
            });
            gates.push(stateful.hand_over().as_secs_f64());
            done.store(true, Relaxed);
            let longest = caller.join().expect("the caller does not panic");
            longest.as_secs_f64()
        })
    };
    let waits: Vec<_> = std::iter::repeat_with(waits)
        .take(effort.pick(200, 6))
        .collect();
    let pairs = waits.into_iter().zip(gates);
    Comparison::of_pairs(pairs.collect())
}
