//! The builds of each generation, and the generations that may be live.
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

/// The names that the plugins of a generation tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Names {
    /// The probe's build, and the generation that its instance was made for.
    pub probe: (String, u64),
    /// The build of alpha that beta imports.
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

    /// Returns the plugins of the first generation.
    pub fn first(&self) -> [(&str, &[u8]); 3] {
        [
            ("probe", &self.probe),
            ("alpha", &self.alpha),
            ("beta", &self.beta),
        ]
    }

    /// Makes the next generation with a new build: in turn one of the probe, and one of alpha, which beta follows.
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

    /// Returns the names of a generation.
    pub fn of(&self, generation: u64) -> Names {
        let generations = self
            .generations
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        generations[generation as usize - 1].clone()
    }

    /// Makes a call, and checks that one of the generations that were live during it would give this answer.
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

    /// Makes a call, and returns the generations of which at least one was live during it.
    pub fn during<R>(&self, call: impl FnOnce() -> R) -> (R, RangeInclusive<u64>) {
        self.window.during(call)
    }
}
