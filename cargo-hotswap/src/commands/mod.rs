//! One file for each subcommand.

#[cfg(feature = "history")]
mod audit;
mod build;
mod completions;
#[cfg(feature = "control")]
mod deploy;
mod graph;
#[cfg(feature = "control")]
mod health;
#[cfg(feature = "history")]
mod history;
mod inspect;
#[cfg(feature = "sign")]
mod keygen;
#[cfg(feature = "control")]
mod live;
#[cfg(feature = "sign")]
mod manifest;
mod new;
#[cfg(feature = "source")]
mod patch;
#[cfg(feature = "control")]
mod patches;
mod reload;
mod run;
mod seal;
#[cfg(feature = "sign")]
mod sign;
#[cfg(any(feature = "control", feature = "history"))]
mod table;
#[cfg(feature = "tls")]
mod token;
#[cfg(feature = "top")]
mod top;
#[cfg(feature = "control")]
mod trace;
#[cfg(feature = "sign")]
mod verify;

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
        #[cfg(feature = "source")]
        Command::Patch(args) => {
            #[cfg(feature = "control")]
            if let Some(action) = &args.action {
                return patches::change(session, action);
            }
            patch::execute(session, &args)
        }
        Command::Seal(args) => seal::execute(session, &args),
        #[cfg(feature = "sign")]
        Command::Keygen(args) => keygen::execute(session, &args),
        #[cfg(feature = "sign")]
        Command::Sign(args) => sign::execute(session, &args),
        #[cfg(feature = "sign")]
        Command::Manifest(args) => manifest::execute(session, &args),
        #[cfg(feature = "sign")]
        Command::Verify(args) => verify::execute(session, &args),
        Command::Graph(args) => graph::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Status(args) => live::status(session, &args),
        #[cfg(feature = "control")]
        Command::Health(args) => health::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Check(args) => live::check(session, &args),
        #[cfg(feature = "control")]
        Command::Deploy(args) => deploy::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Drain(args) => live::drain(session, &args),
        #[cfg(feature = "control")]
        Command::Resume(args) => live::resume(session, &args),
        #[cfg(feature = "control")]
        Command::Freeze(args) => live::freeze(session, &args),
        #[cfg(feature = "control")]
        Command::Unfreeze(args) => live::unfreeze(session, &args),
        #[cfg(feature = "tls")]
        Command::Token(args) => token::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Log(args) => live::log(session, &args),
        #[cfg(feature = "control")]
        Command::Patches(args) => patches::list(session, &args),
        #[cfg(feature = "top")]
        Command::Top(args) => top::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Trace(args) => trace::execute(session, &args),
        #[cfg(feature = "control")]
        Command::Logs(args) => live::logs(session, &args),
        #[cfg(feature = "history")]
        Command::History(args) => history::history(session, &args),
        #[cfg(feature = "history")]
        Command::Audit(args) => audit::execute(session, &args),
        #[cfg(feature = "history")]
        Command::Rollback(args) => history::rollback(session, &args),
        #[cfg(feature = "history")]
        Command::Confirm(args) => history::confirm(session, &args),
        #[cfg(feature = "history")]
        Command::Unhold(args) => history::unhold(session, &args),
        #[cfg(feature = "history")]
        Command::Store(args) => history::store(session, &args.action),
        Command::New(args) => new::execute(session, &args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => completions::man(session, &args),
    }
}
