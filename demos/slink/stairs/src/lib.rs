//! The plugin of the demo `slink`: the stairs that a spring walks down. Change their height, or the spring, while the
//! host runs.
use hotswap_plugin::prelude::*;

/// The number of steps, after which the spring starts again at the top.
const HEIGHT: u32 = 5;

/// One loaded build of the plugin, or the linked one.
#[derive(Debug)]
pub struct Stairs {
    height: u32,
}

#[plugin]
impl Stairs {
    /// Makes the instance, and logs how its code was loaded.
    pub fn new(cx: &Context) -> Self {
        let how = if cx.is_static() {
            "linked in"
        } else {
            "loaded"
        };
        info!("{how}: build {:.8}", cx.build_id());
        Stairs { height: HEIGHT }
    }

    fn on_start(&self) {
        info!("on_start: {} steps", self.height);
    }

    fn on_stop(&self) {
        info!("on_stop");
    }

    fn on_free(&mut self) {
        info!("on_free");
    }

    /// Returns the spring on its way down, as a line of text.
    #[invoke]
    pub fn step(&self, number: u32) -> String {
        let depth = number % self.height;
        let before = "    ".repeat(depth as usize);
        format!("{before}(((((")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_again_at_the_top() {
        let stairs = Stairs::new(&Context::for_test());
        assert_eq!(stairs.step(0), "(((((");
        assert_eq!(stairs.step(1), "    (((((");
        assert_eq!(stairs.step(HEIGHT), stairs.step(0));
    }
}
