//! Random patches, rollbacks, and reloads under calls from four threads. Each answer belongs to a version that was live
//! during the call.
use crate::support::{Visit, guest, stage, visit};
use hotswap_host::Next;
use hotswap_host::prelude::*;
use hotswap_tests::load::{Window, under_load};
use std::sync::Mutex;

/// The days of each visit.
const DAYS: u32 = 3;

/// A random patch, by its number.
#[derive(Clone, Copy)]
pub enum Change {
    Rewrite(u64),
    Before,
    After(u64),
    Around(u64),
    /// A clause, and whether its guard matches.
    Clause(u64, bool),
}

impl Change {
    /// Returns a kind of change for a random number.
    pub fn of(random: u64, number: u64) -> Self {
        match random % 6 {
            0 => Change::Rewrite(number),
            1 => Change::Before,
            2 => Change::After(number),
            3 => Change::Around(number),
            4 => Change::Clause(number, true),
            _ => Change::Clause(number, false),
        }
    }
}

/// A plugin with patches, as it should be.
#[derive(Default)]
pub struct Model {
    pub build: u8,
    pub changes: Vec<Change>,
    pub undone: Vec<Change>,
}

impl Model {
    /// Makes a change.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
        self.undone.clear();
    }

    /// Rolls back up to this many changes. Returns how many there were.
    pub fn undo(&mut self, count: u64) -> usize {
        let count = count.min(self.changes.len() as u64);
        for _ in 0..count {
            self.undone.extend(self.changes.pop());
        }
        count as usize
    }

    /// Forgets all changes.
    pub fn reset(&mut self) {
        (self.changes, self.undone) = Default::default();
    }

    fn answer(&self) -> String {
        let own = format!("{DAYS} days {:02}", self.build);
        self.changes
            .iter()
            .fold(own, |below, change| match *change {
                Change::Rewrite(n) => format!("r{n}"),
                Change::Before | Change::Clause(_, false) => below,
                Change::After(n) => format!("{below}a{n}"),
                Change::Around(n) => format!("{n}({below})"),
                Change::Clause(n, true) => format!("c{n}"),
            })
    }
}

fn apply(swapper: &Swapper, change: Change) {
    let patch = swapper.patch("guest");
    let patch = match change {
        Change::Rewrite(n) => patch.rewrite::<Visit, _>("visit", move |_: u32| format!("r{n}")),
        Change::Before => patch.before::<Visit, _>("visit", |_: u32| None),
        Change::After(n) => {
            patch.after::<Visit, _>("visit", move |below: String, _: u32| format!("{below}a{n}"))
        }
        Change::Around(n) => patch
            .around::<Visit, _>("visit", move |visit: Next<'_, Visit>, days: u32| {
                format!("{n}({})", visit.call((days,)))
            }),
        Change::Clause(n, matches) => patch.add_clause::<Visit, _>(
            "visit",
            0,
            move |_: u32| matches,
            move |_: u32| format!("c{n}"),
        ),
    };
    patch.apply().unwrap();
}

/// A sequence of numbers that looks random and is the same in each run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn each_answer_belongs_to_a_version_that_was_live_during_the_call() {
    let steps = std::env::var("HOTSWAP_TEST_PATCHES").map_or(2_000, |n| n.parse().unwrap());
    let seed = std::env::var("HOTSWAP_TEST_SEED").map_or(7, |n| n.parse().unwrap());
    let stage = stage();
    let (handle, dynamic) = (
        visit(&stage),
        stage.swapper.dynamic("guest", "visit").unwrap(),
    );
    let (window, answers) = (Window::new(0), Mutex::new(vec!["3 days 00".to_owned()]));
    let call = |caller: u64, before: u64| {
        let (answer, live) = window.during(|| match (caller + before) % 4 {
            0 => {
                let pin = stage.swapper.pin();
                let bound = handle.on(&pin).unwrap();
                let answer = bound.call(DAYS).unwrap();
                // Within one pin, there is one version.
                assert_eq!(handle.on(&pin).unwrap().call(DAYS).unwrap(), answer);
                answer
            }
            1 => dynamic
                .call(&[DAYS.into()])
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned(),
            _ => handle.call(DAYS).unwrap(),
        });
        let answers = answers.lock().unwrap();
        let live = &answers[*live.start() as usize..=*live.end() as usize];
        assert!(live.contains(&answer), "{answer}, and live were {live:?}");
    };
    let work = || {
        let (mut numbers, mut model) = (Numbers(seed), Model::default());
        for step in 1..=steps {
            let patches = stage.swapper.patches("guest");
            let mut operation: Box<dyn FnOnce()> = match numbers.below(100) {
                0 => {
                    model.build = (model.build + 1) % 100;
                    let build = guest(model.build);
                    let stage = &stage;
                    Box::new(move || drop(stage.swap("guest", &build)))
                }
                1..40 if !model.changes.is_empty() => {
                    let count = model.undo(1 + numbers.below(3));
                    Box::new(move || _ = patches.rollback(count).unwrap())
                }
                40..50 if !model.undone.is_empty() => {
                    model.changes.extend(model.undone.pop());
                    Box::new(move || _ = patches.redo(1).unwrap())
                }
                50 => {
                    model.reset();
                    Box::new(move || patches.reset().unwrap())
                }
                number => {
                    let change = Change::of(number, step);
                    model.change(change);
                    let swapper = &stage.swapper;
                    Box::new(move || apply(swapper, change))
                }
            };
            if model.changes.len() > 20 {
                // An operation is replaced by a reset before it is run.
                let patches = stage.swapper.patches("guest");
                model.reset();
                operation = Box::new(move || patches.reset().unwrap());
            }
            answers.lock().unwrap().push(model.answer());
            window.next(operation);
        }
    };
    let calls = under_load(call, work);
    assert!(calls > 0);
    stage.swapper.patches("guest").reset().unwrap();
    drop((handle, dynamic));
    stage.close();
}
