//! Reads the metadata of a plugin's file without running any of its code.
//!
//! An artifact is a shared library with a section of metadata. If `cargo hotswap build` made it, it also has a [`Note`]
//! after its last byte, on the sources from which it was built. [`find()`] lists the artifacts of a directory.
//! [`Artifact::read`] reads one, and refuses files that are not plugins for this host. [`unload_blockers`] lists what
//! would keep it from leaving memory, and [`cautions`] lists its uses of things that the process has only once.
//!
//! Files are not trusted while they are read: none takes more time or memory than the [`limits`] allow. A loaded plugin
//! is another matter, because its code is part of the process.
//!
//! A file is identified by its [`BuildId`], the hash of all its bytes before the note. A commit that changes no source
//! of the plugin changes no build.
mod bounds;
mod budget;
mod build_id;
mod caution;
mod deployed;
mod error;
mod find;
mod fingerprint;
mod form;
mod history;
pub mod limits;
mod links;
mod live;
mod metadata;
mod no_delete;
mod note;
mod open_failure;
mod parts;
mod read;
mod texts;
mod type_hash;
mod unload;

#[cfg(all(test, target_os = "linux"))]
mod hostile;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use build_id::{BuildId, BuildSet, ParseBuildIdError};
pub use caution::{Caution, cautions};
pub use deployed::Deployed;
pub use error::{ArtifactError, ArtifactProblem, FindError};
pub use find::find;
pub use history::{DeclaredMigration, History, SavedField};
pub use links::{Links, links};
pub use live::LiveEntry;
pub use metadata::{
    Export, Function, Import, ImportKind, Metadata, PanicStrategy, PatchTarget, SmokeTime, State,
};
pub use no_delete::clear_no_delete;
pub use note::{Note, SourceLocation};
pub use open_failure::OpenFailure;
pub use read::{Artifact, read_bytes};
pub use type_hash::TypeHash;
pub use unload::{UnloadBlocker, unload_blockers};

pub(crate) use find::find_each;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use read::{Described, read_source};
