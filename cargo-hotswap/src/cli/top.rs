//! The options of `top`.

use std::time::Duration;

use clap::Args;

use super::HostArgs;
use super::values::length;

/// The options of `top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// The time between two looks at the host
    #[arg(short = 'd', long, value_name = "TIME", default_value = "1s", value_parser = length)]
    pub delay: Duration,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}
