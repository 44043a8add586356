//! The options of `reload`.

use std::path::PathBuf;

use clap::Args;

use super::CompileOptions;
#[cfg(feature = "control")]
use super::{HostArgs, PipelineOptions, WhyArgs};

/// The options of `reload`.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// The host's directory, and the plugins to build and reload [default: the current directory, and all plugins]
    ///
    /// A word that is a directory names the host, and any other a plugin. Plugins that import a reloaded one follow it.
    #[arg(value_name = "HOST|PLUGIN")]
    pub of: Vec<PathBuf>,
    /// Give up after this many seconds without an answer [default: 60, if the host is asked by its signal]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Build nothing; the running host loads what is in its plugin directory
    #[cfg(feature = "control")]
    #[arg(long, help_heading = "Host")]
    pub no_build: bool,
    /// The running host.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub host: HostArgs,
    /// Say what the reload would do, after a build, and change nothing in the host
    #[cfg(feature = "control")]
    #[arg(long, help_heading = "Host")]
    pub dry_run: bool,
    /// Allow a set of builds that was reverted before
    #[cfg(feature = "control")]
    #[arg(long, help_heading = "Host", conflicts_with = "dry_run")]
    pub force: bool,
    /// Do not wait until the rollback window has closed
    #[cfg(feature = "control")]
    #[arg(long, help_heading = "Host", conflicts_with = "dry_run")]
    pub no_wait: bool,
    /// Print JSON, a line for each host
    #[cfg(feature = "control")]
    #[arg(long)]
    pub json: bool,
    /// Why.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub why: WhyArgs,
    /// The options of the pipeline.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub pipeline: PipelineOptions,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}
