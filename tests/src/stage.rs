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

/// A host with a plugin directory of its own, which provides a [`Desk`]. Addresses that plugins have left stay
/// unusable, so that a stale use of them crashes.
pub struct Stage {
    /// The host's handle.
    pub swapper: Swapper,
    /// What it provides.
    pub desk: Arc<Desk>,
    dir: TempDir,
    host_dir: PathBuf,
}

impl Stage {
    /// Opens a host with these plugins, by name and bytes.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open(plugins: &[(&str, &[u8])]) -> Self {
        Stage::with(plugins, |builder| builder)
    }

    /// The same with settings.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn with(plugins: &[(&str, &[u8])], settings: impl FnOnce(Builder) -> Builder) -> Self {
        Stage::try_with(plugins, settings).expect("the host can be opened")
    }

    /// The same, where it may fail.
    ///
    /// # Errors
    /// Those of opening a host.
    ///
    /// # Panics
    /// When there is no room for the plugin directory.
    pub fn try_with(
        plugins: &[(&str, &[u8])],
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Result<Self, ReloadError> {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        plugins
            .iter()
            .for_each(|(name, bytes)| fixture::install(bytes, name, dir.path()));
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

    /// The plugin directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The file of a plugin in it.
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
    /// When the reload fails.
    pub fn swap(&self, name: &str, library: &[u8]) -> Report {
        self.install(name, library);
        self.swapper.reload().expect("the build can be loaded")
    }

    /// A function of the probe's.
    ///
    /// # Panics
    /// When it has no such function.
    pub fn probe<F: Signature<A>, A>(&self, function: &str) -> Function<F> {
        self.swapper
            .function("probe", function)
            .expect("the probe has this function")
    }

    /// The live build of the only plugin, or of the first.
    pub fn live_build(&self) -> BuildId {
        self.swapper.listing().plugins[0].build_id
    }

    /// Waits until all that was replaced has left memory, and checks that nothing of it is left: nothing mapped, and no
    /// file.
    ///
    /// # Panics
    /// When something is left.
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

    /// The names of the private copies.
    pub fn copies(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.host_dir).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".so")).collect()
    }

    /// Shuts the host down, and checks that nothing is left of it: nothing mapped, and no file.
    ///
    /// # Panics
    /// When something is left.
    pub fn close(self) {
        let late = self.swapper.shutdown(LIMIT).expect("it can be shut down");
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
