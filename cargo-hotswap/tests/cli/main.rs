//! The real binary, on workspaces made for each test, with the real Cargo and the real git.
//!
//! Most plugins here carry an inert attribute that looks like `#[plugin]`, and metadata written by hand, so that they
//! depend on nothing and compile in a moment.

mod as_cargo_run;
mod build;
mod completions;
mod configuration;
mod deleting;
mod features;
mod fixture;
mod graph;
mod help;
mod hostile;
mod inspect;
mod interrupted;
mod linked;
mod links;
mod locks;
mod names;
mod new;
mod nodelete;
mod note;
mod others;
mod refused;
mod replayed;
mod run;
mod seal;
mod selected;
mod shared;
mod sign;
mod source;
mod standard_libraries;
mod watching;
