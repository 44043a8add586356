//! Measures how long it takes to save a value and to restore it, compared with the same encoding by `rmp_serde`.
use crate::measure::{Comparison, Effort, calls};
use hotswap_plugin::prelude::*;
use std::hint::black_box;

/// A job as it lies in a queue.
#[live_data(version = 3)]
struct Job {
    name: String,
    attempts: u32,
    deadline: f64,
    done: bool,
    #[live_data(was = "worker")]
    assignee: Option<String>,
    steps: Vec<Step>,
}

#[live_data(version = 2)]
struct Step {
    name: String,
    seconds: u64,
    state: State,
}

#[live_data]
enum State {
    Waiting,
    Failed { code: i32, text: String },
}

impl Job {
    fn new() -> Self {
        let step = |seconds: u64| Step {
            name: format!("step {seconds}"),
            seconds,
            state: match seconds % 2 {
                0 => State::Waiting,
                _ => State::Failed {
                    code: -1,
                    text: "no connection".into(),
                },
            },
        };
        Job {
            name: "refill the kitchen".into(),
            attempts: 3,
            deadline: 1.5,
            done: false,
            assignee: Some("Ann".into()),
            steps: (0..4).map(step).collect(),
        }
    }
}

/// Measures saving and restoring.
pub fn round_trip(effort: Effort) -> Comparison {
    let job = Job::new();
    calls(
        effort,
        |times| {
            for _ in 0..times {
                let data = LiveData::save(black_box(&job)).expect("the job can be saved");
                let job: Job = black_box(&data).restore().expect("the job can be restored");
                black_box(job);
            }
        },
        |times| {
            for _ in 0..times {
                let data =
                    rmp_serde::to_vec_named(black_box(&job)).expect("the job can be serialized");
                let job: Job =
                    rmp_serde::from_slice(black_box(&data)).expect("the job can be deserialized");
                black_box(job);
            }
        },
    )
}
