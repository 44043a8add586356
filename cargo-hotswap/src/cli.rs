//! The command line: subcommands and options, named as Cargo names them, with their help texts.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "sign")]
mod signature;
#[cfg(feature = "sign")]
pub use signature::{KeygenArgs, ManifestArgs, PasswordArgs, SignArgs, VerifyArgs};

/// Builds, runs, and reloads the plugins of a running Rust program.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-hotswap",
    bin_name = "cargo hotswap",
    version,
    max_term_width = 100
)]
pub struct Cli {
    /// The options for the output.
    #[command(flatten)]
    pub output: OutputOptions,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The options for the output, which every subcommand has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputOptions {
    /// Print more: commands, plugins and the rule that found them, commits, timing (-vv: all of Cargo's output)
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Print only warnings, errors, and results
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
    /// If the terminal supports them.
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
    /// Watches everything that the plugins are made of, as Cargo knows it: their sources, path dependencies, included
    /// files, build scripts and the files that those read, the manifests, and Cargo's configuration. Contents are
    /// compared, so a changed file counts even if it is older than the build, and links are followed. If a build fails,
    /// the compiler's errors are shown, and the loaded plugins keep running. If it is the first build, or if the host
    /// refuses the plugins and ends, the host starts after the next change that builds. If the host refuses a reload
    /// for a reason that may pass, such as a call that takes long, the reload is tried again.
    ///
    /// Another toolchain (`rust-toolchain.toml`), another target directory, and changes of the host itself need a
    /// restart of the command; a message says so.
    ///
    /// Signals are passed on to the host. The exit code is the host's own, or 128 + n if signal n ended it.
    Run(RunArgs),
    /// Build what changed and make the running host load it
    ///
    /// The host is found by its plugin directory, so repeat the options with which it was built. Its report is printed
    /// to stdout. The exit code is 1 if a reload failed; the host then keeps the plugins that it had.
    Reload(ReloadArgs),
    /// Change one function of a plugin in a running host, without touching the sources
    ///
    /// The plugin is built from the sources that its artifact carries, with the function changed, and the host reloads it
    /// as it would reload any build: the plugin's state is handed over, and the host's rollback window applies. The
    /// difference is printed first. Patches of one plugin add up, and the next `cargo hotswap build` or `reload` of the
    /// plugin undoes them. If the build fails or the host refuses it, nothing changes.
    #[cfg(feature = "source")]
    Patch(PatchArgs),
    /// Show what a built plugin says of itself, without running its code
    Inspect(InspectArgs),
    /// Write a new note into artifacts that were changed after they were built
    ///
    /// `strip` and `patchelf` remove the note that `cargo hotswap build` leaves behind the last byte, and an edit of
    /// the bytes makes the note that of another build. No host loads such a file. Make sure that a change was intended
    /// before you seal the file: afterwards, it cannot be told from a build. Each file is replaced in one step.
    Seal(SealArgs),
    /// Make a pair of keys, with which artifacts are signed
    ///
    /// The keys are those of minisign. A password protects the secret key: without it, nobody can sign with the file.
    /// The public key is printed to stdout. Hosts that require signatures are given that.
    #[cfg(feature = "sign")]
    Keygen(KeygenArgs),
    /// Sign artifacts
    ///
    /// The signature of an artifact is a file beside it, with `.minisig` after its name. It covers all bytes of the
    /// artifact, so sign last. Its trusted comment has the plugin's name and the build id. `minisign -V` checks it, too.
    #[cfg(feature = "sign")]
    Sign(SignArgs),
    /// Write and sign the list of the builds that belong together
    ///
    /// A host that requires manifests accepts these artifacts together, and no others, until the manifest expires. It never
    /// accepts a manifest with a smaller version than one that it has accepted before. Sign the artifacts as well.
    #[cfg(feature = "sign")]
    Manifest(ManifestArgs),
    /// Check the signatures of artifacts
    ///
    /// Each artifact has to be signed by one of the keys. The exit code is 3 if one is not, and 1 if an artifact or a
    /// key cannot be read.
    #[cfg(feature = "sign")]
    Verify(VerifyArgs),
    /// Show which plugin needs which, as text or as a picture, without running their code
    ///
    /// Each plugin has a line, in the order in which a host loads them. Below it stands what the plugin needs, with the
    /// interface, and which plugins need it. A need that is missing, of another version, or part of a circle is marked
    /// and reported on stderr, and makes the exit code 1.
    Graph(GraphArgs),
    /// Show what a running host runs, through its control socket
    #[cfg(feature = "control")]
    Status(StatusArgs),
    /// Show the health of a running host and its plugins
    ///
    /// The exit code is 1 if something does not do its work: if its level is `unhealthy` or `critical`.
    #[cfg(feature = "control")]
    Health(HealthArgs),
    /// Show what a reload would do in a running host, and change nothing
    ///
    /// The exit code is 1 if the reload would break what uses the plugins, or if the host would refuse it.
    #[cfg(feature = "control")]
    Check(CheckArgs),
    /// Take a plugin out of service, and wait until its running calls have ended
    ///
    /// The host's calls of the plugin fail from then on, until `resume`. The plugin stays loaded.
    #[cfg(feature = "control")]
    Drain(DrainArgs),
    /// Put a plugin of a running host back into service
    #[cfg(feature = "control")]
    Resume(ResumeArgs),
    /// Show what the pipeline of a running host tells
    #[cfg(feature = "control")]
    Logs(LogsArgs),
    /// Show the attempts to make a generation that a host has made
    ///
    /// The newest attempt comes first. With --state-dir, the host is not running.
    #[cfg(feature = "history")]
    History(HistoryArgs),
    /// Go back to builds of an earlier time
    ///
    /// In a running host, the first step reverts a reload whose rollback window is open. With --state-dir, the host is not
    /// running, and its next start is on the set of builds that was permanent N sets ago.
    #[cfg(feature = "history")]
    Rollback(RollbackArgs),
    /// Make the builds permanent that are on trial, or that were when the host ended
    ///
    /// With --state-dir, the host is not running.
    #[cfg(feature = "history")]
    Confirm(ConfirmArgs),
    /// Allow sets of builds again that were reverted, or of which the host has died
    #[cfg(feature = "history")]
    Unhold(UnholdArgs),
    /// Show and check the builds that a host keeps to go back to
    #[cfg(feature = "history")]
    Store(StoreArgs),
    /// Write a plugin, a host, or a workspace with both, ready to build, run, and test
    ///
    /// No existing file is overwritten. Below an existing workspace, a plugin or a host becomes a member of it.
    New(NewArgs),
}

const BUILD: &str = "\
Build plugins into shared libraries

A PATH is the directory of a host or of a plugin. The plugins of a host are those that its Cargo.toml lists,

    [package.metadata.hotswap]
    plugins = [\"one\", \"two\"]

or, if it lists none, the workspace members below its directory whose library root has an item
annotated with #[plugin]. A workspace without a package at its root stands for all of its hosts.

The last lines on stdout are the paths of the artifacts, one a line; all other output goes to
stderr. An artifact whose content did not change is left untouched.";

/// The options for compiling plugins, which `build`, `run`, `reload`, and `graph` share.
#[derive(Debug, Clone, Default, Args)]
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
    pub host: Option<PathBuf>,
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
    /// Link the plugins into the host's program, and run that; nothing is watched or reloaded
    #[arg(long = "static", conflicts_with = "out_dir")]
    pub linked: bool,
    /// Arguments for the host
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<std::ffi::OsString>,
    /// The options for compiling the host and its plugins.
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

/// The options of `reload`.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// The host's directory [default: the current directory]
    #[arg(value_name = "HOST", conflicts_with = "manifest_path")]
    pub host: Option<PathBuf>,
    /// Give up after this many seconds without an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The options of `patch`.
#[cfg(feature = "source")]
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true))]
pub struct PatchArgs {
    /// The function, after the plugin: `world::hum`, `world::World::hum`, or `world::*` for all functions
    #[arg(value_name = "PLUGIN::FUNCTION")]
    pub function: String,
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
    /// Give up after this many seconds without an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The options of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The shared library, or the name of a plugin of a running host
    #[arg(value_name = "ARTIFACT|PLUGIN", required_unless_present = "pid")]
    pub artifact: Option<PathBuf>,
    /// Print what is mapped as code into this process: builds of plugins, other libraries, and stale or deleted files
    #[arg(long, value_name = "PID", conflicts_with = "artifact")]
    pub pid: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the sources that the artifact carries
    #[cfg(feature = "source")]
    #[arg(long, conflicts_with = "ast")]
    pub source: bool,
    /// Print the syntax tree of the sources, as JSON
    #[cfg(feature = "source")]
    #[arg(long)]
    pub ast: bool,
    /// Print the source, or the syntax tree, of one function: `hum`, `World::hum`, or `jobs::roll_call`
    #[cfg(feature = "source")]
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

/// The host that a command asks.
#[cfg(feature = "control")]
#[derive(Debug, Clone, Default, Args)]
pub struct HostArgs {
    /// The host: its process id, the name of its program, or its control socket [default: the one that runs]
    #[arg(long, value_name = "PID|NAME|SOCKET", help_heading = "Host")]
    pub host: Option<String>,
}

/// The options of `status`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `health`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Run the checks of this plugin, and show only its health
    #[arg(value_name = "PLUGIN")]
    pub plugin: Option<String>,
    /// Run all checks now, and wait for them [default: show what is known]
    #[arg(long, conflicts_with = "plugin")]
    pub now: bool,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `check`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Artifacts outside of the plugin directory [default: what is in the plugin directory]
    #[arg(value_name = "ARTIFACT")]
    pub artifacts: Vec<PathBuf>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `drain`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub plugin: String,
    /// How long to wait for running calls
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub limit: f64,
    /// Do not wait for running calls
    #[arg(long, conflicts_with = "limit")]
    pub no_wait: bool,
    /// The reason, which callers get
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `resume`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub plugin: String,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `logs`.
#[cfg(feature = "control")]
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on with what happens from now on, until the host ends or the command is interrupted
    #[arg(short, long)]
    pub follow: bool,
    /// Begin after the event with this number
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub after: u64,
    /// The host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Print JSON, an event a line
    #[arg(long)]
    pub json: bool,
}

/// Where the history of a host is: in a directory if it is not running, or in the running host.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct HistoryOf {
    /// The state directory of a host that is not running
    #[arg(long, value_name = "DIRECTORY", help_heading = "Host", required = !cfg!(feature = "control"))]
    #[cfg_attr(feature = "control", arg(conflicts_with = "host"))]
    pub state_dir: Option<PathBuf>,
    /// The running host.
    #[cfg(feature = "control")]
    #[command(flatten)]
    pub host: HostArgs,
}

/// The options of `confirm`.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
}

/// The directory in which a host remembers what it runs.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct StateArgs {
    /// The state directory of a host that is not running
    #[arg(long, value_name = "DIRECTORY")]
    pub state_dir: PathBuf,
}

/// The options of `history`.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// The number of attempts to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Instead, sum up the attempts of the last so many hours
    #[arg(
        long,
        value_name = "HOURS",
        conflicts_with = "limit",
        requires = "state_dir"
    )]
    pub summary: Option<u64>,
    /// Also show how long each step has taken
    #[arg(long, conflicts_with_all = ["summary", "json"])]
    pub steps: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The options of `rollback`.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The host.
    #[command(flatten)]
    pub of: HistoryOf,
    /// The reason, for the log and the history of a running host
    #[cfg(feature = "control")]
    #[arg(long, value_name = "TEXT", conflicts_with = "state_dir")]
    pub reason: Option<String>,
    /// The number of sets to go back
    #[arg(value_name = "N", default_value_t = 1, conflicts_with = "plugin")]
    pub steps: usize,
    /// Instead, replace the build of this plugin only
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    /// The build, by the first digits of its id [default: the last other one that was permanent]
    #[arg(long, value_name = "BUILD", requires = "plugin")]
    pub build: Option<String>,
}

/// The options of `unhold`.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct UnholdArgs {
    /// The state directory.
    #[command(flatten)]
    pub state: StateArgs,
    /// Allow only the sets with this build, by the first digits of its id [default: all sets]
    #[arg(value_name = "BUILD")]
    pub build: Option<String>,
}

/// The options of `store`.
#[cfg(feature = "history")]
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The action.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What to do with a store.
#[cfg(feature = "history")]
#[derive(Debug, Subcommand)]
pub enum StoreAction {
    /// List the sets of builds to which the host can go back, and those that are held
    List(StateArgs),
    /// Check the bytes of every build
    Verify(StateArgs),
    /// Copy a build out of the store, with its signature if the host has kept one
    Export {
        /// The state directory.
        #[command(flatten)]
        state: StateArgs,
        /// The build, by the first digits of its id
        #[arg(value_name = "BUILD")]
        build: String,
        /// The file to write, which must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The options of `seal`.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The shared libraries
    #[arg(required = true, value_name = "FILE")]
    pub artifacts: Vec<PathBuf>,
    /// The artifact from which they were made, whose commit goes into the note [default: the commit in the note of
    /// FILE]
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// The options of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// A host, by its directory or its package's name, or a directory with artifacts [default: the host in the current
    /// directory]
    ///
    /// For a host, these are the artifacts that `cargo hotswap build` has made of its plugins with the same options.
    #[arg(value_name = "HOST|DIR", conflicts_with = "manifest_path")]
    pub path: Option<PathBuf>,
    /// The format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GraphFormat,
    /// The options for compiling plugins.
    #[command(flatten)]
    pub compile: CompileOptions,
}

/// The format of the output of `graph`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Text for people.
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
