//! Random patches, rollbacks, and reloads of a plugin that another one imports, under calls from four threads: by the host,
//! and through the import. Each answer belongs to a version that was live during the call, and nothing is left mapped.
//! `HOTSWAP_TEST_PATCHES` sets the number of changes, and `HOTSWAP_TEST_SEED` chooses others.
use crate::load::{Change, Model, Numbers};
use hotswap_host::Next;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::load::{Window, under_load};
use hotswap_tests::setting;
use shapes::Alpha;
use std::sync::Mutex;

type BuildOf = fn() -> String;

fn alpha(number: u8) -> Vec<u8> {
    let text = format!("alpha {number:02}");
    variant(&Build::First.bytes("alpha"), "alpha 00", &text)
}

fn apply(swapper: &Swapper, change: Change) {
    let (patch, function) = (swapper.patch("alpha"), "Alpha::build");
    let patch = match change {
        Change::Rewrite(n) => patch.rewrite::<BuildOf, _>(function, move || format!("alpha r{n}")),
        Change::Before => patch.before::<BuildOf, _>(function, || None),
        Change::After(n) => {
            patch.after::<BuildOf, _>(function, move |below: String| format!("{below}a{n}"))
        }
        Change::Around(n) => {
            let body = move |below: Next<'_, BuildOf>| format!("alpha {n}({})", below.call(()));
            patch.around::<BuildOf, _>(function, body)
        }
        Change::Clause(n, matches) => {
            let (guard, body) = (move || matches, move || format!("alpha c{n}"));
            patch.add_clause::<BuildOf, _>(function, 0, guard, body)
        }
    };
    patch.apply().unwrap();
}

/// The answer of alpha with this build and these changes.
fn answer(model: &Model) -> String {
    let own = format!("alpha {:02}", model.build);
    let changes = model.changes.iter();
    changes.fold(own, |below, change| match *change {
        Change::Rewrite(n) => format!("alpha r{n}"),
        Change::Before | Change::Clause(_, false) => below,
        Change::After(n) => format!("{below}a{n}"),
        Change::Around(n) => format!("alpha {n}({below})"),
        Change::Clause(n, true) => format!("alpha c{n}"),
    })
}

#[test]
fn each_answer_through_an_import_belongs_to_a_version_that_was_live() {
    let (steps, seed) = (
        setting("HOTSWAP_TEST_PATCHES", 10_000),
        setting("HOTSWAP_TEST_SEED", 7),
    );
    println!("HOTSWAP_TEST_SEED={seed}");
    let beta = Build::First.bytes("beta");
    let stage = Stage::open(&[("alpha", &alpha(0)), ("beta", &beta)]);
    let of_host: Interface<dyn Alpha> = stage.swapper.interface("alpha").unwrap();
    let ask: Function<fn() -> (String, u32)> = stage.swapper.function("beta", "ask").unwrap();
    let (window, answers) = (Window::new(0), Mutex::new(vec!["alpha 00".to_owned()]));
    let call = |caller: u64, before: u64| {
        let (answer, live) = window.during(|| match (caller + before) % 8 {
            0 => {
                let pin = stage.swapper.pin();
                let ask = ask.on(&pin).unwrap();
                let (answer, _) = ask.call().unwrap();
                // Within one pin, there is one version, for the host and for beta.
                assert_eq!(ask.call().unwrap().0, answer);
                let of_host = of_host.on(&pin).unwrap();
                assert_eq!(of_host.call(|alpha| alpha.build()).unwrap(), answer);
                answer
            }
            1 => of_host.call(|alpha| alpha.build()).unwrap(),
            2 => {
                let answer = stage.swapper.invoke("beta", "ask", &[]).unwrap();
                let Value::List(parts) = answer else {
                    panic!("{answer} is no pair");
                };
                parts[0].as_str().unwrap().to_owned()
            }
            _ => ask.call().unwrap().0,
        });
        let answers = answers.lock().unwrap();
        let live = &answers[*live.start() as usize..=*live.end() as usize];
        assert!(
            live.contains(&answer),
            "{answer}, and live were {live:?}; HOTSWAP_TEST_SEED={seed}"
        );
    };
    let work = || {
        let (mut numbers, mut model) = (Numbers(seed), Model::default());
        for step in 1..=steps {
            let patches = stage.swapper.patches("alpha");
            let (stage, patches) = (&stage, &patches);
            let operation: Box<dyn FnOnce()> = match numbers.below(400) {
                0 => {
                    model.build = (model.build + 1) % 100;
                    let build = alpha(model.build);
                    Box::new(move || drop(stage.swap("alpha", &build)))
                }
                // Beta alone is replaced. Alpha stays as it is patched.
                1 => Box::new(move || drop(stage.swapper.restart("beta").unwrap())),
                2..160 if !model.changes.is_empty() => {
                    let count = model.undo(1 + numbers.below(3));
                    Box::new(move || _ = patches.rollback(count).unwrap())
                }
                160..200 if !model.undone.is_empty() => {
                    model.changes.extend(model.undone.pop());
                    Box::new(move || _ = patches.redo(1).unwrap())
                }
                200 => {
                    model.reset();
                    Box::new(move || patches.reset().unwrap())
                }
                _ if model.changes.len() == 20 => {
                    model.reset();
                    Box::new(move || patches.reset().unwrap())
                }
                number => {
                    let change = Change::of(number, step);
                    model.change(change);
                    Box::new(move || apply(&stage.swapper, change))
                }
            };
            answers.lock().unwrap().push(answer(&model));
            window.next(operation);
        }
    };
    let calls = under_load(call, work);
    println!("{steps} changes under {calls} calls");
    assert!(calls > 0);
    stage.swapper.patches("alpha").reset().unwrap();
    assert!(ask.call().unwrap().0.starts_with("alpha "));
    drop((of_host, ask));
    stage.close();
}
