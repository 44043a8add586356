//! The options of `inspect`, `seal`, and `graph`, which read artifacts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::CompileOptions;

/// The options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The shared library, or the name of a plugin of a running host
    #[arg(value_name = "ARTIFACT|PLUGIN", required_unless_present = "pid")]
    pub artifact: Option<PathBuf>,
    /// Print what is mapped as code into this process: builds of plugins, other libraries, and stale or deleted files
    #[arg(long, value_name = "PID", conflicts_with = "artifact")]
    pub pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the sources that the artifact carries
    #[cfg(feature = "source")]
    #[arg(long, conflicts_with = "ast")]
    pub source: bool,
    /// Print the syntax tree of the sources, as JSON
    #[cfg(feature = "source")]
    #[arg(long)]
    pub ast: bool,
    /// Print the source, or the syntax tree, of one function: `hum`, `World::hum`, or `jobs::roll_call`
    #[cfg(feature = "source")]
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

/// The options of `seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The shared libraries
    #[arg(required = true, value_name = "FILE")]
    pub artifacts: Vec<PathBuf>,
    /// The artifact from which they were made, whose commit goes into the note [default: the commit in the note of
    /// FILE]
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// The options of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// A host, by its directory or its package's name, or a directory with artifacts [default: the host in the current
    /// directory]
    ///
    /// For a host, these are the artifacts that `cargo hotswap build` has made of its plugins with the same options.
    #[arg(value_name = "HOST|DIR", conflicts_with = "manifest_path")]
    pub path: Option<PathBuf>,
    /// The format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GraphFormat,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The format of the output of `graph`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Text for people.
    #[default]
    Text,
    /// For Graphviz: `dot -Tsvg`.
    Dot,
    /// For Markdown.
    Mermaid,
}
