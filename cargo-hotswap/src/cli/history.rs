//! The options of the commands for the history of a host.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[cfg(feature = "control")]
use super::{HostArgs, WhyArgs};

/// Where the history of a host is: in a directory if it is not running, or in the running host.
#[derive(Debug, Args)]
pub struct HistoryOf {
    /// The state directory of a host that is not running
    #[arg(long, value_name = "DIRECTORY", help_heading = "Host", required = !cfg!(feature = "control"))]
    #[cfg_attr(feature = "control", arg(conflicts_with = "host"))]
    pub state_dir: Option<PathBuf>,
    /// The running host.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `confirm`.
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// Why.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub why: WhyArgs,
}

/// The directory in which a host remembers what it runs.
#[derive(Debug, Args)]
pub struct StateArgs {
    /// The state directory of a host that is not running
    #[arg(long, value_name = "DIRECTORY")]
    pub state_dir: PathBuf,
}

/// The options of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// The number of attempts to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Instead, sum up the attempts of the last so many hours
    #[arg(
        long,
        value_name = "HOURS",
        conflicts_with = "limit",
        requires = "state_dir"
    )]
    pub summary: Option<u64>,
    /// Also show how long each step has taken
    #[arg(long, conflicts_with_all = ["summary", "json"])]
    pub steps: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// Why.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub why: WhyArgs,
    /// The number of sets to go back
    #[arg(value_name = "N", default_value_t = 1, conflicts_with = "plugin")]
    pub steps: usize,
    /// Instead, replace the build of this plugin only
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    /// The build, by the first digits of its id [default: the last other one that was permanent]
    #[arg(long, value_name = "BUILD", requires = "plugin")]
    pub build: Option<String>,
}

/// The options of `unhold`.
#[derive(Debug, Args)]
pub struct UnholdArgs {
    /// The state directory.
    #[command(flatten)]
    pub state: StateArgs,
    /// Why.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub why: WhyArgs,
    /// Allow only the sets with this build, by the first digits of its id [default: all sets]
    #[arg(value_name = "BUILD")]
    pub build: Option<String>,
}

/// The options of `store`.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The action.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreAction {
    /// List the sets of builds to which the host can go back, and those that are held
    List(StateArgs),
    /// Check the bytes of every build
    Verify(StateArgs),
    /// Copy a build out of the store, with its signature if the host has kept one
    Export {
        /// The state directory.
        #[command(flatten)]
        state: StateArgs,
        /// The build, by the first digits of its id
        #[arg(value_name = "BUILD")]
        build: String,
        /// The file to write, which must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
