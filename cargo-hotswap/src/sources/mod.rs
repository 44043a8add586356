//! The files that a build is made of: which these are ([`Scope`]), and how they are now ([`Survey`]).
//!
//! Events of the file system only say when to look. Whether anything has to be built is decided by comparing contents, so that
//! it does not matter how a file came to where it is, how old it is, or whether every event arrived.

mod file_names;
mod lookups;
mod manifests;
mod mentions;
mod scope;
mod survey;

pub(crate) use manifests::{add_member_patterns, guess};
pub(crate) use scope::{Scope, is_toolchain_file};
pub(crate) use survey::{Content, Reader, Survey, modified_since};
