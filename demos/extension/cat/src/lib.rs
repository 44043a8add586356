//! The plugin that meows. It keeps counting when it is replaced.
use extension_sounds::{Meow, Sounds};
use hotswap_plugin::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Change this while the host runs.
const WORD: &str = "meow";

/// The state that the next build continues with. Give it another field while the host runs.
#[live_data]
#[derive(Clone, Debug, Default)]
pub struct Diary {
    meows: u64,
}

/// One loaded build of the plugin.
#[derive(Debug, Default)]
pub struct Cat {
    diary: Shared,
}

/// The diary, which belongs to the plugin and to the object in the slot.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Diary>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Diary> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[plugin(name = "cat")]
impl Cat {
    fn on_init(&mut self, vault: &Vault<'_>) -> Result<()> {
        vault.set("cat", "Tom")?;
        vault.extend::<Sounds>(|sounds| sounds.meow.fill(self.voice()))?;
        Ok(())
    }

    fn save(&self) -> Diary {
        self.diary.lock().clone()
    }

    fn restore(&mut self, diary: Diary) {
        *self.diary.lock() = diary;
    }
}

impl Cat {
    /// Returns the object that the host has until this build is replaced.
    fn voice(&self) -> Held<dyn Meow> {
        Held::new(Voice {
            diary: self.diary.clone(),
        })
    }
}

struct Voice {
    diary: Shared,
}

impl Meow for Voice {
    fn meow(&self) -> String {
        let mut diary = self.diary.lock();
        diary.meows += 1;
        format!("{WORD} {}", diary.meows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_its_meows() {
        let cat = Cat::default();
        let voice = cat.voice();
        voice.meow();
        cat.voice().meow();
        assert_eq!(cat.save().meows, 2);
    }

    #[test]
    fn goes_on_counting() -> Result<()> {
        let old = Cat::default();
        old.voice().meow();
        let mut new = Cat::default();
        // The object is in the slot before there is state.
        let voice = new.voice();
        new.restore(LiveData::save(&old.save())?.restore()?);
        voice.meow();
        assert_eq!(new.save().meows, 2);
        Ok(())
    }

    #[test]
    fn has_a_name() -> Result<()> {
        let vault = Vault::for_test();
        Cat::default().on_init(&vault)?;
        assert_eq!(
            vault.get("cat").expect("the bag has the value").to_string(),
            "Tom"
        );
        Ok(())
    }
}
