//! The third of the three plugins. It imports both others, and the host calls it.
use hotswap_plugin::prelude::*;
use trine_interfaces::{Alpha, Beta};

/// Change this while the host runs.
const TITLE: &str = "walk";

/// The imports of gamma.
#[derive(Import)]
pub struct Deps {
    alpha: Imported<dyn Alpha>,
    beta: Imported<dyn Beta>,
}

/// One loaded build of the plugin.
pub struct Gamma {
    cx: Context,
    deps: Deps,
}

#[plugin(name = "gamma", exports(trine_interfaces::Gamma))]
impl Gamma {
    /// Makes the instance. Its imports are already complete.
    pub fn new(cx: &Context, deps: Deps) -> Self {
        Gamma {
            cx: cx.clone(),
            deps,
        }
    }

    /// Says what the plugin does. The host calls this function of each plugin, by name.
    #[invoke]
    pub fn introduce(&self) -> String {
        "keeps the beat".into()
    }
}

impl trine_interfaces::Gamma for Gamma {
    fn pulse(&self, beat: u32) -> String {
        let Deps { alpha, beta } = &self.deps;
        let told = match beta.walk(beat) {
            Ok(walk) => {
                let end = alpha.sum(&walk);
                let told = beta.tell(&format!("{TITLE} {beat}"), &walk);
                format!("{told}\n{} is ({}, {})", end.label, end.x, end.y)
            }
            Err(too_far) => format!("{TITLE} {beat}: {} legs are enough for beta", too_far.limit),
        };
        let own = format!("gamma {:.8}", self.cx.build_id());
        let others = beta.builds().into_iter().chain([alpha.build()]);
        let builds: Vec<_> = [own].into_iter().chain(others).collect();
        format!("=== pulse ===\n{told}\nby {}", builds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_interfaces::{Gamma as _, TooFar, Vector};

    struct Fake;

    impl Alpha for Fake {
        fn sum(&self, vectors: &[Vector]) -> Vector {
            vectors[0].clone()
        }

        fn distance(&self, _: &Vector) -> String {
            unreachable!("gamma asks beta for the distance")
        }

        fn build(&self) -> String {
            "A".into()
        }
    }

    impl Beta for Fake {
        fn walk(&self, legs: u32) -> Result<Vec<Vector>, TooFar> {
            let label = "the corner".into();
            let leg = Vector {
                x: 0.5,
                y: -1.0,
                label,
            };
            if legs == 1 {
                Ok(vec![leg])
            } else {
                Err(TooFar { limit: 1 })
            }
        }

        fn tell(&self, title: &str, walk: &[Vector]) -> String {
            format!("{title} to {}", walk[0].label)
        }

        fn builds(&self) -> Vec<String> {
            vec!["B".into(), "A".into()]
        }
    }

    #[test]
    fn the_pulse_says_what_the_others_say() {
        let deps = Deps {
            alpha: Imported::from_impl(Fake),
            beta: Imported::from_impl(Fake),
        };
        let gamma = Gamma::new(&Context::for_test(), deps);
        let told = format!("{TITLE} 1 to the corner\nthe corner is (0.5, -1)");
        let by = "by gamma 00000000, B, A, A";
        assert_eq!(gamma.pulse(1), format!("=== pulse ===\n{told}\n{by}"));
        let told = format!("{TITLE} 2: 1 legs are enough for beta");
        assert_eq!(gamma.pulse(2), format!("=== pulse ===\n{told}\n{by}"));
    }
}
