//! The options of `audit`.

use clap::{Args, Subcommand};

use super::HistoryOf;

/// The options of `audit`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct AuditArgs {
    /// The action.
    #[command(subcommand)]
    pub action: Option<AuditAction>,
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// The number of records to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to do with an audit.
#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Check whether all records are there as they were written, and name the first that is not
    ///
    /// Each record has the hash of the one before it. Whoever can write the state directory can make all hashes anew, so
    /// compare the last one with the copy in the journal of the system, if the host makes one. The exit code is 1 if a
    /// record is missing or was changed.
    Verify {
        /// The host.
        #[command(flatten)]
        of: HistoryOf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
