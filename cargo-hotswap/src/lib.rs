//! The library behind `cargo hotswap`, a Cargo subcommand that builds the plugins of a host, runs the host, and reloads
//! the plugins when their sources change.
//!
//! ```console
//! $ cargo hotswap new --workspace app && cd app
//! $ cargo hotswap run
//! ```
//!
//! | command | what it does |
//! |---|---|
//! | `cargo hotswap new` | writes a plugin, a host, or a workspace with both |
//! | `cargo hotswap build` | builds plugins; with `--static` it links them into the host's program |
//! | `cargo hotswap run` | builds the host and its plugins, runs the host, and rebuilds and reloads on each change of a source |
//! | `cargo hotswap reload` | builds what changed, asks the running host to reload it, and prints its report |
//! | `cargo hotswap patch` | builds a plugin with one function changed, and reloads it |
//! | `cargo hotswap deploy` | brings builds to several running hosts, or to none of them |
//! | `cargo hotswap top`, `trace`, `patches` | show what a running host does |
//! | `cargo hotswap inspect` | shows what an artifact says of itself, without running its code, and the sources in it |
//! | `cargo hotswap seal` | signs off artifacts that were changed after the build |
//! | `cargo hotswap keygen` | makes a pair of keys |
//! | `cargo hotswap sign` | signs artifacts |
//! | `cargo hotswap manifest` | lists and signs the builds that belong together |
//! | `cargo hotswap verify` | checks the signatures of artifacts |
//! | `cargo hotswap graph` | shows which plugin needs which |
//! | `cargo hotswap completions`, `man` | print completions for a shell, and write manual pages |
//!
//! The library has one entry point, which the binary and the tests share:
//!
//! ```
//! let code = cargo_hotswap::main_with(["cargo-hotswap", "--version"].map(Into::into));
//! assert_eq!(code, std::process::ExitCode::SUCCESS);
//! ```
//!
//! # Exit codes
//! See [`exit`]. A failure is an [`Error`], which is shown on stderr.
//!
//! # Safety
//! The command runs Cargo, and so the build scripts and macros of the workspace. It never runs code of an artifact:
//! `inspect`, `graph`, `seal`, `sign`, and `verify` only read the file.
//!
//! # Platforms
//! The command is for Unix, and tested on Linux. It is not for Windows.
//!
//! # Limits
//! `reload` finds hosts of the same user on the same machine, by their plugin directory. Without the feature `control` it
//! asks them by their signals only, and `run` cannot attach to one. Without the feature `git` the note of a build does not have the commit of its sources.
//! Without the feature `source` artifacts carry no sources, and without the feature `top` there is no `top`. Without the feature `sign` there is none of `keygen`, `sign`,
//! `manifest`, and `verify`.
//!
//! # For those who change it
//! [`cli`] has the options, and `commands` has one file for each subcommand. Below them, in the order of a build:
//! `workspace` (what Cargo says, and where it is called) → `selection` (which plugins, of which host) → `edges` (what
//! is refused) → `build` (compile each with `cargo rustc`, by way of `cargo`, `call`, and `fresh`) → `features` (what
//! differs) → `install` (note, lock, rename). With `--static` the last two are `linked` (compile each, list them,
//! compile the host with them).
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod asked;
#[cfg(feature = "control")]
mod attached;
mod attribute;
mod beside;
mod build;
mod call;
mod cargo;
#[cfg(feature = "source")]
mod carried;
#[cfg(not(feature = "source"))]
#[path = "not_carried.rs"]
mod carried;
#[cfg(feature = "control")]
mod chosen;
pub mod cli;
mod commands;
#[cfg(feature = "git")]
mod commit;
#[cfg(not(feature = "git"))]
#[path = "no_commit.rs"]
mod commit;
mod compiler;
mod delivery;
mod dep_info;
mod edges;
mod error;
mod features;
#[cfg(feature = "control")]
mod follow;
mod fresh;
mod go_options;
mod graph;
mod host;
mod host_process;
mod hosts;
mod install;
mod interrupt;
mod invocation;
mod linked;
mod manifest;
mod output;
#[cfg(feature = "source")]
mod patch;
mod paths;
mod pending;
mod project;
mod recipient;
mod replay;
mod selection;
mod session;
mod settings;
#[cfg(feature = "sign")]
mod signing;
mod sources;
mod supervisor;
mod thin;
mod timing;
#[cfg(feature = "control")]
mod to_deploy;
mod toolchain;
#[cfg(feature = "top")]
mod top;
mod topic;
mod troubleshooting;
mod ui;
mod unify;
mod watch;
mod worker;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

pub use error::{Error, exit};
#[cfg(feature = "sign")]
pub use signing::SigningError;
pub use topic::Topic;

use clap::Parser as _;
use session::Session;

/// Runs the command line `args`, of which the first is the program's own name, and returns the exit code of the process.
///
/// The second argument may be the word `hotswap`, which Cargo inserts when it starts a subcommand.
///
/// Installs handlers for SIGINT, SIGTERM and SIGHUP, for the rest of the process.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    #[cfg(feature = "source")]
    if let Some(code) = patch::as_rustc(&args) {
        return code;
    }
    if args.get(1).is_some_and(|word| word == "hotswap") {
        args.remove(1);
    }
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(mut error) => {
            go_options::explain(&mut error);
            // Help and version are errors here, too, which go to stdout and exit with 0. A failure to print is
            // ignored, since the stream is closed then.
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
