//! What meows.
use extension_sounds::{Meow, Sounds};
use hotswap_plugin::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Change it while the host runs.
const WORD: &str = "meow";

/// One loaded build of the plugin.
#[derive(Debug, Default)]
pub struct Cat {
    meows: Arc<AtomicU64>,
}

#[plugin(name = "cat")]
impl Cat {
    fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
        vault.set("cat", "Tom")?;
        vault.extend::<Sounds>(|sounds| sounds.meow.fill(self.voice()))?;
        Ok(())
    }
}

impl Cat {
    /// What the host has from now on, until this build is replaced.
    fn voice(&self) -> Held<dyn Meow> {
        Held::new(Voice {
            meows: self.meows.clone(),
        })
    }
}

struct Voice {
    meows: Arc<AtomicU64>,
}

impl Meow for Voice {
    fn meow(&self) -> String {
        let count = self.meows.fetch_add(1, Relaxed) + 1;
        format!("{WORD} {count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_its_meows() {
        let cat = Cat::default();
        let voice = cat.voice();
        assert_eq!(voice.meow(), format!("{WORD} 1"));
        assert_eq!(cat.voice().meow(), format!("{WORD} 2"));
    }

    #[test]
    fn has_a_name() {
        let vault = Vault::for_test();
        Cat::default().on_init(&vault).expect("the vault is empty");
        assert_eq!(vault.get("cat").expect("it is there").to_string(), "Tom");
    }
}
