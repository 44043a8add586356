//! The options of `trace`.

use std::time::Duration;

use clap::Args;

use super::HostArgs;
use super::values::{function, length, sample};

/// The options of `trace`.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The function, after the plugin: `world::hum`, or `world::*` for all functions
    #[arg(value_name = "PLUGIN::FUNCTION", value_parser = function)]
    pub function: (String, String),
    /// Show the arguments and the results, too
    #[arg(long = "args")]
    pub values: bool,
    /// End after this time [default: when the command is interrupted]
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    pub length: Option<Duration>,
    /// Tell of one call in so many [default: of each]
    #[arg(long, value_name = "1/N", value_parser = sample)]
    pub sample: Option<u64>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON, a call a line
    #[arg(long)]
    pub json: bool,
}
