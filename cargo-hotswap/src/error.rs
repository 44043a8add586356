//! The errors of the command, and its exit codes.

use std::path::{Path, PathBuf};
#[cfg(feature = "control")]
use std::time::Duration;

#[cfg(feature = "control")]
use hotswap_control::ClientError;
#[cfg(feature = "control")]
use hotswap_control::api::FailureKind;
use hotswap_host::artifact::{ArtifactError, FindError};
use hotswap_host::runtime::{RefusedDir, WaitError};
use hotswap_host::shown;
use hotswap_host::{PluginName, ReloadError};

use crate::topic::Topic;

/// The exit codes of `cargo hotswap`.
///
/// `run` exits with the code of the host, or 128 + n if signal n ended it.
pub mod exit {
    /// The command succeeded.
    pub const SUCCESS: u8 = 0;
    /// Something failed, and stderr says what. For `reload`: the host refused the new plugins, and keeps the old ones.
    pub const FAILURE: u8 = 1;
    /// The command line is invalid, or asks a host for an option that it does not have.
    pub const USAGE: u8 = 2;
    /// There is nothing of this name in the host: no plugin, and no build.
    pub const NOT_FOUND: u8 = 3;
    /// The new plugins were live, and did not become permanent: the host has reverted them, or they were superseded.
    pub const NOT_PERMANENT: u8 = 4;
    /// No host could be asked: none runs, it may not be asked, or it does not answer.
    pub const NO_HOST: u8 = 5;
    /// For `verify`: an artifact has no signature, or one that does not count.
    pub const SIGNATURE: u8 = 6;
    /// For `deploy`: the deployment has failed, and not all hosts could go back to what they ran before.
    pub const MIXED: u8 = 7;
    /// A compilation failed. Cargo itself exits with the same code.
    pub const COMPILATION: u8 = 101;
    /// Added to the number of the signal that interrupted the command.
    pub const SIGNAL: u8 = 128;
}

/// Every error that a user of the command can meet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command was started in a directory that is gone or cannot be read.
    #[error("cannot find the current directory")]
    CurrentDir {
        /// The reason.
        source: std::io::Error,
    },
    /// The signal handlers could not be installed.
    #[error("cannot install the signal handlers")]
    Signals {
        /// The reason.
        source: std::io::Error,
    },
    /// A signal ended the command.
    #[error("interrupted by signal {signal}")]
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// The sources of a build changed while it ran beside a host. Another build begins.
    #[error("the sources have changed since this build began")]
    Superseded,
    /// A file or directory could not be used.
    #[error("cannot {action} `{}`", shown::path(path))]
    Io {
        /// The action that the command tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The list of the files that are mapped into a process cannot be read.
    #[error(
        "cannot find out what is mapped into process {pid}; name the process of a host of yours, as `pgrep` shows it"
    )]
    NotScanned {
        /// The process.
        pid: u32,
        /// The reason.
        source: std::io::Error,
    },
    /// A link, a pipe, or a device lies where the build keeps a file of its own.
    #[error(
        "`{}` is not a file but a link, a pipe, or a device; remove it",
        shown::path(path)
    )]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A link lies where the command removes only directories of its own.
    #[error(
        "`{}` is a link, behind which nothing is removed; remove the link or its target by hand",
        shown::path(path)
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The history of a host cannot be read or changed.
    #[cfg(feature = "history")]
    #[error(transparent)]
    History(#[from] hotswap_operate::HistoryError),
    /// There is no state directory at this path.
    #[cfg(feature = "history")]
    #[error(
        "there is no history in `{}`; name the directory that the host gives to `History::open`",
        shown::path(directory)
    )]
    NoHistory {
        /// The directory.
        directory: PathBuf,
    },
    /// No builds were on trial.
    #[cfg(feature = "history")]
    #[error("nothing was on trial when the host ended, so there is nothing to confirm")]
    NothingOnTrial,
    /// Builds in a store are damaged.
    #[cfg(feature = "history")]
    #[error(
        "{count} of the builds in the store are damaged; remove them, or copy them from another machine"
    )]
    DamagedBuilds {
        /// The number of builds.
        count: usize,
    },
    /// The audit of a host is not as it was written.
    #[cfg(feature = "history")]
    #[error(
        "{whole} as they were written, and then {broken}; what is after it proves nothing, so look at the copy in the journal of the system"
    )]
    BrokenAudit {
        /// The number of records before the break.
        whole: String,
        /// The break.
        broken: String,
    },
    /// There is no Cargo.toml where one was expected.
    #[error(
        "no Cargo.toml in `{}`{}; name the directory of a host or of a plugin (--out-dir sets where plugins are built to)",
        shown::path(directory), if *above { " or above it" } else { "" }
    )]
    NoManifest {
        /// The directory in which it was looked for.
        directory: PathBuf,
        /// True if the directories above were searched, too.
        above: bool,
    },
    /// `cargo metadata` failed.
    #[error("cargo cannot read the workspace of `{}`", shown::path(manifest))]
    Metadata {
        /// The manifest.
        manifest: PathBuf,
        /// Cargo's message.
        source: Box<cargo_metadata::Error>,
    },
    /// A file is not valid TOML, or not what Cargo expects.
    #[error("`{}` is invalid", shown::path(path))]
    Toml {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Box<toml::de::Error>,
    },
    /// `[package.metadata.hotswap]` is invalid.
    #[error(
        "[package.metadata.hotswap] in `{}` is invalid; write `plugins = [\"name\", …]`",
        shown::path(manifest)
    )]
    MetadataSection {
        /// The Cargo.toml.
        manifest: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
    /// A name is not that of a package of the workspace.
    #[error(
        "{by} names `{name}`, which is not a package of the workspace `{}`{}",
        shown::path(workspace),
        known(candidates)
    )]
    UnknownPackage {
        /// The option or the Cargo.toml with the name.
        by: String,
        /// The name.
        name: String,
        /// The workspace's root.
        workspace: PathBuf,
        /// The names that could have been meant.
        candidates: Vec<String>,
    },
    /// A package that was listed as a plugin has no library.
    #[error(
        "`{name}` is listed as a plugin in `{}`, but has no library; a plugin is a library crate with #[plugin] in its root",
        shown::path(by)
    )]
    NoLibrary {
        /// The package.
        name: String,
        /// The Cargo.toml that lists it.
        by: PathBuf,
    },
    /// A host, or a workspace, has no plugins.
    #[error(
        "no plugins found for `{of}`: {} lists none under [package.metadata.hotswap], and no workspace member below its \
         directory has #[plugin] in its library root",
        shown::path(manifest)
    )]
    NoPlugins {
        /// The package or workspace.
        of: String,
        /// Its Cargo.toml.
        manifest: PathBuf,
    },
    /// `--package` and `--exclude` left nothing to do.
    #[error("nothing to build: none of the plugins {found:?} was selected")]
    NothingSelected {
        /// The plugins that were found.
        found: Vec<String>,
    },
    /// `run`, `reload`, and `graph` need one host.
    #[error(
        "`{}` has {}; name the directory of one",
        shown::path(manifest),
        several("host", "hosts", candidates)
    )]
    NotOneHost {
        /// The manifest from which the search began.
        manifest: PathBuf,
        /// The directories of the hosts that were found.
        candidates: Vec<String>,
    },
    /// The files of two plugins would have the same name.
    #[error(
        "the plugins `{first}` and `{second}` would both be `{file}`; rename one of the libraries"
    )]
    SameFile {
        /// One plugin.
        first: String,
        /// The other plugin.
        second: String,
        /// The name of the file.
        file: String,
    },
    /// A crate would contain a plugin's code statically.
    #[error(
        "{what} `{from}` depends on the plugin `{plugin}` ({chain}, in `{}`), so it would contain a copy that is never \
         swapped; remove that dependency, and move what both need to a crate that is not a plugin",
        shown::path(manifest)
    )]
    DependsOnPlugin {
        /// `the host` or `the plugin`.
        what: &'static str,
        /// The package with the dependency.
        from: String,
        /// The plugin.
        plugin: String,
        /// The packages on the way there.
        chain: String,
        /// The Cargo.toml with the last edge of the chain.
        manifest: PathBuf,
    },
    /// `--static` was used for a plugin without a host.
    #[error("--static links plugins into a host, but {} was named without one; name the directory of the host", plugins.join(", "))]
    LinkedWithoutHost {
        /// The plugins.
        plugins: Vec<String>,
    },
    /// A host does not ask for the plugins that are linked into it.
    #[error(
        "`{host}` was built without its plugins, since `{}` and its modules do not ask for them; where the swapper is built, \
         write `Swapper::builder().linked(hotswap_host::linked_plugins!())`",
        shown::path(source_file)
    )]
    NotLinked {
        /// The host's package.
        host: String,
        /// The root of its program.
        source_file: PathBuf,
    },
    /// A plugin has `panic = "abort"`.
    #[error("{origin} makes a panic in a plugin end the whole program; {remedy}")]
    PanicAbort {
        /// The setting, and where it is.
        origin: String,
        /// The way out.
        remedy: String,
    },
    /// A plugin has `-C prefer-dynamic`.
    #[error(
        "{origin} links the standard library as a shared library, so that unloading a plugin would crash; remove it"
    )]
    PreferDynamic {
        /// The setting and where it is, or the plugin in which it was found.
        origin: String,
    },
    /// No package has this feature.
    #[error("no package to build has the feature `{feature}`")]
    UnknownFeature {
        /// The feature, as it was given.
        feature: String,
    },
    /// Cargo could not be started.
    #[error("cannot start `{program}`; check that Cargo is installed and on the path")]
    StartCargo {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Cargo's messages could not be read.
    #[error("cannot read the output of `{program}`")]
    CargoOutput {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A compilation failed. The compiler's message is on stderr already.
    #[error(
        "`{package}` was not built{}{}",
        code.map(|code| format!(" (cargo exited with {code})")).unwrap_or_default(),
        hint.map(|hint| format!("; {hint}")).unwrap_or_default()
    )]
    Compilation {
        /// The package.
        package: String,
        /// Cargo's exit code, if it had one.
        code: Option<i32>,
        /// The way out, if the compiler does not know it.
        hint: Option<&'static str>,
    },
    /// Cargo succeeded, but reported no such file.
    #[error("cargo built `{package}`, but reported no {wanted}")]
    NoArtifact {
        /// The package.
        package: String,
        /// The expected file.
        wanted: &'static str,
    },
    /// The library that was built is not a plugin, or cannot be read as one.
    #[error("the library of `{package}` cannot be used as a plugin")]
    NotAPlugin {
        /// The package.
        package: String,
        /// The reason.
        source: Box<ArtifactError>,
    },
    /// A file is not a plugin.
    #[error(transparent)]
    Artifact(Box<ArtifactError>),
    /// A directory of artifacts cannot be searched.
    #[error(transparent)]
    Find(Box<FindError>),
    /// Artifacts do not fit together.
    #[error(transparent)]
    Set(Box<ReloadError>),
    /// No host would load these plugins together. Messages about the reasons came before.
    #[error("a host would refuse these plugins")]
    WouldBeRefused,
    /// A directory has no artifacts.
    #[error(
        "the directory `{}` has no plugins; name a host, or a directory that `cargo hotswap build` writes to",
        shown::path(directory)
    )]
    NoArtifacts {
        /// The directory.
        directory: PathBuf,
    },
    /// A directory has more artifacts than a graph can show.
    #[error(
        "the directory `{}` holds {found} libraries, but a graph can show {limit} at most; name the directory of a host",
        shown::path(directory)
    )]
    TooManyPlugins {
        /// The directory.
        directory: PathBuf,
        /// The number of libraries.
        found: usize,
        /// The largest number.
        limit: usize,
    },
    /// The plugins of a host are not built.
    #[error(
        "no plugin of `{host}` is built in `{}`; run `{build}`, or repeat the options with which it was built",
        shown::path(directory)
    )]
    NotBuilt {
        /// The host.
        host: String,
        /// Where its plugins would be.
        directory: PathBuf,
        /// The command that builds them.
        build: String,
    },
    /// A word is neither a directory nor the name of a package.
    #[error(
        "`{name}` is neither a directory nor a package of the workspace `{}`{}",
        shown::path(workspace),
        known(candidates)
    )]
    NoSuchHost {
        /// The word.
        name: String,
        /// The workspace's root.
        workspace: PathBuf,
        /// The packages of the workspace.
        candidates: Vec<String>,
    },
    /// It is not clear which binary is the host.
    #[error(
        "the host `{host}` has {}; add `default-run` to its Cargo.toml or give --bin",
        several("binary", "binaries", binaries)
    )]
    WhichBinary {
        /// The package.
        host: String,
        /// Its binaries.
        binaries: Vec<String>,
    },
    /// The host could not be started.
    #[error("cannot start the host `{}`", shown::path(executable))]
    StartHost {
        /// Its executable.
        executable: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The source of a package that was a plugin a moment ago cannot be read.
    #[error(
        "`{package}` was a plugin, and may still be one: complete `{}` is missing, empty, or does not parse",
        shown::path(source_file)
    )]
    PluginUnreadable {
        /// The package.
        package: String,
        /// The root of its library.
        source_file: PathBuf,
    },
    /// The plugins of a running host would be built into another directory than the one from which it loads them.
    #[error(
        "the plugins would now be built into `{}`, but the running host loads them from `{}`; start `cargo hotswap run` again",
        shown::path(now),
        shown::path(before)
    )]
    PluginDirMoved {
        /// The directory from which the host loads.
        before: PathBuf,
        /// The directory into which they would be built.
        now: PathBuf,
    },
    /// No running host has this plugin directory.
    #[error(
        "no running host has the plugin directory `{}`; start one with `cargo hotswap run`, or repeat the options with \
         which it was built{}",
        shown::path(directory),
        unseen(refused)
    )]
    NoHostRunning {
        /// The directory.
        directory: PathBuf,
        /// The directories in which no host is looked for, with the reasons.
        refused: Vec<RefusedDir>,
    },
    /// No running host has a plugin of this name.
    #[error(
        "there is no file `{name}`, and {}",
        match (hosts, nearest) {
            (0, _) => "no host is running that could have a plugin of this name".to_owned(),
            (_, Some(nearest)) => format!("no running host has a plugin of this name: did you mean {nearest}?"),
            (_, None) => "no running host has a plugin of this name".to_owned(),
        }
    )]
    NoSuchPlugin {
        /// The name.
        name: PluginName,
        /// The number of hosts that run.
        hosts: usize,
        /// The most similar name of a plugin of theirs.
        nearest: Option<String>,
    },
    /// A secret key cannot be made or used.
    #[cfg(feature = "sign")]
    #[error(transparent)]
    Signing(#[from] crate::signing::SigningError),
    /// Public keys cannot be read.
    #[cfg(feature = "sign")]
    #[error(transparent)]
    Keys(#[from] hotswap_signature::KeysError),
    /// An artifact does not count as signed.
    #[cfg(feature = "sign")]
    #[error("{plugin}, {}: {reason}", shown::path(file))]
    NotSigned {
        /// The plugin.
        plugin: PluginName,
        /// Its artifact.
        file: PathBuf,
        /// The reason.
        reason: hotswap_signature::SignatureError,
    },
    /// Several running hosts have a plugin of this name.
    #[error(
        "several running hosts have a plugin {name}; name one of the files: {}",
        files.iter().map(|file| shown::path(file).to_string()).collect::<Vec<_>>().join(", ")
    )]
    SeveralHosts {
        /// The name.
        name: PluginName,
        /// The artifacts of the plugins.
        files: Vec<PathBuf>,
    },
    /// The sources of an artifact cannot be shown.
    #[cfg(feature = "source")]
    #[error("cannot show the sources in {}", shown::path(file))]
    Source {
        /// The artifact.
        file: PathBuf,
        /// The reason.
        source: hotswap_source::SourceError,
    },
    /// No running host can be asked.
    #[cfg(feature = "control")]
    #[error(
        "{} has a control endpoint{}; `hotswap_control::Control` serves one",
        named.as_ref().map_or_else(|| "no running host".to_owned(), |named| format!("no running host `{named}`")),
        match running.as_slice() {
            [] => String::new(),
            running => format!(" (running: {})", running.join(", ")),
        }
    )]
    NoControl {
        /// The host that was named.
        named: Option<String>,
        /// The hosts that run.
        running: Vec<String>,
    },
    /// Several running hosts could be meant.
    #[cfg(feature = "control")]
    #[error("several hosts are running: {}; name one with --host", hosts.join(", "))]
    SeveralControls {
        /// The hosts.
        hosts: Vec<String>,
    },
    /// An address was named, and not how to know the host.
    #[cfg(feature = "tls")]
    #[error("name the authority that has signed the host's certificate, in PEM, with --ca")]
    NoAuthorities,
    /// The options for an address were given without one.
    #[cfg(feature = "tls")]
    #[error(
        "--ca, --cert, --key, and --token-file are for a host at an address, as in `--host https://shop.example:7443`; leave them out"
    )]
    NotRemote,
    /// This build of the command has no TLS.
    #[cfg(all(feature = "control", not(feature = "tls")))]
    #[error("this build of the command cannot ask {url}; install it with the feature `tls`")]
    NoTls {
        /// The address.
        url: String,
    },
    /// A token of this id exists.
    #[cfg(feature = "tls")]
    #[error(
        "`{}` has a token {id}; remove its line, which ends the token, or choose another id",
        shown::path(path)
    )]
    TokenExists {
        /// The id.
        id: String,
        /// The file of tokens.
        path: PathBuf,
    },
    /// The id of a token has characters that it may not have.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Token(#[from] hotswap_control::InvalidToken),
    /// A running host refused a request, or does not answer.
    #[cfg(feature = "control")]
    #[error(transparent)]
    Control(#[from] ClientError),
    /// The host can be asked by its signal only.
    #[cfg(feature = "control")]
    #[error(
        "the host (pid {pid}) has no control endpoint, and a signal cannot say more than that it shall reload; leave out \
         the names of plugins and the options for the host and its pipeline, or serve `hotswap_control::Control` in it"
    )]
    NeedsEndpoint {
        /// The process id of the host.
        pid: u32,
    },
    /// Options for compiling were given, and nothing is compiled.
    #[cfg(feature = "control")]
    #[error(
        "with --host and --no-build nothing is built, so options for compiling and for manifests have no effect; leave them out"
    )]
    NothingIsBuilt,
    /// A host has not answered in time.
    #[cfg(feature = "control")]
    #[error(
        "the host has not answered within {waited:?}, and goes on with the reload; `cargo hotswap status` shows how it stands"
    )]
    NoAnswer {
        /// The time.
        waited: Duration,
    },
    /// A host has ended while its rollback window was open.
    #[cfg(feature = "control")]
    #[error(
        "the events of the host (pid {pid}) have ended while the rollback window was open; if the host has ended, its next start \
         is on the builds that were permanent"
    )]
    HostGone {
        /// The process id of the host.
        pid: u32,
    },
    /// No plugin has patches, or several have some.
    #[cfg(feature = "control")]
    #[error("{}", which_patches(plugins))]
    WhichPatches {
        /// The plugins that have patches.
        plugins: Vec<String>,
    },
    /// The sources of patches are asked for, and the host has kept none.
    #[cfg(feature = "control")]
    #[error(
        "no patch has kept the source of a closure; write `patch!(|…| …)` instead of `|…| …` in the host"
    )]
    NoPatchSource,
    /// Stdin or stdout is no terminal.
    #[cfg(feature = "top")]
    #[error(
        "`top` needs a terminal; `status --json` and `GET /v1/calls` of the host are for programs"
    )]
    NoTerminal,
    /// The terminal cannot be used.
    #[cfg(feature = "top")]
    #[error("cannot use the terminal")]
    Screen {
        /// The reason.
        source: std::io::Error,
    },
    /// Two artifacts of a deployment are builds of one plugin.
    #[cfg(feature = "control")]
    #[error(
        "{first} and {} are builds of one plugin, {plugin}; deploy one of them",
        shown::path(second)
    )]
    DeployedTwice {
        /// The plugin.
        plugin: String,
        /// The name of the first file.
        first: String,
        /// The second file.
        second: PathBuf,
    },
    /// The manifest of a deployment has no signature beside it.
    #[cfg(feature = "control")]
    #[error(
        "the manifest {} has no signature beside it; write both with `cargo hotswap manifest`",
        shown::path(file)
    )]
    ManifestNotSigned {
        /// The manifest.
        file: PathBuf,
    },
    /// A deployment has failed.
    #[cfg(feature = "control")]
    #[error("the deployment has failed on {host}: {reason}{}", not_back(left))]
    DeployFailed {
        /// The host.
        host: String,
        /// The reason.
        reason: String,
        /// The exit code.
        code: u8,
        /// The hosts that could not go back, with the reasons.
        left: Vec<String>,
    },
    /// A host runs something else by now than what was deployed to it.
    #[cfg(feature = "control")]
    #[error(
        "it runs another build of {plugin} by now than the deployed one, so it is left as it is"
    )]
    ChangedMeanwhile {
        /// The plugin.
        plugin: String,
    },
    /// A host has received other bytes than were sent.
    #[cfg(feature = "control")]
    #[error("it has received another build of {plugin}")]
    ReceivedAnother {
        /// The plugin.
        plugin: String,
    },
    /// A host belongs to another workspace.
    #[cfg(feature = "control")]
    #[error(
        "{host} loads the plugins of the workspace `{}`, and not those of `{}`; start the command there, or name another host with --host",
        shown::path(workspace),
        shown::path(here)
    )]
    OfAnotherWorkspace {
        /// The host.
        host: String,
        /// The root of its workspace.
        workspace: PathBuf,
        /// The root of the workspace in which the command was started.
        here: PathBuf,
    },
    /// A host has none of the plugins that would be brought to it.
    #[cfg(feature = "control")]
    #[error(
        "{host} has none of the plugins of `{package}`, but {}; name a host of these plugins with --host",
        plugins.join(", ")
    )]
    OfAnotherHost {
        /// The host.
        host: String,
        /// The package of the host of which the plugins are built.
        package: String,
        /// The plugins of the running host.
        plugins: Vec<String>,
    },
    /// The stream of a trace has ended before the trace.
    #[cfg(feature = "control")]
    #[error("the host has ended while it was traced, or its endpoint has")]
    TraceBroken,
    /// A path is not UTF-8.
    #[error(
        "the path {} is not UTF-8, in which a request to a host is",
        shown::path(path)
    )]
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// A function cannot be changed.
    #[cfg(feature = "source")]
    #[error("cannot patch {function}")]
    Patch {
        /// The function, with the plugin.
        function: String,
        /// The reason.
        source: hotswap_source::SourceError,
    },
    /// A text does not name a function of a plugin.
    #[cfg(feature = "source")]
    #[error(
        "`{given}` does not name a function of a plugin; write `PLUGIN::FUNCTION`, as in `world::hum`"
    )]
    NoFunctionOfPlugin {
        /// The text.
        given: String,
    },
    /// All functions were named for a change of one.
    #[cfg(feature = "source")]
    #[error("`{given}` names all functions of the plugin, into which only --inject can put code")]
    AllFunctions {
        /// The text.
        given: String,
    },
    /// The plugin that is to be patched is not among those that a host loads.
    #[cfg(feature = "source")]
    #[error(
        "{} has no plugin {name} that this workspace has built{}",
        shown::path(directory),
        nearest.as_ref().map_or_else(String::new, |nearest| format!(": did you mean {nearest}?"))
    )]
    NoPluginToPatch {
        /// The name.
        name: PluginName,
        /// The plugin directory of the host.
        directory: PathBuf,
        /// The most similar name of a plugin there.
        nearest: Option<String>,
    },
    /// The patched plugin cannot take over a state.
    #[cfg(feature = "source")]
    #[error(
        "{plugin} does not save its state, so its fields would start anew with the patch; pass --reset-state if that may happen"
    )]
    NoState {
        /// The plugin.
        plugin: PluginName,
    },
    /// No editor is known.
    #[cfg(feature = "source")]
    #[error(
        "no editor is known; set the variable EDITOR, or write the function to a file and pass --file"
    )]
    NoEditor,
    /// The editor failed.
    #[cfg(feature = "source")]
    #[error(
        "the editor `{editor}` failed ({how}); the text is in {}",
        shown::path(file)
    )]
    Editor {
        /// The command.
        editor: String,
        /// How it has ended.
        how: String,
        /// The file.
        file: PathBuf,
    },
    /// A running host could not be asked to reload.
    #[error("cannot ask the running host (pid {pid}) to reload")]
    NotAsked {
        /// Its process id.
        pid: u32,
        /// The reason; it may be that the host does not listen.
        source: std::io::Error,
    },
    /// A running host ended, or did not answer in time.
    #[error(transparent)]
    NotAnswered(WaitError),
    /// At least one host could not load the new plugins.
    #[error("the reload failed; the host keeps the plugins that it had")]
    ReloadFailed {
        /// The section of the troubleshooting chapter about it, if there is one.
        topic: Option<Topic>,
    },
    /// At least one host has reverted the new plugins, or runs others by now.
    #[error("the new plugins did not become permanent")]
    NotPermanent,
    /// A host has no plugin of this name.
    #[error(
        "the host `{host}` has no plugin `{name}`{}",
        nearest.as_ref().map_or_else(String::new, |nearest| format!(": did you mean `{nearest}`?"))
    )]
    NoPluginOfHost {
        /// The name.
        name: String,
        /// The package of the host.
        host: String,
        /// The most similar name of a plugin of its own.
        nearest: Option<String>,
    },
    /// `new` does not overwrite files.
    #[error("`{}` exists already; choose another directory", shown::path(path))]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// `new` was called below a manifest that another user can change.
    #[error(
        "`{}` belongs to user {owner}, and Cargo would use it for everything below it; choose a directory \
         elsewhere",
        shown::path(manifest)
    )]
    ForeignManifest {
        /// The manifest, or the directory that contains it.
        manifest: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// `new` was called in a repository that lies in a foreign workspace.
    #[error(
        "the workspace `{}` lies outside of the repository `{}`, and Cargo would make the package a member of it; choose a \
         directory outside of that workspace, or remove its Cargo.toml if it is a leftover",
        shown::path(manifest),
        shown::path(repository)
    )]
    OutsideRepository {
        /// The workspace's Cargo.toml.
        manifest: PathBuf,
        /// The repository's directory.
        repository: PathBuf,
    },
    /// Cargo could not make a package.
    #[error("cargo did not make a package in `{}`\n{said}", shown::path(directory))]
    CargoNew {
        /// The package's directory.
        directory: PathBuf,
        /// Cargo's message.
        said: String,
    },
    /// A Cargo.toml cannot be edited.
    #[error("`{}` is invalid, so it gets no new member", shown::path(path))]
    Edit {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Box<toml_edit::TomlError>,
    },
    /// `new` does not know where hotswap is.
    #[error(
        "cannot find hotswap's crates, which are not published yet; give `--path CHECKOUT`, the directory of a \
         checkout of hotswap"
    )]
    WhereIsHotswap,
    /// `--path` does not name a checkout.
    #[error(
        "`{}` is not a checkout of hotswap: it has no `{missing}`",
        shown::path(path)
    )]
    NoCheckout {
        /// The directory.
        path: PathBuf,
        /// The missing directory.
        missing: &'static str,
    },
}

impl Error {
    /// Returns true if a change of a source, a manifest, or a configuration is not likely to help, since the command
    /// line or the machine is at fault.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::CurrentDir { .. }
                | Self::Signals { .. }
                | Self::Interrupted { .. }
                | Self::NoManifest { .. }
                | Self::NotOneHost { .. }
                | Self::WhichBinary { .. }
                | Self::UnknownFeature { .. }
                | Self::StartCargo { .. }
        ) || self.is_not_for_the_caller()
    }

    /// Returns true if a host will not do for this caller what it was asked for, or has no store for builds.
    fn is_not_for_the_caller(&self) -> bool {
        #[cfg(feature = "control")]
        if let Self::Control(ClientError::Failure(failure)) = self {
            use FailureKind::{Forbidden, NotFound, Unauthorized};
            return matches!(failure.kind, Forbidden | NotFound | Unauthorized);
        }
        false
    }

    /// Returns the exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Compilation { .. } => exit::COMPILATION,
            Self::Interrupted { signal } => {
                exit::SIGNAL.wrapping_add(u8::try_from(*signal).unwrap_or(0))
            }
            Self::NoPluginOfHost { .. } | Self::NoSuchPlugin { .. } => exit::NOT_FOUND,
            Self::NotPermanent => exit::NOT_PERMANENT,
            Self::NoHostRunning { .. } | Self::NotAsked { .. } | Self::NotAnswered(_) => {
                exit::NO_HOST
            }
            #[cfg(feature = "control")]
            Self::NothingIsBuilt => exit::USAGE,
            #[cfg(feature = "tls")]
            Self::NoAuthorities | Self::NotRemote | Self::Token(_) => exit::USAGE,
            #[cfg(feature = "tls")]
            Self::Control(ClientError::Settings(_)) => exit::USAGE,
            #[cfg(feature = "control")]
            Self::NoControl { .. }
            | Self::SeveralControls { .. }
            | Self::NeedsEndpoint { .. }
            | Self::NoAnswer { .. }
            | Self::HostGone { .. }
            | Self::OfAnotherWorkspace { .. }
            | Self::OfAnotherHost { .. }
            | Self::TraceBroken => exit::NO_HOST,
            #[cfg(feature = "control")]
            Self::WhichPatches { plugins } if plugins.is_empty() => exit::NOT_FOUND,
            #[cfg(feature = "control")]
            Self::NoPatchSource => exit::NOT_FOUND,
            #[cfg(feature = "control")]
            Self::WhichPatches { .. } | Self::DeployedTwice { .. } => exit::USAGE,
            #[cfg(feature = "top")]
            Self::NoTerminal => exit::USAGE,
            #[cfg(feature = "control")]
            Self::DeployFailed { code, .. } => *code,
            #[cfg(feature = "control")]
            Self::ManifestNotSigned { .. } => exit::SIGNATURE,
            #[cfg(feature = "control")]
            Self::Control(ClientError::Failure(failure)) => match failure.kind {
                FailureKind::Request => exit::USAGE,
                FailureKind::NotFound => exit::NOT_FOUND,
                FailureKind::Forbidden | FailureKind::Unauthorized => exit::NO_HOST,
                _ => exit::FAILURE,
            },
            #[cfg(feature = "control")]
            Self::Control(_) => exit::NO_HOST,
            _ => exit::FAILURE,
        }
    }
}

/// Returns a function for `map_err` that adds what was tried, and with which path.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

#[cfg(feature = "control")]
fn not_back(left: &[String]) -> String {
    let left = left
        .iter()
        .map(|host| format!("\n  not rolled back: {host}"));
    left.collect()
}

#[cfg(feature = "control")]
fn which_patches(plugins: &[String]) -> String {
    match plugins {
        [] => "no plugin of this host has patches".into(),
        plugins => format!(
            "several plugins have patches: {}; name one with --plugin",
            plugins.join(", ")
        ),
    }
}

fn unseen(refused: &[RefusedDir]) -> String {
    let refused = refused
        .iter()
        .map(|dir| format!("\n  not looked into: {dir}"));
    refused.collect()
}

fn known(candidates: &[String]) -> String {
    if candidates.is_empty() {
        String::new()
    } else {
        format!(" (there are: {})", candidates.join(", "))
    }
}

fn several(one: &str, many: &str, candidates: &[String]) -> String {
    if candidates.is_empty() {
        format!("no {one}")
    } else {
        format!("several {many}: {}", candidates.join(", "))
    }
}
