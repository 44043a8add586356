//! The options for compiling plugins, and those of `build`, `run`, and `patch`.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

#[cfg(feature = "control")]
use super::AttachArgs;
#[cfg(all(feature = "control", feature = "source"))]
use super::{PatchAction, WhyArgs};

/// The options for compiling plugins, which `build`, `run`, `reload`, and `graph` share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Compilation")]
pub struct CompileOptions {
    /// Features to activate, in the packages that have them (`PACKAGE/FEATURE` for one package)
    #[arg(short = 'F', long, value_name = "FEATURES", value_delimiter = ',')]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub all_features: bool,
    /// Do not activate the default features
    #[arg(long)]
    pub no_default_features: bool,
    /// Build in release mode
    #[arg(short, long, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile
    #[arg(long, value_name = "PROFILE-NAME", value_parser = profile)]
    pub profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE", value_parser = target)]
    pub target: Option<String>,
    /// The prefix of the names of live items, in modules with a plain `#[live]` [default: live_]
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new())]
    pub live_prefix: Option<String>,
    /// Require that Cargo.lock does not change
    #[arg(long, help_heading = "Manifest")]
    pub locked: bool,
    /// Do not use the network
    #[arg(long, help_heading = "Manifest")]
    pub offline: bool,
    /// Same as --locked and --offline
    #[arg(long, help_heading = "Manifest")]
    pub frozen: bool,
    /// The Cargo.toml to start from, instead of that of the current directory
    #[arg(long, value_name = "PATH", help_heading = "Manifest")]
    pub manifest_path: Option<PathBuf>,
    /// Cargo's directory for everything that it generates
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// The directory for the plugins [default: hotswap/PROFILE/HOST in Cargo's target directory]
    #[arg(long, value_name = "DIRECTORY")]
    pub out_dir: Option<PathBuf>,
    /// Keep temporary files when a build fails or is interrupted
    #[arg(long)]
    pub keep_temps: bool,
    /// Put each plugin's sources into its artifact, as is done by default in profiles that inherit from `dev`
    #[cfg(feature = "source")]
    #[arg(long, conflicts_with = "strip_source")]
    pub source: bool,
    /// Put no sources into the artifacts
    #[cfg(feature = "source")]
    #[arg(long)]
    pub strip_source: bool,
}

/// The options of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Directories of hosts or plugins [default: the current directory]
    #[arg(value_name = "PATH", conflicts_with = "manifest_path")]
    pub paths: Vec<PathBuf>,
    /// Build only these plugins, or the plugins of these hosts, by the package's name or the plugin's own
    #[arg(
        short,
        long = "package",
        value_name = "NAME",
        help_heading = "Packages"
    )]
    pub package: Vec<String>,
    /// Build every plugin of the workspace
    #[arg(long, conflicts_with_all = ["package", "paths"], help_heading = "Packages")]
    pub workspace: bool,
    /// Leave out these plugins or hosts
    #[arg(long, value_name = "NAME", help_heading = "Packages")]
    pub exclude: Vec<String>,
    /// Link the plugins of each host into its program, and build that; no plugin is loaded or reloaded
    #[arg(
        long = "static",
        conflicts_with = "out_dir",
        help_heading = "Static linking"
    )]
    pub linked: bool,
    /// The host's binary, if it has several and no `default-run`
    #[arg(
        long,
        value_name = "NAME",
        requires = "linked",
        help_heading = "Static linking"
    )]
    pub bin: Option<String>,
    /// Build nothing; remove what --static has generated for these hosts with these options
    #[arg(
        long,
        requires = "linked",
        conflicts_with = "dry_run",
        help_heading = "Static linking"
    )]
    pub clean: bool,
    /// Print the commands instead of running them
    #[arg(long)]
    pub dry_run: bool,
    /// The format of stdout; json has Cargo's messages, and one `hotswap-artifact` for each plugin
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// Arguments for rustc. With a second `--`, those before it go to Cargo: `-- --timings -- -C target-cpu=native`
    #[arg(last = true, value_name = "RUSTC-OR-CARGO-ARGS")]
    pub args: Vec<String>,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The format of stdout of `build`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// The paths of the artifacts.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// The options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The host's directory [default: the current directory]
    #[arg(value_name = "HOST", conflicts_with = "manifest_path")]
    pub of: Option<PathBuf>,
    /// The host's binary, if it has several and no `default-run`
    #[arg(long, value_name = "NAME")]
    pub bin: Option<String>,
    /// Do not watch: build once, and run
    #[arg(long)]
    pub no_watch: bool,
    /// Check for changes every so many seconds [1 by default], instead of waiting for the file system to report them:
    /// for network file systems, and for directories that a virtual machine or a container shares
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = seconds,
        conflicts_with_all = ["no_watch", "linked"]
    )]
    pub poll: Option<f32>,
    /// Give the host so many seconds from its start until it can be asked to reload
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds,
        conflicts_with_all = ["no_watch", "linked"])]
    pub start_limit: f32,
    /// Link the plugins into the host's program, and run that; nothing is watched or reloaded
    #[arg(long = "static", conflicts_with = "out_dir")]
    pub linked: bool,
    /// Arguments for the host
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<std::ffi::OsString>,
    /// The host that runs already, if there is one.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub attach: AttachArgs,
    /// The options for compiling the host and its plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The options of `patch`.
#[cfg(feature = "source")]
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true))]
#[cfg_attr(
    feature = "control",
    command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)
)]
pub struct PatchArgs {
    /// What to do with the versions that the host's own code has made.
    #[cfg(feature = "control")]
    #[command(subcommand)]
    pub action: Option<PatchAction>,
    /// The function, after the plugin: `world::hum`, `world::World::hum`, or `world::*` for all functions
    #[arg(value_name = "PLUGIN::FUNCTION", required = true)]
    pub function: Option<String>,
    /// The host's directory [default: the current directory]
    #[arg(value_name = "HOST", conflicts_with = "manifest_path")]
    pub host: Option<PathBuf>,
    /// Replace the function by the one in this file
    ///
    /// The signature has to stay. If the text has no attributes or no visibility, the function keeps those that it has.
    #[arg(long, value_name = "FILE", group = "change")]
    pub file: Option<PathBuf>,
    /// Edit the function in the editor that $VISUAL or $EDITOR names
    #[arg(long, group = "change")]
    pub edit: bool,
    /// Put code into the function: `start: CODE`, `end: CODE`, `statement N: CODE`, or `arm N: CODE`
    ///
    /// The code is one or more statements. It is put before the first statement, before the function's value, before the
    /// Nth statement, or to the start of the Nth arm of the first `match`. Numbers start at 1.
    #[arg(long, value_name = "PLACE: CODE", group = "change")]
    pub inject: Option<String>,
    /// Let the plugin's fields start anew if it does not save its state
    #[arg(long)]
    pub reset_state: bool,
    /// Print the difference, and do nothing else
    #[arg(long)]
    pub dry_run: bool,
    /// Give up after this many seconds without an answer [default: 60, if the host is asked by its signal]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Who asks, and why.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub why: WhyArgs,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// Parses the name of a profile, as Cargo takes it. The name becomes that of a directory.
fn profile(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    match !text.is_empty() && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("the name of a profile has letters, digits, `-`, and `_` only".into()),
    }
}

/// Parses a target, or the file that describes one. Its name becomes that of a directory.
fn target(text: &str) -> Result<String, String> {
    let path = Path::new(text);
    let is_file = path.extension().is_some_and(|it| it == "json");
    let name = if is_file {
        path.file_stem()
    } else {
        Some(path.as_os_str())
    };
    let name = name.and_then(|name| name.to_str()).unwrap_or_default();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name.contains(char::is_alphanumeric) && name.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("a target is a name of letters, digits, `-`, `_`, and `.`, or a file that ends in `.json`".into()),
    }
}

/// Parses a number of seconds for a pause.
fn seconds(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.01..=3600.0).contains(seconds))
        .ok_or_else(|| "it has to be a number of seconds, from 0.01 to 3600".into())
}
