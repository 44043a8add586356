//! The options of `deploy`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

#[cfg(feature = "tls")]
use super::RemoteArgs;
use super::values::length;
use super::{PipelineOptions, WhyArgs};

/// The options of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The artifacts, each with its signature beside it if it is signed
    #[arg(value_name = "ARTIFACT", required = true)]
    pub artifacts: Vec<PathBuf>,
    /// A host, in the order in which they get the builds; may be repeated [default: the one that runs]
    #[arg(
        id = "host",
        long,
        value_name = "PID|NAME|SOCKET|URL",
        help_heading = "Host"
    )]
    pub hosts: Vec<String>,
    /// How addresses are asked.
    #[cfg(feature = "tls")]
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// The signed manifest of all plugins that the hosts run afterwards, with its signature beside it
    ///
    /// Hosts that require signed sets otherwise look at the manifest on their own disk.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// How long each host has to be healthy before the next one gets the builds; 0 for not at all
    #[arg(long, value_name = "TIME", default_value = "300s", value_parser = length)]
    pub watch: Duration,
    /// Only send the builds, and say what the deployment would do
    #[arg(long)]
    pub dry_run: bool,
    /// Deploy also what breaks items that somebody uses
    #[arg(long)]
    pub allow_breaking: bool,
    /// Allow a set of builds that was reverted before
    #[arg(long)]
    pub force: bool,
    /// Print JSON, one object at the end
    #[arg(long)]
    pub json: bool,
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The options of the pipeline.
    #[command(flatten)]
    pub pipeline: PipelineOptions,
}
