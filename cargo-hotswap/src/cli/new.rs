//! The options of `new`.

use std::path::PathBuf;

use clap::Args;

/// The options of `new`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("kind").required(true))]
pub struct NewArgs {
    /// A plugin: a library crate
    #[arg(long, group = "kind")]
    pub plugin: bool,
    /// A host: a program that loads plugins
    #[arg(long, group = "kind")]
    pub host: bool,
    /// A workspace with a host and its first plugin
    #[arg(long, group = "kind")]
    pub workspace: bool,
    /// The directory to create
    #[arg(value_name = "PATH")]
    pub directory: PathBuf,
    /// The package's name [default: the directory's name, in lower case]
    #[arg(long)]
    pub name: Option<String>,
    /// The checkout of hotswap whose crates the packages depend on [default: the one on which the workspace around PATH
    /// depends, or in which this command was built]
    #[arg(long, value_name = "CHECKOUT")]
    pub path: Option<PathBuf>,
}
