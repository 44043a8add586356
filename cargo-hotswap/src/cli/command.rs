//! The subcommands with their help texts, and the options that all of them have.

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "source")]
use super::PatchArgs;
#[cfg(feature = "tls")]
use super::TokenArgs;
#[cfg(feature = "top")]
use super::TopArgs;
#[cfg(feature = "history")]
use super::{AuditArgs, ConfirmArgs, HistoryArgs, RollbackArgs, StoreArgs, UnholdArgs};
use super::{
    BuildArgs, CompletionsArgs, GraphArgs, InspectArgs, ManArgs, NewArgs, ReloadArgs, RunArgs,
    SealArgs,
};
#[cfg(feature = "control")]
use super::{
    CheckArgs, DeployArgs, DrainArgs, FreezeArgs, HealthArgs, LogArgs, LogsArgs, PatchesArgs,
    ResumeArgs, StatusArgs, TraceArgs,
};
#[cfg(feature = "sign")]
use super::{KeygenArgs, ManifestArgs, SignArgs, VerifyArgs};

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
    ///
    /// With --attach, no host is started: the plugins are built for a host that runs already, and brought to it whenever it
    /// does not run what is built. A host on this machine that loads them from the directory of the build is asked to reload.
    /// To any other host, also on another machine, builds are deployed through its control endpoint, as `deploy` does it, and
    /// nothing is written to its plugin directory. If the host ends, the command waits for the next one in its place. Ctrl-C
    /// ends the command, and the host goes on.
    Run(RunArgs),
    /// Build what changed and make the running host load it
    ///
    /// The host is found by its plugin directory, so repeat the options with which it was built. With --host or --no-build,
    /// nothing is built, and the host loads what is in its plugin directory.
    ///
    /// A host with a control endpoint is asked through it: the steps are shown as they end, and the command waits until
    /// the rollback window has closed, if the reload has one. Any other host is asked by its signal, which has no options:
    /// with some, nothing is built or reloaded.
    ///
    /// The report is printed to stdout. The exit code is 0 if the host runs the new plugins for good, 1 if it has refused
    /// them, 3 if there is no such plugin, 4 if the reload did not become permanent, and 5 if no host could be asked. If
    /// the command is interrupted, the host goes on by its own rules.
    Reload(ReloadArgs),
    /// Change one function of a plugin in a running host, without touching the sources
    ///
    /// The plugin is built from the sources that its artifact carries, with the function changed, and the host reloads it
    /// as it would reload any build: the plugin's state is handed over, and the host's rollback window applies. The
    /// difference is printed first. Patches of one plugin add up, and the next `cargo hotswap build` or `reload` of the
    /// plugin undoes them. If the build fails or the host refuses it, nothing changes.
    ///
    /// The subcommands are about other patches: those that the host's own code has made, by closures, which `patches`
    /// lists.
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
    /// Each artifact has to be signed by one of the keys. The exit code is 6 if one is not, and 1 if an artifact or a
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
    /// Bring builds to running hosts, one after the other, or to none of them
    ///
    /// All hosts get the builds, and say what they would do with them. Then one host after the other makes them live, and has
    /// to be healthy for as long as --watch says. At the first failure, all hosts that have the builds go back to what they
    /// ran before.
    ///
    /// The builds go into the stores of the hosts, and not into their plugin directories. What was deployed stays, over restarts
    /// and reloads, until the file of the plugin in the plugin directory changes. Hosts need a control endpoint with a history.
    ///
    /// The exit code is 0 if all hosts run the builds for good, 1 if one of them has refused them, 4 if they were live there
    /// and did not become permanent, 5 if a host could not be asked, and 7 if hosts could not go back.
    #[cfg(feature = "control")]
    Deploy(DeployArgs),
    /// Take a plugin out of service, and wait until its running calls have ended
    ///
    /// The host's calls of the plugin fail from then on, until `resume`. The plugin stays loaded.
    #[cfg(feature = "control")]
    Drain(DrainArgs),
    /// Put a plugin of a running host back into service
    #[cfg(feature = "control")]
    Resume(ResumeArgs),
    /// Make a running host refuse all changes, until `unfreeze`
    ///
    /// It refuses reloads, restarts, rollbacks, confirmations, and patches, whoever asks for them, and plugins that go out of
    /// service or come back. An open rollback window goes on by its own rules. A host with a state directory stays frozen over restarts: it
    /// starts on its permanent builds.
    #[cfg(feature = "control")]
    Freeze(FreezeArgs),
    /// Make a running host accept changes again
    #[cfg(feature = "control")]
    Unfreeze(FreezeArgs),
    /// Show or change what a running host and its plugins log, and where
    ///
    /// Each setting that is not named stays as it is. The change lasts until the host ends.
    #[cfg(feature = "control")]
    Log(LogArgs),
    /// Make a token with which somebody may ask a host over TCP
    ///
    /// The token is printed to stdout, once. The file of the host's tokens gets a line with its hash, its role, and the day
    /// on which it expires. Whoever removes the line ends the token.
    #[cfg(feature = "tls")]
    Token(TokenArgs),
    /// List the patches of single functions that the code of a running host has made
    #[cfg(feature = "control")]
    Patches(PatchesArgs),
    /// Show the calls of a function of a running host, as they end
    ///
    /// Told are the calls that the host makes: with the types of its handles, or by name if it has none of the function.
    /// Calls that plugins make of each other are not. When the command ends, nothing of the trace is left in the host.
    #[cfg(feature = "control")]
    Trace(TraceArgs),
    /// Show what a running host does, on a screen that is kept up to date
    ///
    /// Each plugin has a line: its build, its health, the calls in a second, how long they take, those that are running, and
    /// its memory. Below it is what holds replaced builds in memory. The calls are counted for as long as somebody looks, and
    /// some of them are timed.
    ///
    /// Keys: q or F10 quits, Space pauses, < and > choose the column that sorts, I turns the order round, P sorts by calls,
    /// M by memory, L by the time of 99 in 100 calls, T by age, and N by name. The arrows, Home, and End select a line.
    #[cfg(feature = "top")]
    Top(TopArgs),
    /// Show what the pipeline of a running host tells
    #[cfg(feature = "control")]
    Logs(LogsArgs),
    /// Show the attempts to make a generation that a host has made
    ///
    /// The newest attempt comes first. With --state-dir, the host is not running.
    #[cfg(feature = "history")]
    History(HistoryArgs),
    /// Show who has asked a host for what, and check that nothing of it was changed
    ///
    /// Each request that changes something has a record before the host acts on it, with the result `begun`, and another
    /// one with its end. Requests that were refused have one. The newest record comes first. With --state-dir, the host is
    /// not running.
    #[cfg(feature = "history")]
    Audit(AuditArgs),
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
    /// Print the completions of the command for a shell
    ///
    /// They complete `cargo hotswap` as well as `cargo-hotswap`.
    ///
    /// bash: `source <(cargo hotswap completions bash)` in `~/.bashrc`.
    ///
    /// zsh: `cargo hotswap completions zsh > DIRECTORY/_cargo-hotswap`, in a directory of `$fpath`. For `cargo hotswap`, the
    /// completions of Cargo have to be there, too; rustup has them.
    ///
    /// fish: `cargo hotswap completions fish > ~/.config/fish/conf.d/cargo-hotswap.fish`.
    Completions(CompletionsArgs),
    /// Write manual pages of the command and of each subcommand into a directory
    ///
    /// `man -M` wants them in a directory `man1`: `cargo hotswap man ~/.local/share/man/man1`, and then
    /// `man cargo-hotswap-reload`.
    Man(ManArgs),
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
