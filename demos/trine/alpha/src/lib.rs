//! The first of the three plugins. It imports no other plugin, and the others import it.
use hotswap_plugin::prelude::*;
use trine_interfaces::Vector;

/// Change this while the host runs.
const UNIT: &str = "steps";

/// One loaded build of the plugin.
#[derive(Debug)]
pub struct Alpha {
    cx: Context,
}

#[plugin(name = "alpha", exports(trine_interfaces::Alpha))]
impl Alpha {
    /// Makes the instance.
    pub fn new(cx: &Context) -> Self {
        Alpha { cx: cx.clone() }
    }

    /// Says what the plugin does. The host calls this function of each plugin, by name.
    #[invoke]
    pub fn introduce(&self) -> String {
        "adds up vectors".into()
    }
}

impl trine_interfaces::Alpha for Alpha {
    fn sum(&self, vectors: &[Vector]) -> Vector {
        Vector {
            x: vectors.iter().map(|vector| vector.x).sum(),
            y: vectors.iter().map(|vector| vector.y).sum(),
            label: "the end".into(),
        }
    }

    fn distance(&self, vector: &Vector) -> String {
        format!("{:.1} {UNIT}", vector.x.hypot(vector.y))
    }

    fn build(&self) -> String {
        format!("alpha {:.8}", self.cx.build_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_interfaces::Alpha as _;

    #[test]
    fn adds_and_measures() {
        let alpha = Alpha::new(&Context::for_test());
        let leg = |x, y| Vector {
            x,
            y,
            label: "leg".into(),
        };
        let end = alpha.sum(&[leg(1.0, 0.0), leg(2.0, 4.0)]);
        assert_eq!((end.x, end.y), (3.0, 4.0));
        assert_eq!(alpha.distance(&end), format!("5.0 {UNIT}"));
        assert_eq!(alpha.sum(&[]).x, 0.0);
    }
}
