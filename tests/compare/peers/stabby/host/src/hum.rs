//! What a user of stabby and libloading writes.
use libloading::Library;
use stabby::libloading::StabbyLibrary;
use stabby::str::Str;
use std::error::Error;
use std::path::Path;
use std::sync::{RwLock, RwLockReadGuard};

/// The functions of a library, which is open as long as this value lives.
pub struct Functions {
    pub add: extern "C" fn(i64, i64) -> i64,
    hum: extern "C" fn(Str<'_>, u64) -> u64,
    version: extern "C" fn() -> u64,
    _library: Library,
}

impl Functions {
    fn load(build: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
        // SAFETY: the library has these functions. stabby compares the types of two of them, and the compiler's version.
        unsafe {
            let library = Library::new(build)?;
            Ok(Functions {
                add: *library.get_stabbied(b"add")?,
                hum: *library.get_canaried(b"hum")?,
                version: *library.get_stabbied(b"version")?,
                _library: library,
            })
        }
    }
}

/// The newest build.
pub struct Hum(RwLock<Functions>);

impl Hum {
    pub fn open(build: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Hum(RwLock::new(Functions::load(build)?)))
    }

    pub fn functions(&self) -> RwLockReadGuard<'_, Functions> {
        self.0.read().expect("no caller panics")
    }

    pub fn add(&self, a: i64, b: i64) -> i64 {
        (self.functions().add)(a, b)
    }

    pub fn hum(&self, name: &str, times: u64) -> u64 {
        (self.functions().hum)(name.into(), times)
    }

    pub fn version(&self) -> u64 {
        (self.functions().version)()
    }

    /// Loads another build, and closes the library of the previous one once nobody calls it.
    pub fn reload(&self, build: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut new = Functions::load(build)?;
        std::mem::swap(&mut *self.0.write().expect("no caller panics"), &mut new);
        Ok(())
    }
}
