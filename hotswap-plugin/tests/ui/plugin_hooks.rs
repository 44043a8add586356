//! Hooks that are not written as the host calls them.
use hotswap_plugin::prelude::*;

struct World;

#[plugin(reloadable = true)]
impl World {
    fn new(deps: u32, cx: &Context) -> Self {
        World
    }
    async fn reloadable() -> bool {
        true
    }
    fn on_load(self, data: &LoadData) {}
    fn on_init(&mut self, vault: &Vault, more: u32) {}
    fn on_start(&mut self) {}
    fn on_stop(&self) -> Result<()> {
        Ok(())
    }
    #[invoke]
    fn on_free(&self) {}
    fn invoke_func(&self, name: &str) -> Result<Value> {
        Ok(name.into())
    }
}

struct Moon;

#[plugin]
impl Moon {
    fn new() {}
    fn reloadable() -> u32 {
        1
    }
    fn on_load(&mut self, data: LoadData<'_>) {}
    #[cfg(unix)]
    fn on_free(&mut self) {}
}

fn main() {}
