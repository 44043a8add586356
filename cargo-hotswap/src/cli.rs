//! What can be typed: the options, named as Cargo names them, and their help texts.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Builds, runs and reloads the plugins of a running Rust program.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-hotswap",
    bin_name = "cargo hotswap",
    version,
    max_term_width = 100
)]
pub struct Cli {
    /// What is printed, and how.
    #[command(flatten)]
    pub output: OutputOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand: what is printed, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Say more: commands, plugins and the rule that found them, commit, timing (-vv: all of Cargo's output)
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but warnings, errors and results
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        env = "CARGO_TERM_COLOR",
        hide_env = true,
        global = true
    )]
    pub color: Option<Color>,
}

/// When to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that shows them.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build plugins into shared libraries
    #[command(long_about = BUILD)]
    Build(BuildArgs),
    /// Build a host and its plugins, run it, and reload it whenever a plugin's sources change
    ///
    /// What is watched is what the plugins are really made of, as Cargo knows it: their sources, path dependencies,
    /// included files, build scripts and what those read, the manifests, and Cargo's configuration. Contents are
    /// compared, so that a file which is older than the build counts too, and links are followed. When a build fails,
    /// the compiler's own text is shown and the loaded version goes on; where it is the first one, or the host refuses
    /// it and ends, the host starts after the next change that builds. A reload that the host refuses for a reason
    /// which may pass, such as a call that takes long, is tried again.
    ///
    /// Another toolchain (`rust-toolchain.toml`), another target directory, and changes of the host itself need
    /// another start, which is said.
    ///
    /// Signals are passed on, and the exit code is the host's own, or 128 + n where signal n ended it.
    Run(RunArgs),
    /// Build what changed and make the running host load it
    ///
    /// The host is found by its plugin directory, so give the options it was built with. Its report is printed to
    /// stdout. The exit code is 1 where a reload failed; the host then goes on with what it had.
    Reload(ReloadArgs),
    /// Show what a built plugin says about itself, without running its code
    Inspect(InspectArgs),
    /// Write a new note into artifacts that were changed after they were built
    ///
    /// `strip` and `patchelf` remove the note that `cargo hotswap build` leaves behind the last byte, and an edit of the
    /// bytes makes it that of another build, so that no host loads the file. Check that a change was meant before you
    /// seal it: from then on nothing tells it from a build. Each file is replaced in one step.
    Seal(SealArgs),
    /// Show which plugin needs which, as a text or a picture, without running their code
    ///
    /// A line for each plugin, in the order in which a host loads them; below it what it needs, with the interface,
    /// and who needs it. What is missing, of another version or part of a circle is marked, told on stderr, and makes
    /// the exit code 1.
    Graph(GraphArgs),
    /// Write a plugin, a host, or a workspace with both, ready to build, run and test
    ///
    /// Nothing that exists is overwritten. Below an existing workspace, a plugin or a host becomes a member of it.
    New(NewArgs),
}

const BUILD: &str = "\
Build plugins into shared libraries

A PATH is a host's directory or a plugin's own. The plugins of a host are those its Cargo.toml lists,

    [package.metadata.hotswap]
    plugins = [\"one\", \"two\"]

or, where it lists none, the workspace members below its directory whose library root has an item
annotated with #[plugin]. A workspace without a package at its root stands for all its hosts.

The last lines on stdout are the paths of the artifacts, one a line; everything else goes to
stderr. An artifact whose content did not change is left untouched.";

/// How plugins are compiled, shared by `build`, `run`, `reload` and `graph`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Compilation")]
pub struct CompileOptions {
    /// Features to activate, of the packages that have them (`PACKAGE/FEATURE` for one package)
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
    /// How the names of what is live begin, in modules with a plain `#[live]` [default: live_]
    #[arg(long, value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new())]
    pub live_prefix: Option<String>,
    /// Require that Cargo.lock stays as it is
    #[arg(long, help_heading = "Manifest")]
    pub locked: bool,
    /// Do not use the network
    #[arg(long, help_heading = "Manifest")]
    pub offline: bool,
    /// Same as --locked and --offline
    #[arg(long, help_heading = "Manifest")]
    pub frozen: bool,
    /// The Cargo.toml to start from, instead of the one of the current directory
    #[arg(long, value_name = "PATH", help_heading = "Manifest")]
    pub manifest_path: Option<PathBuf>,
    /// Cargo's directory for everything it generates
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<PathBuf>,
    /// Where the plugins go [default: hotswap/PROFILE/HOST in Cargo's target directory]
    #[arg(long, value_name = "DIRECTORY")]
    pub out_dir: Option<PathBuf>,
    /// Leave temporary files where they are when a build fails or is interrupted
    #[arg(long)]
    pub keep_temps: bool,
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
    /// Link the plugins of each host into its program, and build that: nothing is loaded, or reloaded
    #[arg(
        long = "static",
        conflicts_with = "out_dir",
        help_heading = "Static linking"
    )]
    pub linked: bool,
    /// The host's binary, where it has several and no `default-run`
    #[arg(
        long,
        value_name = "NAME",
        requires = "linked",
        help_heading = "Static linking"
    )]
    pub bin: Option<String>,
    /// Build nothing: remove what --static has generated for these hosts with these options
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
    /// The form of what is printed to stdout; json has Cargo's messages and one `hotswap-artifact` for each plugin
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub message_format: MessageFormat,
    /// For rustc. With a second `--`, what is before it goes to Cargo: `-- --timings -- -C target-cpu=native`
    #[arg(last = true, value_name = "RUSTC-OR-CARGO-ARGS")]
    pub args: Vec<String>,
    /// How plugins are compiled.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The form of what `build` prints to stdout.
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
    pub host: Option<PathBuf>,
    /// The host's binary, where it has several and no `default-run`
    #[arg(long, value_name = "NAME")]
    pub bin: Option<String>,
    /// Do not watch: build once, then only run
    #[arg(long)]
    pub no_watch: bool,
    /// Look for changes each so many seconds [1 by default], instead of waiting for the file system to report them: for network file
    /// systems, and directories that a virtual machine or a container shares
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
    /// Link the plugins into the host's program, and run that: nothing is watched or reloaded
    #[arg(long = "static", conflicts_with = "out_dir")]
    pub linked: bool,
    /// For the host
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<std::ffi::OsString>,
    /// How host and plugins are compiled.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The name of a profile, as Cargo takes it. It becomes the name of a directory.
fn profile(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    match !text.is_empty() && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("the name of a profile is letters, digits, `-` and `_`".into()),
    }
}

/// A target, or the file that describes one. Its name becomes that of a directory.
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
        false => Err("the name of a target is letters, digits, `-`, `_` and `.`, or that of a file that ends in `.json`".into()),
    }
}

/// A pause that is neither none nor for ever.
fn seconds(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.01..=3600.0).contains(seconds))
        .ok_or_else(|| "it is a number of seconds, from 0.01 to 3600".into())
}

/// The options of `reload`.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// The host's directory [default: the current directory]
    #[arg(value_name = "HOST", conflicts_with = "manifest_path")]
    pub host: Option<PathBuf>,
    /// Give up after this many seconds without an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// How plugins are compiled.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The shared library
    pub artifact: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The shared libraries
    #[arg(required = true, value_name = "FILE")]
    pub artifacts: Vec<PathBuf>,
    /// The artifact that they were made from, whose commit is noted [default: the commit that FILE still names]
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// The options of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// A host, by its directory or its package's name, or a directory with artifacts [default: the host in the current
    /// directory]
    ///
    /// For a host the artifacts are those that `cargo hotswap build` has made of its plugins with the same options.
    #[arg(value_name = "HOST|DIR", conflicts_with = "manifest_path")]
    pub path: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GraphFormat,
    /// How plugins are compiled.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// What `graph` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For people.
    #[default]
    Text,
    /// For Graphviz: `dot -Tsvg`.
    Dot,
    /// For Markdown.
    Mermaid,
}

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
    /// The directory to make
    #[arg(value_name = "PATH")]
    pub directory: PathBuf,
    /// The package's name [default: the directory's name, in lower case]
    #[arg(long)]
    pub name: Option<String>,
    /// Depend on hotswap's crates in this checkout of it [default: the one that the workspace around PATH depends on, or
    /// that this command was built in]
    #[arg(long, value_name = "CHECKOUT")]
    pub path: Option<PathBuf>,
}
