//! The second of the three plugins. It imports alpha.
use hotswap_plugin::prelude::*;
use trine_interfaces::{Alpha, TooFar, Vector};

/// Change these while the host runs.
const DIRECTIONS: [&str; 4] = ["east", "north", "west", "south"];

const ENOUGH: u32 = 7;

/// The imports of beta.
#[derive(Import)]
pub struct Deps {
    alpha: Imported<dyn Alpha>,
}

/// One loaded build of the plugin.
pub struct Beta {
    cx: Context,
    deps: Deps,
}

#[plugin(name = "beta", exports(trine_interfaces::Beta))]
impl Beta {
    /// Makes the instance. Its imports are already complete.
    pub fn new(cx: &Context, deps: Deps) -> Self {
        Beta {
            cx: cx.clone(),
            deps,
        }
    }

    /// Says what the plugin does. The host calls this function of each plugin, by name.
    #[invoke]
    pub fn introduce(&self) -> String {
        "goes for walks".into()
    }
}

impl trine_interfaces::Beta for Beta {
    fn walk(&self, legs: u32) -> Result<Vec<Vector>, TooFar> {
        if legs > ENOUGH {
            return Err(TooFar { limit: ENOUGH });
        }
        let leg = |(number, direction): (u32, &str)| {
            let length = f64::from(number);
            let (x, y) = match number % 4 {
                1 => (length, 0.0),
                2 => (0.0, length),
                3 => (-length, 0.0),
                _ => (0.0, -length),
            };
            let label = format!("{number} {direction}");
            Vector { x, y, label }
        };
        Ok((1..=legs)
            .zip(DIRECTIONS.into_iter().cycle())
            .map(leg)
            .collect())
    }

    fn tell(&self, title: &str, walk: &[Vector]) -> String {
        let legs: Vec<_> = walk.iter().map(|leg| leg.label.as_str()).collect();
        let end = self.deps.alpha.sum(walk);
        let distance = self.deps.alpha.distance(&end);
        format!("{title}: {}, and home is {distance} away", legs.join(", "))
    }

    fn builds(&self) -> Vec<String> {
        let own = format!("beta {:.8}", self.cx.build_id());
        vec![own, self.deps.alpha.build()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_interfaces::Beta as _;

    /// A fake alpha, for which nothing is far.
    struct Near;

    impl Alpha for Near {
        fn sum(&self, vectors: &[Vector]) -> Vector {
            vectors.last().expect("the walk has a leg").clone()
        }

        fn distance(&self, vector: &Vector) -> String {
            format!("less than {}", vector.label)
        }

        fn build(&self) -> String {
            "near".into()
        }
    }

    fn beta() -> Beta {
        let alpha = Imported::from_impl(Near);
        Beta::new(&Context::for_test(), Deps { alpha })
    }

    #[test]
    fn walks_in_circles() {
        let walk = beta().walk(5).expect("the walk is short enough");
        let last = walk.last().expect("the walk has five legs");
        assert_eq!((last.x, last.y), (5.0, 0.0));
        assert_eq!(last.label, format!("5 {}", DIRECTIONS[0]));
        assert_eq!(beta().walk(ENOUGH + 1), Err(TooFar { limit: ENOUGH }));
    }

    #[test]
    fn tells_what_alpha_says() {
        let beta = beta();
        let told = beta.tell("once", &beta.walk(1).expect("the walk is short enough"));
        let leg = format!("1 {}", DIRECTIONS[0]);
        assert_eq!(
            told,
            format!("once: {leg}, and home is less than {leg} away")
        );
        assert_eq!(beta.builds(), ["beta 00000000", "near"]);
    }
}
