//! The code that a user of hotswap writes.
use hotswap_host::prelude::*;
use hotswap_host::signal::{self, Listener};
use std::error::Error;
use std::fs;
use std::path::Path;

/// The plugin, and the signal that reloads it.
pub struct Hum {
    pub swapper: Swapper,
    pub add: Function<fn(i64, i64) -> i64>,
    hum: Function<fn(&str, u64) -> u64>,
    version: Function<fn() -> u64>,
    _listener: Listener,
}

impl Hum {
    pub fn open() -> Result<Self, Box<dyn Error>> {
        let swapper = Swapper::builder().open()?;
        Ok(Hum {
            _listener: signal::reload_on(signal::USUAL, &swapper)?,
            add: swapper.function("hum-hotswap", "add")?,
            hum: swapper.function("hum-hotswap", "hum")?,
            version: swapper.function("hum-hotswap", "version")?,
            swapper,
        })
    }

    pub fn add(&self, a: i64, b: i64) -> i64 {
        self.add.call(a, b).expect("the plugin adds")
    }

    pub fn hum(&self, name: &str, times: u64) -> u64 {
        self.hum.call(name, times).expect("the plugin hums")
    }

    pub fn version(&self) -> u64 {
        self.version.call().expect("the plugin has a version")
    }

    /// Reloads another build.
    pub fn reload(&self, build: &Path) -> Result<(), Box<dyn Error>> {
        let place = self.swapper.plugin_dir().join("libhum_hotswap.so");
        fs::rename(build, place)?;
        self.swapper.reload()?;
        Ok(())
    }
}
