//! Tests plugins that import each other, each replaced in turn, under load. The test has a process of its own.
use hotswap_host::Outcome;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build, variant};
use hotswap_tests::load::{CALLERS, Window, under_load};
use std::ops::RangeInclusive;
use std::sync::RwLock;
use trine_interfaces::{Alpha, Beta, Gamma};

const SWAPS: u64 = 300;

/// The plugins, and a text in each that is overwritten to make another build.
const PLUGINS: [(&str, &str); 3] = [
    ("alpha", "adds up vectors"),
    ("beta", "goes for walks"),
    ("gamma", "keeps the beat"),
];

/// A build of one of the plugins, and the answers by which it is known.
#[derive(Clone)]
struct Made {
    library: Vec<u8>,
    /// The result of `introduce`.
    introduces: String,
    /// The name of the build in the plugin's answers.
    build: String,
}

/// Makes builds of the three plugins. No two are the same.
struct Maker {
    libraries: [Vec<u8>; 3],
}

impl Maker {
    fn new() -> Self {
        let library = |(name, _)| Build::Trine.bytes(&format!("trine-{name}"));
        Maker {
            libraries: PLUGINS.map(library),
        }
    }

    fn make(&self, plugin: usize, number: u64) -> Made {
        let (name, text) = PLUGINS[plugin];
        let introduces = format!("{}{number:04}", &text[..text.len() - 4]);
        let library = variant(&self.libraries[plugin], text, &introduces);
        let build = format!("{name} {:.8}", fixture::build_id(&library));
        Made {
            library,
            introduces,
            build,
        }
    }
}

/// The answers of the three plugins, for each generation from the first one on.
#[derive(Default)]
struct Generations(RwLock<Vec<[[String; 2]; 3]>>);

impl Generations {
    fn push(&self, of: &[Made; 3]) {
        let answers = of.each_ref();
        let answers = answers.map(|made| [made.introduces.clone(), made.build.clone()]);
        self.0
            .write()
            .expect("the lock is not poisoned")
            .push(answers);
    }

    /// Checks that one of these generations gives all of these answers.
    fn one_has(&self, live: RangeInclusive<u64>, answers: &[(usize, String)]) {
        let generations = self.0.read().expect("the lock is not poisoned");
        let has = |number: u64| {
            let of = &generations[number as usize - 1];
            answers
                .iter()
                .all(|(plugin, answer)| of[*plugin].contains(answer))
        };
        assert!(live.clone().any(has), "in none of {live:?}: {answers:?}");
    }
}

/// Returns the builds that a pulse went through: gamma's, beta's, and alpha's twice.
fn of_pulse(pulse: &str) -> Vec<(usize, String)> {
    let (_, by) = pulse
        .split_once("\nby ")
        .expect("the pulse names its builds");
    let builds: Vec<_> = by.split(", ").map(str::to_owned).collect();
    assert_eq!(builds.len(), 4, "{pulse}");
    [2, 1, 0, 0].into_iter().zip(builds).collect()
}

/// The host's handles.
struct Handles {
    alpha: Interface<dyn Alpha>,
    beta: Interface<dyn Beta>,
    gamma: Interface<dyn Gamma>,
    introduce_beta: Function<fn() -> String>,
    introduce_gamma: Dynamic,
}

impl Handles {
    fn of(swapper: &Swapper) -> Result<Self, hotswap_host::HandleError> {
        Ok(Handles {
            alpha: swapper.interface("alpha")?,
            beta: swapper.interface("beta")?,
            gamma: swapper.interface("gamma")?,
            introduce_beta: swapper.function("beta", "introduce")?,
            introduce_gamma: swapper.dynamic("gamma", "introduce")?,
        })
    }
}

/// Makes a call. The number chooses the way. No call may fail.
fn call(stage: &Stage, handles: &Handles, generations: &Generations, window: &Window, way: u64) {
    const NO: &str = "no call fails";
    let beat = (way % 9) as u32;
    match way % 5 {
        0 => {
            let pulse = || handles.gamma.call(|gamma| gamma.pulse(beat)).expect(NO);
            let (pulse, live) = window.during(pulse);
            generations.one_has(live, &of_pulse(&pulse));
        }
        // Several handles are used on one generation.
        1 => {
            let pin = stage.swapper.pin();
            let gamma = handles.gamma.on(&pin).expect("the handle is older");
            let beta = handles.beta.on(&pin).expect("the handle is older");
            let alpha = handles.alpha.on(&pin).expect("the handle is older");
            let mut answers = of_pulse(&gamma.call(|gamma| gamma.pulse(beat)).expect(NO));
            let builds = beta.call(|beta| beta.builds()).expect(NO);
            answers.extend([1, 0].into_iter().zip(builds));
            answers.push((0, alpha.call(|alpha| alpha.build()).expect(NO)));
            generations.one_has(pin.number()..=pin.number(), &answers);
        }
        // All of them are called by name, in a generation that is held.
        2 => {
            let hold = stage.swapper.pin().hold();
            let said = hold.invoke_each_backward("introduce", &[]).into_iter();
            let said = said.map(|(_, said)| said.expect(NO).to_string());
            let answers: Vec<_> = [2, 1, 0].into_iter().zip(said).collect();
            assert_eq!(answers.len(), 3);
            generations.one_has(hold.number()..=hold.number(), &answers);
        }
        3 => {
            let (said, live) = window.during(|| handles.introduce_beta.call().expect(NO));
            generations.one_has(live, &[(1, said)]);
        }
        _ => {
            let said = || handles.introduce_gamma.call(&[]).expect(NO);
            let (said, live) = window.during(said);
            generations.one_has(live, &[(2, said.to_string())]);
        }
    }
}

#[test]
fn each_of_three_is_replaced_in_turn_under_load() {
    let maker = Maker::new();
    let mut live = [0, 1, 2].map(|plugin| maker.make(plugin, 1));
    let generations = Generations::default();
    generations.push(&live);
    let [alpha, beta, gamma] = &live;
    let stage = Stage::open(&[
        ("alpha", &alpha.library),
        ("beta", &beta.library),
        ("gamma", &gamma.library),
    ]);
    let handles = Handles::of(&stage.swapper).expect("the plugins have these functions");
    let window = Window::new(1);
    let calls = under_load(
        |caller, before| call(&stage, &handles, &generations, &window, caller + before),
        || {
            for number in 2..=SWAPS + 1 {
                let plugin = number as usize % 3;
                live[plugin] = maker.make(plugin, number);
                generations.push(&live);
                let name = PLUGINS[plugin].0;
                let report = window.next(|| stage.swap(name, &live[plugin].library));
                assert_eq!(report.generation, number);
                let followed =
                    |at: usize| matches!(report.plugins[at].outcome, Outcome::Followed { .. });
                assert!(matches!(
                    report.plugins[plugin].outcome,
                    Outcome::Reloaded { .. }
                ));
                assert!((plugin + 1..3).all(followed), "{report}");
                assert!(
                    (0..plugin).all(|at| report.plugins[at].outcome == Outcome::Unchanged),
                    "{report}"
                );
            }
        },
    );
    assert!(calls > SWAPS * CALLERS);
    // Every replaced version is gone.
    stage.settle();
    stage.close();
}
