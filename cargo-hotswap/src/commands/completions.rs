//! `cargo hotswap completions` and `man`, which are made from the command line as it is.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::aot::{Shell, generate};

use crate::Error;
use crate::cli::{Cli, CompletionShell, CompletionsArgs, ManArgs};
use crate::error::{exit, io};
use crate::session::Session;

/// The name by which Cargo finds the command.
const NAME: &str = "cargo-hotswap";

/// Prints the completions for a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<u8, Error> {
    let script = match args.shell {
        CompletionShell::Bash => bash(),
        // Cargo's own completions call its function.
        CompletionShell::Zsh => generated(Shell::Zsh, NAME),
        CompletionShell::Fish => {
            generated(Shell::Fish, NAME) + include_str!("completions/cargo.fish")
        }
    };
    // An error is ignored, since stdout is closed then.
    let _ = std::io::stdout().lock().write_all(script.as_bytes());
    Ok(exit::SUCCESS)
}

/// Returns the script for bash. `clap_complete` does not find the subcommands of a command with a `-` in its name, so the
/// script is made for another name, and registered for the right one.
fn bash() -> String {
    const NAME_IN_SCRIPT: &str = "cargo_hotswap";
    let script = generated(Shell::Bash, NAME_IN_SCRIPT);
    let registers = format!(" {NAME_IN_SCRIPT}\n");
    script.replace(&registers, &format!(" {NAME}\n")) + include_str!("completions/cargo.bash")
}

fn generated(shell: Shell, name: &str) -> String {
    let mut script = vec![];
    generate(shell, &mut Cli::command(), name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a manual page for the command, and one for each subcommand.
pub(crate) fn man(session: &Session, args: &ManArgs) -> Result<u8, Error> {
    let directory = session.absolute(&args.directory);
    std::fs::create_dir_all(&directory).map_err(io("make the directory", &directory))?;
    clap_mangen::generate_to(Cli::command(), &directory)
        .map_err(io("write manual pages to", &directory))?;
    Ok(exit::SUCCESS)
}
