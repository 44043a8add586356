//! The options of `run --attach`.

use clap::{Arg, Args};

use super::{HostArgs, WhyArgs};

/// The name of the option without which the others have no effect.
const ATTACH: &str = "attach";

/// The running host to which `run` attaches.
#[derive(Debug, Clone, Default, Args)]
#[command(mut_args(only_with_attach))]
pub struct AttachArgs {
    /// Start no host: build for one that runs already, and bring it what changes
    ///
    /// The host is the one that loads its plugins from the directory of the build, or the one that --host names. It goes on
    /// when the command ends.
    #[arg(id = ATTACH, long, help_heading = "Host",
        conflicts_with_all = ["bin", "no_watch", "start_limit", "linked", "args"])]
    pub attach: bool,
    /// The running host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
}

/// Makes the options about a running host need `--attach`: without it, there is no host yet.
fn only_with_attach(arg: Arg) -> Arg {
    match arg.get_help_heading() {
        Some("Host") if arg.get_id() != ATTACH => arg.requires(ATTACH),
        _ => arg,
    }
}
