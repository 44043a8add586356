//! The plugin that weighs sounds.
use extension_sounds::{Sounds, Weigh};
use hotswap_plugin::prelude::*;

/// Change this while the host runs.
const UNIT: &str = "grams";

/// One loaded build of the plugin.
#[derive(Debug, Default)]
pub struct Scale;

#[plugin(name = "scale")]
impl Scale {
    fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
        vault.set("unit", UNIT)?;
        vault.extend::<Sounds>(|sounds| sounds.weigh.fill(Held::new(Spring)))?;
        Ok(())
    }
}

struct Spring;

impl Weigh for Spring {
    fn weigh(&self, sound: &str) -> String {
        format!("{} {UNIT}", sound.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighs_each_letter() {
        assert_eq!(Spring.weigh("meow"), format!("4 {UNIT}"));
    }
}
