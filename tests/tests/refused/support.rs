//! A host that must stay the same whenever it refuses something.
use hotswap_host::artifact::BuildId;
use hotswap_host::prelude::*;
use hotswap_host::{Builder, Outcome};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{Desk, Stage, process};
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Makes the tests take turns, since they compare all the files that this process has open.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

/// A host that serves the probe.
pub struct Serving {
    pub stage: Stage,
    build: Function<fn() -> String>,
    before: Look,
}

/// The properties that have to be the same before and after a refusal.
#[derive(Debug, PartialEq)]
struct Look {
    generation: u64,
    reloads: u64,
    plugins: Vec<(String, BuildId)>,
    answer: String,
    /// All files below the runtime directories of this process, except the report before the last one.
    files: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
    descriptors: Vec<PathBuf>,
}

impl Serving {
    pub fn open(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let stage = Stage::with(&[("probe", &probe())], settings);
        let build = stage.probe("build");
        let before = look(&stage, &build);
        Serving {
            stage,
            build,
            before,
        }
    }

    /// Returns the error of a reload, and checks that the reload changed nothing.
    pub fn refused(&self) -> ReloadError {
        let error = self
            .stage
            .swapper
            .reload()
            .expect_err("the reload is refused");
        assert_eq!(look(&self.stage, &self.build), self.before, "{error}");
        error
    }

    /// Puts the probe back, and checks that the host goes on as before.
    pub fn restored(self) {
        self.stage.install("probe", &probe());
        let report = self
            .stage
            .swapper
            .reload()
            .expect("the restored probe is accepted");
        let probe = report.plugin("probe").expect("the probe is live");
        assert_eq!(probe.outcome, Outcome::Unchanged);
        assert_eq!(look(&self.stage, &self.build), self.before);
        let Serving { stage, build, .. } = self;
        drop(build);
        stage.close();
    }
}

fn look(stage: &Stage, build: &Function<fn() -> String>) -> Look {
    let listing = stage.swapper.listing();
    let plugins = listing.plugins.iter();
    Look {
        generation: listing.generation,
        reloads: listing.reloads,
        plugins: plugins
            .map(|plugin| (plugin.name.to_string(), plugin.build_id))
            .collect(),
        answer: build.call().expect("the probe still answers"),
        files: files(),
        libraries: libraries(),
        descriptors: descriptors(),
    }
}

/// Returns the libraries that are mapped.
pub fn libraries() -> Vec<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the maps can be read");
    let names = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    let library = |name: &&str| name.contains(".so") || name.contains("memfd:");
    let mut all: Vec<_> = names.filter(library).map(PathBuf::from).collect();
    all.dedup();
    all
}

/// Returns the open files that are libraries or belong to hosts.
pub fn descriptors() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").expect("descriptors can be listed");
    let files = entries
        .flatten()
        .filter_map(|entry| entry.path().read_link().ok());
    let host = format!("/{}-", std::process::id());
    let ours = |file: &PathBuf| {
        let name = file.to_string_lossy();
        // Other tests may be reading the fixtures' builds.
        !file.starts_with(fixture::target())
            && ["memfd:", ".so", &host]
                .iter()
                .any(|part| name.contains(part))
    };
    let mut all: Vec<_> = files.filter(ours).collect();
    all.sort();
    all
}

fn files() -> Vec<PathBuf> {
    let dirs = process::host_dirs();
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok());
    // This is the report before the last one, which the next report overwrites.
    let others = entries.flatten().flatten();
    let others = others.filter(|entry| entry.file_name() != ".report.json");
    let files = others.map(|entry| entry.path());
    let mut all: Vec<_> = files.chain(dirs.iter().cloned()).collect();
    all.sort();
    all
}

/// Spoils a plugin directory that holds the probe, once for a host that opens it and once for a host that serves from
/// it. Returns the error of the latter. The former gets the same error and leaves nothing behind.
pub fn refused(spoil: impl Fn(&Path)) -> (ReloadError, String) {
    refused_with(spoil, |builder| builder)
}

/// Does the same with settings.
pub fn refused_with(
    spoil: impl Fn(&Path),
    settings: impl Fn(Builder) -> Builder,
) -> (ReloadError, String) {
    let _alone = alone();
    let at_open = refused_at_open(&spoil, &settings);
    let serving = Serving::open(&settings);
    let dir = serving.stage.dir().to_owned();
    spoil(&dir);
    let error = serving.refused();
    let text = redacted(&error, &dir);
    // A host that serves also knows which plugin was in the file before it was spoilt.
    assert_eq!(
        text.strip_prefix("probe: ").unwrap_or(&text),
        at_open.strip_prefix("probe: ").unwrap_or(&at_open)
    );
    let file = dir.join(fixture::file_name("probe"));
    // The file may have been replaced by a directory.
    let _ = fs::remove_dir(&file);
    fs::create_dir_all(&dir).expect("the directory can be made again");
    serving.restored();
    (error, text)
}

fn refused_at_open(spoil: impl Fn(&Path), settings: impl Fn(Builder) -> Builder) -> String {
    let open = || (files(), libraries(), descriptors());
    let before = open();
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    fixture::install(&probe(), "probe", dir.path());
    spoil(dir.path());
    let builder = Swapper::builder()
        .plugin_dir(dir.path())
        .provide::<dyn shapes::Desk>(Arc::new(Desk::default()));
    let error = settings(builder)
        .open()
        .err()
        .expect("the directory is refused");
    assert_eq!(open(), before, "{error}");
    redacted(&error, dir.path())
}

/// Returns the text of an error, without the parts that differ from machine to machine.
pub fn redacted(error: &dyn std::error::Error, dir: &Path) -> String {
    assert!(
        error.source().is_none(),
        "the text has the whole chain: {error:?}"
    );
    error
        .to_string()
        .replace(dir.to_str().expect("the path is UTF-8"), "<dir>")
        .replace(ARCH, "<arch>")
}
