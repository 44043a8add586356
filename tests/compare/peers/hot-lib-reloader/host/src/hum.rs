//! The code that a user of hot-lib-reloader writes.
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

// The README suggests this debounce for small libraries. The default is 500.
#[hot_lib_reloader::hot_module(
    dylib = "hum_hot_lib_reloader",
    lib_dir = super::directory(),
    file_watch_debounce = 20
)]
mod hot_lib {
    hot_functions_from_file!("peers/hot-lib-reloader/plugin/src/lib.rs");

    #[lib_change_subscription]
    pub fn subscribe() -> hot_lib_reloader::LibReloadObserver {}
}

pub use hot_lib::{add, hum, version};

/// Returns the directory of the library.
fn directory() -> PathBuf {
    env::var_os("COMPARE_DIRECTORY").expect("it is set").into()
}

/// Reloads another build. An observer that does not read its events would block the reload.
pub fn reload(build: &Path) -> Result<(), Box<dyn Error>> {
    let observer = hot_lib::subscribe();
    fs::rename(build, directory().join("libhum_hot_lib_reloader.so"))?;
    observer.wait_for_reload();
    Ok(())
}
