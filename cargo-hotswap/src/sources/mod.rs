//! The files of a build: which files they are ([`Scope`]), and their present contents ([`Survey`]).
//!
//! Events of the file system only say when to look. Contents decide whether anything has to be built. So it does not
//! matter how a file came to its place, how old it is, or whether every event arrived.

mod file_names;
mod lookups;
mod manifests;
mod mentions;
mod scope;
mod survey;

pub(crate) use manifests::{add_member_patterns, guess};
pub(crate) use scope::{Scope, is_toolchain_file};
pub(crate) use survey::{Content, Found, Reader, Survey, modified_since};
