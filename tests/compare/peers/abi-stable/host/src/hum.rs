//! The code that a user of abi_stable writes. It opens libraries with libloading and never closes them.
use abi_stable::library::{LibraryError, lib_header_from_path};
use hum_abi_stable_interface::HumRef;
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The functions of the newest build. They stay in memory for ever, so a pointer to them is enough.
pub struct Hum(AtomicPtr<HumRef>);

impl Hum {
    pub fn open(build: &Path) -> Result<Self, LibraryError> {
        Ok(Hum(AtomicPtr::new(load(build)?)))
    }

    pub fn module(&self) -> HumRef {
        // SAFETY: the pointer comes from a box that is never freed.
        unsafe { *self.0.load(Ordering::Acquire) }
    }

    pub fn add(&self, a: i64, b: i64) -> i64 {
        self.module().add()(a, b)
    }

    pub fn hum(&self, name: &str, times: u64) -> u64 {
        self.module().hum()(name.into(), times)
    }

    pub fn version(&self) -> u64 {
        self.module().version()()
    }

    /// Loads another build.
    pub fn reload(&self, build: &Path) -> Result<(), LibraryError> {
        self.0.store(load(build)?, Ordering::Release);
        Ok(())
    }
}

/// Opens a library, and compares the layouts of its types with those of the host.
fn load(build: &Path) -> Result<*mut HumRef, LibraryError> {
    let module = lib_header_from_path(build)?.init_root_module::<HumRef>()?;
    Ok(Box::into_raw(Box::new(module)))
}
