//! The options of `completions` and `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: CompletionShell,
}

/// A shell that completes the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    /// GNU Bash, version 4.4 or newer.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// The options of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory, which is made if it does not exist
    #[arg(value_name = "DIRECTORY")]
    pub directory: PathBuf,
}
