//! The options of `patches`, and of what `patch` does with the versions of a plugin.

use clap::Args;
#[cfg(feature = "source")]
use clap::Subcommand;

use super::HostArgs;
#[cfg(feature = "source")]
use super::WhyArgs;

/// The options of `patches`.
#[derive(Debug, Args)]
pub struct PatchesArgs {
    /// The plugin [default: all that have patches]
    #[arg(value_name = "PLUGIN")]
    pub plugin: Option<String>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the sources of the closures that were made with `patch!`
    #[arg(long, conflicts_with = "json")]
    pub source: bool,
    /// Print the syntax trees of these closures, as JSON
    #[cfg(feature = "source")]
    #[arg(long, conflicts_with_all = ["json", "source"])]
    pub ast: bool,
}

/// What `patch` does with the versions that patches by the host's own code have made.
#[cfg(feature = "source")]
#[derive(Debug, Subcommand)]
pub enum PatchAction {
    /// Take the last patches away that the host's own code has made
    ///
    /// `cargo hotswap patches` lists them. Running calls end in the version in which they began.
    Rollback {
        /// The number of patches
        #[arg(value_name = "N", default_value_t = 1)]
        count: usize,
        /// The plugin, the host, and why.
        #[command(flatten)]
        of: PatchedArgs,
    },
    /// Apply patches again that were rolled back
    Redo {
        /// The number of patches
        #[arg(value_name = "N", default_value_t = 1)]
        count: usize,
        /// The plugin, the host, and why.
        #[command(flatten)]
        of: PatchedArgs,
    },
    /// Take all patches of a plugin away, for good
    Reset {
        /// The plugin, the host, and why.
        #[command(flatten)]
        of: PatchedArgs,
    },
}

/// The plugin whose patches are changed.
#[cfg(feature = "source")]
#[derive(Debug, Args)]
pub struct PatchedArgs {
    /// The plugin [default: the one that has patches]
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    /// Why.
    #[command(flatten)]
    pub why: WhyArgs,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
