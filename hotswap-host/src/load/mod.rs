//! Turns the bytes of an artifact into a library that is open, connected, and checked.
pub(crate) mod copy;
mod counts;
pub(crate) mod exit;
pub(crate) mod failures;
pub(crate) mod known;
pub(crate) mod library;
pub(crate) mod loaded;
pub(crate) mod mapped;
pub(crate) mod objects;
mod own_runtime;
mod table;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod environment;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) mod fork;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) mod signals;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) mod watched_functions;

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod unwatched;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use unwatched::{fork, signals, watched_functions};

use crate::artifact::{
    self, Artifact, BuildId, Fingerprint, LiveEntry, OpenFailure, TypeHash, unload_blockers,
};
use crate::error::{Hook, PluginErrorKind, ReloadError};
use crate::hook_thread;
use crate::linked::LinkedCode;
use crate::platform;
use copy::CopyDir;
use hotswap_plugin::contract::shim::SHIM_SECTION;
use hotswap_plugin::contract::{HostTableRef, LiveCode, LiveDesc};
use library::{Library, Owner};
use loaded::Loaded;
use mapped::{NotOpened, Tables, said};
use own_runtime::OwnRuntime;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

/// The place of a plugin's code.
pub(crate) enum Code {
    /// The code is in a library, which has these bytes.
    Library(Vec<u8>),
    /// The code is in the program.
    Linked(LinkedCode),
}

/// Opens an artifact from a private copy of the bytes that it was read from, or connects code that is in the program.
///
/// The plugin receives `host`, the table by which it calls the host.
///
/// # Errors
/// The copy cannot be made, the dynamic linker refuses it, or a layout differs. A library that was opened but does not
/// fit is passed to `give_back`.
pub(crate) fn open(
    artifact: Artifact,
    code: &Code,
    fingerprint: Option<Fingerprint>,
    copies: &CopyDir,
    owner: Weak<dyn Owner>,
    host: HostTableRef,
    give_back: impl FnOnce(Arc<Library>),
) -> Result<Loaded, ReloadError> {
    let (name, build_id) = (&artifact.metadata.name, artifact.build_id);
    let found = match code {
        Code::Library(bytes) => unload_blockers(bytes),
        Code::Linked(_) => Vec::new(),
    };
    let shim = artifact.shim.clone();
    let library = Library::new(
        name.as_str(),
        build_id,
        shim,
        found,
        owner,
        watched_functions::table,
    );
    match code {
        Code::Linked(_) => library.is_part_of(&artifact.file),
        Code::Library(bytes) => {
            if let Err(error) = open_copy(&library, &artifact, bytes, copies) {
                library.forget();
                return Err(error);
            }
        }
    }
    let (tables, live) = match connect(&library, code, &artifact, host) {
        Ok(connected) => connected,
        Err(message) => {
            give_back(library);
            return Err(PluginErrorKind::Layout(message)
                .of(name, &artifact.file)
                .into());
        }
    };
    if let Code::Library(bytes) = code {
        warn_once(&artifact, bytes);
    }
    let call_target = known::call_target(&artifact.metadata.name);
    Ok(Loaded {
        library,
        tables,
        live,
        name: artifact.metadata.name.clone(),
        build_id: artifact.build_id,
        note: artifact.note,
        file: artifact.file,
        metadata: artifact.metadata,
        fingerprint: Mutex::new(fingerprint),
        loaded_at: SystemTime::now(),
        deployed: None,
        is_reloadable: true,
        call_target,
        _claim: match code {
            Code::Library(_) => None,
            Code::Linked(linked) => Some(linked.claim.clone()),
        },
    })
}

/// Opens a private copy of the bytes.
///
/// # Errors
/// The copy cannot be made, or the dynamic linker refuses it. In both cases nothing of it is mapped.
fn open_copy(
    library: &Arc<Library>,
    artifact: &Artifact,
    bytes: &[u8],
    copies: &CopyDir,
) -> Result<(), ReloadError> {
    let (plugin, file) = (&artifact.metadata.name, &artifact.file);
    if let Some(reason) = platform::cannot_load() {
        let failure = OpenFailure::Unsupported { reason };
        return Err(PluginErrorKind::Open(failure).of(plugin, file).into());
    }
    exit::prepare();
    if platform::HAS_SHIM && artifact.shim.is_empty() {
        let message = format!("the library has no section {SHIM_SECTION}");
        return Err(PluginErrorKind::Layout(message).of(plugin, file).into());
    }
    let copy = copies.make(artifact, bytes, &library.patch())?;
    let path = copy.path().to_owned();
    // A job that has not begun anything yet is not given up, so this does not fail.
    let _constructors = hook_thread::begin(library, plugin, file, Hook::Open).ok();
    library.open(copy).map_err(|error| {
        let failure = match error {
            NotOpened::Linker(error) => OpenFailure::from_loader_text(&said(&error)),
            NotOpened::TakenFor(other) => OpenFailure::TakenFor { copy: path, other },
        };
        PluginErrorKind::Open(failure).of(plugin, file).into()
    })
}

/// Warns of uses of things that the process has only once, when the process first loads a build.
fn warn_once(artifact: &Artifact, bytes: &[u8]) {
    static LOOKED_AT: Mutex<BTreeSet<BuildId>> = Mutex::new(BTreeSet::new());
    let mut looked_at = LOOKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    if !looked_at.insert(artifact.build_id) {
        return;
    }
    drop(looked_at);
    let (name, build) = (&artifact.metadata.name, artifact.build_id.short());
    for caution in artifact::cautions(bytes, &artifact.metadata) {
        tracing::warn!(target: "hotswap", "{name} (build {build}) {caution}");
    }
}

/// Checks the layout of the contract, lends the plugin the host's table, and compares what the plugin offers with what its
/// file says.
fn connect(
    library: &Library,
    code: &Code,
    artifact: &Artifact,
    host: HostTableRef,
) -> Result<(Tables, Vec<LiveDesc>), String> {
    let tables = match (code, library.mapped()) {
        (Code::Linked(linked), _) => Tables::of_linked(linked.plugin, library.token(), host)?,
        (Code::Library(_), Some(mapped)) => Tables::of_mapped(mapped, library.token(), host)?,
        (Code::Library(_), None) => return Err("nothing was opened".into()),
    };
    library.set_own_runtime(OwnRuntime::of(tables.entry()));
    if let Code::Linked(linked) = code {
        linked.connect_logs();
    }
    let written = artifact
        .metadata
        .functions
        .iter()
        .map(|f| (f.name.as_str(), f.hash));
    let compiled = tables
        .desc()
        .functions
        .iter()
        .map(|f| (f.name.as_str(), TypeHash::of(f.hash)));
    if !written.eq(compiled) {
        return Err("its functions differ from those in its metadata".into());
    }
    let live = match code {
        Code::Library(_) => tables.live(),
        Code::Linked(linked) => linked.live.clone(),
    };
    if !are_written(&live, &artifact.metadata.live) {
        return Err("its live functions and types differ from those in its metadata".into());
    }
    Ok((tables, live))
}

/// Returns true if the live items are those that the file lists.
fn are_written(live: &[LiveDesc], written: &[LiveEntry]) -> bool {
    let mut compiled: Vec<_> = live
        .iter()
        .map(|item| {
            let hash = match item.code {
                LiveCode::Function(desc) => TypeHash::of(desc.hash),
                LiveCode::Type(_) => TypeHash::default(),
            };
            (item.module.as_str(), item.name.as_str(), item.kind(), hash)
        })
        .collect();
    compiled.sort();
    let mut written: Vec<_> = written
        .iter()
        .map(|item| {
            (
                item.module.as_str(),
                item.name.as_str(),
                item.kind,
                item.hash,
            )
        })
        .collect();
    written.sort();
    compiled == written
}
