//! The library behind `cargo hotswap`: build a host's plugins, run the host, reload it, look into an artifact, and
//! write a first project.
//!
//! ```text
//! cargo hotswap build | run | reload | inspect | graph | new
//! ```
//!
//! # Map
//! [`cli`] is what can be typed, `commands` has one file per subcommand. Below them, in the order a build goes:
//! `workspace` (what Cargo says, and where it is called) → `selection` (which plugins, of which host) → `edges` (what is
//! refused) → `build` (compile each with `cargo rustc`, by way of `cargo`, `call` and `fresh`) → `features` (what differs)
//! → `install` (note, lock, rename). With `--static` the last two are
//! `linked` (compile each, list them, compile the host with them).
//!
//! # Exit codes
//! See [`exit`]. What went wrong is an [`Error`], shown on stderr.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod attribute;
mod build;
mod call;
mod cargo;
pub mod cli;
mod commands;
#[cfg(feature = "git")]
mod commit;
#[cfg(not(feature = "git"))]
#[path = "no_commit.rs"]
mod commit;
mod dep_info;
mod edges;
mod error;
mod features;
mod fresh;
mod go_options;
mod graph;
mod host;
mod host_process;
mod hosts;
mod install;
mod interrupt;
mod linked;
mod manifest;
mod output;
mod paths;
mod pending;
mod project;
mod selection;
mod session;
mod settings;
mod sources;
mod supervisor;
mod ui;
mod watch;
mod worker;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

pub use error::{Error, exit};

use clap::Parser as _;
use session::Session;

/// Runs the command line `args`, the program's own name first, and returns what the process should exit with.
///
/// The word `hotswap`, which Cargo inserts when it starts a subcommand, may be there or not.
///
/// Installs handlers for SIGINT, SIGTERM and SIGHUP, for the rest of the process.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == "hotswap") {
        args.remove(1);
    }
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(mut error) => {
            go_options::explain(&mut error);
            // Help and version come this way too, as errors that go to stdout and exit with 0. Where stderr is
            // closed there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                exit::USAGE
            } else {
                exit::SUCCESS
            });
        }
    };
    let result =
        Session::new(&cli.output).and_then(|session| commands::execute(&session, cli.command));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            ui::print_error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
