//! One file for each subcommand.

mod build;
mod graph;
mod inspect;
mod new;
mod reload;
mod run;
mod seal;

use crate::Error;
use crate::cli::Command;
use crate::session::Session;

/// Runs `command`, and returns the exit code.
pub(crate) fn execute(session: &Session, command: Command) -> Result<u8, Error> {
    match command {
        Command::Build(args) => build::execute(session, &args),
        Command::Run(args) => run::execute(session, &args),
        Command::Reload(args) => reload::execute(session, &args),
        Command::Inspect(args) => inspect::execute(session, &args),
        Command::Seal(args) => seal::execute(session, &args),
        Command::Graph(args) => graph::execute(session, &args),
        Command::New(args) => new::execute(session, &args),
    }
}
