//! The plugin of the demo `hello`. Change the word that it hums while the host runs.
use hotswap_plugin::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// One loaded build of the plugin.
#[derive(Debug)]
pub struct World {
    cx: Context,
    /// A count that is lost with its build: the next build starts at zero.
    hummed: AtomicU64,
}

#[plugin]
impl World {
    /// Makes the instance. `cx` tells everything that an instance may want to know about itself.
    pub fn new(cx: &Context) -> Self {
        info!("new: version {}, build {:.8}", cx.version(), cx.build_id());
        World {
            cx: cx.clone(),
            hummed: AtomicU64::new(0),
        }
    }

    fn reloadable(cx: &Context) -> bool {
        info!("reloadable: build {:.8} may be replaced", cx.build_id());
        true
    }

    fn on_load(&mut self, data: &LoadData<'_>) {
        let given = if data.is_none() { "no" } else { "some" };
        info!("on_load: the host gave {given} load data");
    }

    fn on_init(&mut self, vault: &Vault<'_>) {
        let plugins = vault.plugins().collect::<Vec<_>>().join(", ");
        info!("on_init: generation {} has {plugins}", vault.generation());
    }

    fn on_start(&self) {
        info!("on_start: build {:.8} is live", self.cx.build_id());
    }

    fn on_stop(&self) {
        info!("on_stop: build {:.8} is no longer live", self.cx.build_id());
    }

    fn on_free(&mut self) {
        let (build, hummed) = (self.cx.build_id(), self.hummed.get_mut());
        info!("on_free: build {build:.8} is no longer used; it was called {hummed} times");
    }

    /// Hums. The host calls this function by its name.
    #[invoke]
    pub fn hum(&self, times: u32) -> String {
        self.hummed.fetch_add(1, Ordering::Relaxed);
        "hum ".repeat(times as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hums_as_often_as_asked() {
        let world = World::new(&Context::for_test());
        assert_eq!(world.hum(3).split_whitespace().count(), 3);
        assert_eq!(world.hum(0), "");
    }

    #[test]
    fn counts_its_calls() {
        let mut world = World::new(&Context::for_test());
        world.on_load(&LoadData::none());
        world.on_init(&Vault::for_test());
        world.hum(1);
        world.hum(2);
        assert_eq!(*world.hummed.get_mut(), 2);
    }
}
