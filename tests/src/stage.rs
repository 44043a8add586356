//! A host with a plugin directory of its own.
use crate::{Desk, LIMIT, fixture, process};
use hotswap_host::Signature;
use hotswap_host::artifact::BuildId;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Retirement, RetirementState, UnloadMode};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A host with a plugin directory of its own, which provides a [`Desk`]. Addresses of unmapped plugins stay unusable,
/// so that a stale use of them crashes.
pub struct Stage {
    /// The host's swapper.
    pub swapper: Swapper,
    /// The object that the host provides.
    pub desk: Arc<Desk>,
    dir: TempDir,
    host_dir: PathBuf,
}

impl Stage {
    /// Opens a host with these plugins, by name and bytes.
    ///
    /// # Panics
    /// Panics if it cannot be opened.
    pub fn open(plugins: &[(&str, &[u8])]) -> Self {
        Stage::with(plugins, |builder| builder)
    }

    /// Opens a host with settings.
    ///
    /// # Panics
    /// Panics if it cannot be opened.
    pub fn with(plugins: &[(&str, &[u8])], settings: impl FnOnce(Builder) -> Builder) -> Self {
        Stage::try_with(plugins, settings).expect("the host can be opened")
    }

    /// Opens a host with settings, which may fail.
    ///
    /// # Errors
    /// Returns the error of opening the host.
    ///
    /// # Panics
    /// Panics if the plugin directory cannot be made.
    pub fn try_with(
        plugins: &[(&str, &[u8])],
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, ReloadError> {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        plugins
            .iter()
            .for_each(|(name, bytes)| fixture::install(bytes, name, dir.path()));
        Stage::try_in(dir, settings)
    }

    /// Opens a host with the plugins that are in this directory, with settings, which may fail.
    ///
    /// # Errors
    /// Returns the error of opening the host.
    pub fn try_in(
        dir: TempDir,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, ReloadError> {
        let desk = Arc::new(Desk::default());
        let builder = Swapper::builder()
            .plugin_dir(dir.path())
            .unload_mode(UnloadMode::Quarantine)
            .provide::<dyn shapes::Desk>(desk.clone());
        let swapper = settings(builder).open()?;
        desk.set_swapper(Some(swapper.clone()));
        let host_dir = process::host_dir_of(dir.path());
        Ok(Stage {
            swapper,
            desk,
            dir,
            host_dir,
        })
    }

    /// Returns the plugin directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the file of a plugin in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir().join(fixture::file_name(name))
    }

    /// Puts a plugin into the directory.
    pub fn install(&self, name: &str, library: &[u8]) {
        fixture::install(library, name, self.dir());
    }

    /// Puts a plugin into the directory, and reloads.
    ///
    /// # Panics
    /// Panics if the reload fails.
    pub fn swap(&self, name: &str, library: &[u8]) -> Report {
        self.install(name, library);
        self.swapper.reload().expect("the build can be loaded")
    }

    /// Returns a handle of a function of the probe.
    ///
    /// # Panics
    /// Panics if it has no such function.
    pub fn probe<F: Signature<A>, A>(&self, function: &str) -> Function<F> {
        self.swapper
            .function("probe", function)
            .expect("the probe has this function")
    }

    /// Returns the live build of the only plugin, or of the first one.
    pub fn live_build(&self) -> BuildId {
        self.swapper.listing().plugins[0].build_id
    }

    /// Waits until all replaced builds have left memory, and checks that no mapping and no file of them is left.
    ///
    /// # Panics
    /// Panics if something is left.
    pub fn settle(&self) -> Vec<Retirement> {
        let late = self.swapper.wait_retired(LIMIT);
        assert!(late.is_empty(), "{late:#?}");
        let retirements = self.swapper.retirements();
        for retirement in &retirements {
            assert_eq!(retirement.state, RetirementState::Gone, "{retirement}");
        }
        let live = self.swapper.listing().plugins.len();
        let copies = self.copies();
        assert_eq!(copies.len(), live, "{copies:?}");
        for line in process::mapped_from(&self.host_dir) {
            assert!(copies.iter().any(|copy| line.ends_with(copy)), "{line}");
        }
        retirements
    }

    /// Returns the names of the private copies.
    pub fn copies(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.host_dir).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".so")).collect()
    }

    /// Shuts the host down like [`close`](Self::close), and returns its plugin directory.
    ///
    /// # Panics
    /// Panics if something is left.
    pub fn close_keeping_dir(mut self) -> TempDir {
        let other = tempfile::tempdir().expect("a temporary directory can be made");
        let dir = std::mem::replace(&mut self.dir, other);
        self.close();
        dir
    }

    /// Shuts the host down, and checks that no mapping and no file is left.
    ///
    /// # Panics
    /// Panics if something is left.
    pub fn close(self) {
        let late = self.swapper.shutdown(LIMIT).expect("the host shuts down");
        assert!(late.is_empty(), "{late:#?}");
        self.settle();
        assert_eq!(process::mapped_from(&self.host_dir), [""; 0]);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.desk.set_swapper(None);
    }
}
