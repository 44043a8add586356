//! What is loaded in each generation, and which generations may be live.
use hotswap_host::Report;
use hotswap_tests::fixture::{self, Build, ordered, variant};
use hotswap_tests::load::Window;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::{PoisonError, RwLock};

/// The plugins: the probe, alpha, and beta, which imports alpha.
pub struct Builds {
    probe: Vec<u8>,
    alpha: Vec<u8>,
    beta: Vec<u8>,
    generations: RwLock<Vec<Names>>,
    window: Window,
}

/// What the plugins of a generation say they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// The probe's build, and the generation that its instance was made for.
    pub probe: (String, u64),
    /// The build of alpha's that beta imports.
    pub alpha: String,
}

impl Builds {
    pub fn new() -> Self {
        let [probe, alpha, beta] = ["probe", "alpha", "beta"].map(|name| Build::First.bytes(name));
        let first = Names {
            probe: (fixture::build_id(&probe).to_string(), 1),
            alpha: "alpha 00".into(),
        };
        Builds {
            probe,
            alpha,
            beta,
            generations: RwLock::new(vec![first]),
            window: Window::new(1),
        }
    }

    /// The plugins of the first generation.
    pub fn first(&self) -> [(&str, &[u8]); 3] {
        [
            ("probe", &self.probe),
            ("alpha", &self.alpha),
            ("beta", &self.beta),
        ]
    }

    /// Makes the next generation, of a build that was not there before: in turn the probe's, and one of alpha's, which
    /// beta follows.
    pub fn next(&self, generation: u64, swap: impl FnOnce(&str, &[u8]) -> Report) {
        let mut names = self.of(generation - 1);
        let (plugin, library) = if generation.is_multiple_of(2) {
            let library = ordered(&self.probe, &format!("build {generation}"));
            names.probe = (fixture::build_id(&library).to_string(), generation);
            ("probe", library)
        } else {
            names.alpha = format!("alpha{:03x}", generation / 2 % 0x1000);
            ("alpha", variant(&self.alpha, "alpha 00", &names.alpha))
        };
        self.generations
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(names);
        let report = self.window.next(|| swap(plugin, &library));
        assert_eq!(report.generation, generation, "{report}");
    }

    /// What was loaded in a generation.
    pub fn of(&self, generation: u64) -> Names {
        let generations = self
            .generations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        generations[generation as usize - 1].clone()
    }

    /// The answer of a call, where one of the generations that were live while it ran would give it.
    pub fn answer<A: Debug + PartialEq>(
        &self,
        call: impl FnOnce() -> A,
        of: impl Fn(Names) -> A,
    ) -> Result<(), String> {
        let (answer, live) = self.window.during(call);
        match live
            .clone()
            .any(|generation| of(self.of(generation)) == answer)
        {
            true => Ok(()),
            false => Err(format!("{answer:?} is of none of the generations {live:?}")),
        }
    }

    /// The generations of which at least one was live while the call ran.
    pub fn during<R>(&self, call: impl FnOnce() -> R) -> (R, RangeInclusive<u64>) {
        self.window.during(call)
    }
}
