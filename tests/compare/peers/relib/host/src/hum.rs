//! The code that a user of relib writes.
use abi_stable::std_types::RStr;
use relib_host::Module;
use std::error::Error;
use std::path::Path;
use std::sync::{RwLock, RwLockReadGuard};

relib_interface::include_exports!();
relib_interface::include_imports!();

use gen_exports::ModuleExports;
use gen_imports::init_imports;

/// The functions that all threads call. A module itself stays on the thread that has loaded it.
pub struct Hum {
    exports: RwLock<ModuleExports>,
}

impl Hum {
    pub fn open(build: &Path) -> Result<(Self, Module<ModuleExports>), Box<dyn Error>> {
        let module = load(build)?;
        let exports = RwLock::new(ModuleExports::new(module.library()));
        Ok((Hum { exports }, module))
    }

    pub fn exports(&self) -> RwLockReadGuard<'_, ModuleExports> {
        self.exports.read().expect("no caller panics")
    }

    pub fn add(&self, a: i64, b: i64) -> i64 {
        // SAFETY: the module and the host were built with the same interface.
        unsafe { self.exports().add(a, b) }.expect("the module adds")
    }

    pub fn hum(&self, name: &str, times: u64) -> u64 {
        // SAFETY: the module and the host were built with the same interface.
        unsafe { self.exports().hum(RStr::from_str(name), times) }.expect("the module hums")
    }

    pub fn version(&self) -> u64 {
        // SAFETY: the module and the host were built with the same interface.
        unsafe { self.exports().version() }.expect("the module has a version")
    }

    /// Loads another build, while callers wait.
    pub fn reload(
        &self,
        build: &Path,
        module: &mut Option<Module<ModuleExports>>,
    ) -> Result<(), Box<dyn Error>> {
        let mut exports = self.exports.write().expect("no caller panics");
        if let Some(module) = module.take() {
            module.unload()?;
        }
        let new = load(build)?;
        *exports = ModuleExports::new(new.library());
        *module = Some(new);
        Ok(())
    }
}

fn load(build: &Path) -> Result<Module<ModuleExports>, Box<dyn Error>> {
    // SAFETY: the same compiler has made the host and the module.
    Ok(unsafe { relib_host::load_module::<ModuleExports>(build, init_imports) }?)
}
