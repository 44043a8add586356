//! What can go wrong, and what the process exits with then.

use std::path::{Path, PathBuf};

use hotswap_host::ReloadError;
use hotswap_host::artifact::{ArtifactError, FindError};
use hotswap_host::runtime::{RefusedDir, WaitError};
use hotswap_host::shown;

/// The exit codes of `cargo hotswap`.
///
/// `run` exits with the code of the host, or 128 + n where signal n ended it.
pub mod exit {
    /// All is well.
    pub const SUCCESS: u8 = 0;
    /// Something failed; stderr says what. For `reload`: the host refused the new plugins and goes on with the old.
    pub const FAILURE: u8 = 1;
    /// The command line makes no sense.
    pub const USAGE: u8 = 2;
    /// A compilation failed, as for Cargo itself.
    pub const COMPILATION: u8 = 101;
    /// Added to the number of the signal that interrupted the command.
    pub const SIGNAL: u8 = 128;
}

/// Everything a user of the command can meet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command was started in a directory that is gone or cannot be read.
    #[error("cannot tell the current directory")]
    CurrentDir {
        /// Why.
        source: std::io::Error,
    },
    /// The signal handlers could not be installed.
    #[error("cannot install the signal handlers")]
    Signals {
        /// Why.
        source: std::io::Error,
    },
    /// A signal ended the command.
    #[error("interrupted by signal {signal}")]
    Interrupted {
        /// Its number.
        signal: i32,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} `{}`", shown::path(path))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Something that is no file lies where one of the build's own files belongs.
    #[error(
        "`{}` is not a file but a link, a pipe or a device; remove it",
        shown::path(path)
    )]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A link where only a directory of our own is touched.
    #[error(
        "`{}` is a link, and nothing is removed behind one; remove it, or what it leads to, by hand",
        shown::path(path)
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// There is no Cargo.toml where one was expected.
    #[error(
        "no Cargo.toml in `{}`{}; name the directory of a host or of a plugin (where plugins go is said with --out-dir)",
        shown::path(directory), if *above { " or above it" } else { "" }
    )]
    NoManifest {
        /// Where it was looked for.
        directory: PathBuf,
        /// Whether in its parents too.
        above: bool,
    },
    /// `cargo metadata` failed.
    #[error("cargo cannot read the workspace of `{}`", shown::path(manifest))]
    Metadata {
        /// The manifest it was asked about.
        manifest: PathBuf,
        /// Cargo's own words.
        source: Box<cargo_metadata::Error>,
    },
    /// A file that is not valid TOML, or not as Cargo wants it.
    #[error("`{}` cannot be understood", shown::path(path))]
    Toml {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// `[package.metadata.hotswap]` is not as it should be.
    #[error(
        "[package.metadata.hotswap] in `{}` cannot be understood; it is `plugins = [\"name\", …]`",
        shown::path(manifest)
    )]
    MetadataSection {
        /// The Cargo.toml.
        manifest: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A name that is not the name of a package of the workspace.
    #[error(
        "{by} names `{name}`, which is no package of the workspace `{}`{}",
        shown::path(workspace),
        known(candidates)
    )]
    UnknownPackage {
        /// What named it: an option or a Cargo.toml.
        by: String,
        /// The name.
        name: String,
        /// The workspace's root.
        workspace: PathBuf,
        /// What could have been meant.
        candidates: Vec<String>,
    },
    /// A package that was listed as a plugin has no library.
    #[error(
        "`{name}` is listed as a plugin in `{}`, but has no library; a plugin is a library crate with #[plugin] in it",
        shown::path(by)
    )]
    NoLibrary {
        /// The package.
        name: String,
        /// The Cargo.toml that lists it.
        by: PathBuf,
    },
    /// A host without plugins, or a workspace without any.
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
    #[error("nothing is left to build: none of the plugins {found:?} was selected")]
    NothingSelected {
        /// The plugins there are.
        found: Vec<String>,
    },
    /// `run`, `reload` and `graph` need one host.
    #[error(
        "`{}` has {}; name the directory of one",
        shown::path(manifest),
        several("host", "hosts", candidates)
    )]
    NotOneHost {
        /// The manifest that was started from.
        manifest: PathBuf,
        /// The directories of the hosts there are.
        candidates: Vec<String>,
    },
    /// Two plugins whose files would have the same name.
    #[error(
        "the plugins `{first}` and `{second}` would both be `{file}`; rename one of the libraries"
    )]
    SameFile {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The name of the file.
        file: String,
    },
    /// A crate that would contain a plugin's code statically.
    #[error(
        "{what} `{from}` depends on the plugin `{plugin}` ({chain}, in `{}`), so it would contain a copy that is never \
         swapped; remove that dependency and move what both need to a crate that is no plugin",
        shown::path(manifest)
    )]
    DependsOnPlugin {
        /// `the host` or `the plugin`.
        what: &'static str,
        /// Who.
        from: String,
        /// On which plugin.
        plugin: String,
        /// The way there.
        chain: String,
        /// The Cargo.toml with the last edge of the chain.
        manifest: PathBuf,
    },
    /// `--static` for a plugin alone.
    #[error("--static builds a host with its plugins in it, and {} was named without one; name the directory of the host", plugins.join(", "))]
    LinkedWithoutHost {
        /// The plugins.
        plugins: Vec<String>,
    },
    /// A host that does not ask for the plugins that are linked into it.
    #[error(
        "`{host}` was built without its plugins, since `{}` and its modules do not ask for them; where the swapper is built, \
         say `Swapper::builder().linked(hotswap_host::linked_plugins!())`",
        shown::path(source_file)
    )]
    NotLinked {
        /// The host's package.
        host: String,
        /// The root of its program.
        source_file: PathBuf,
    },
    /// `panic = "abort"`.
    #[error("{origin} makes a panic in a plugin end the whole program; {remedy}")]
    PanicAbort {
        /// The setting and where it is.
        origin: String,
        /// What to do.
        remedy: String,
    },
    /// `-C prefer-dynamic`.
    #[error(
        "{origin} links the standard library as a shared library, with which unloading a plugin crashes; remove it"
    )]
    PreferDynamic {
        /// The setting and where it is, or the plugin it was found in.
        origin: String,
    },
    /// A feature that no package has.
    #[error("no package to build has the feature `{feature}`")]
    UnknownFeature {
        /// As given.
        feature: String,
    },
    /// Cargo could not be started.
    #[error("cannot start `{program}`; is Cargo installed, and on the path?")]
    StartCargo {
        /// What was started.
        program: String,
        /// Why it could not be.
        source: std::io::Error,
    },
    /// Cargo's messages could not be read.
    #[error("cannot read what `{program}` prints")]
    CargoOutput {
        /// What was started.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A compilation failed. What the compiler said is on stderr already.
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
        /// The way out, where the compiler does not know it.
        hint: Option<&'static str>,
    },
    /// Cargo was content, but named no such file.
    #[error("cargo built `{package}`, but no {wanted} came of it")]
    NoArtifact {
        /// The package.
        package: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// What was built is no plugin, or cannot be read as one.
    #[error("what was built of `{package}` cannot be used as a plugin")]
    NotAPlugin {
        /// The package.
        package: String,
        /// Why.
        source: Box<ArtifactError>,
    },
    /// A file that is no plugin.
    #[error(transparent)]
    Artifact(Box<ArtifactError>),
    /// A directory of artifacts that cannot be searched.
    #[error(transparent)]
    Find(Box<FindError>),
    /// Artifacts that make no set.
    #[error(transparent)]
    Set(Box<ReloadError>),
    /// Plugins that no host would load together. What is wrong with them was said before.
    #[error("a host would refuse these plugins")]
    WouldBeRefused,
    /// A directory without artifacts.
    #[error(
        "the directory `{}` holds no plugins; name a host, or a directory that `cargo hotswap build` writes to",
        shown::path(directory)
    )]
    NoArtifacts {
        /// The directory.
        directory: PathBuf,
    },
    /// A directory with more artifacts than a graph can show.
    #[error(
        "the directory `{}` holds {found} libraries, and a graph is drawn of {limit} at most",
        shown::path(directory)
    )]
    TooManyPlugins {
        /// The directory.
        directory: PathBuf,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The plugins of a host are not built.
    #[error(
        "no plugin of `{host}` is built in `{}`; run `{build}`, or give the options it was built with",
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
    /// A word that is neither a directory nor the name of a package.
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
        /// The packages that there are.
        candidates: Vec<String>,
    },
    /// The host's binary could not be told.
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
        /// Why.
        source: std::io::Error,
    },
    /// The source of a package that was a plugin a moment ago cannot be read any more.
    #[error(
        "`{package}` was a plugin, and nobody can tell whether it still is: `{}` is missing, empty or does not parse",
        shown::path(source_file)
    )]
    PluginUnreadable {
        /// The package.
        package: String,
        /// The root of its library.
        source_file: PathBuf,
    },
    /// The plugins of a running host would be built into another directory than it loads them from.
    #[error(
        "the plugins are built into `{}` now, and the running host loads them from `{}`; start `cargo hotswap run` again",
        shown::path(now),
        shown::path(before)
    )]
    PluginDirMoved {
        /// Where it looks.
        before: PathBuf,
        /// Where they would be.
        now: PathBuf,
    },
    /// No running host has this plugin directory.
    #[error(
        "no running host has the plugin directory `{}`; start one with `cargo hotswap run`, or give the options it was \
         built with{}",
        shown::path(directory),
        unseen(refused)
    )]
    NoHostRunning {
        /// The directory.
        directory: PathBuf,
        /// Where no host is looked for, and why.
        refused: Vec<RefusedDir>,
    },
    /// A running host that could not be asked to reload.
    #[error("cannot ask the running host (pid {pid}) to reload")]
    NotAsked {
        /// Its process id.
        pid: u32,
        /// Why; also that it does not listen.
        source: std::io::Error,
    },
    /// A running host that ended, or did not answer in time.
    #[error(transparent)]
    NotAnswered(WaitError),
    /// At least one host could not load what was built.
    #[error("the reload failed; the host goes on with what it had")]
    ReloadFailed,
    /// `new` does not overwrite.
    #[error(
        "`{}` exists; `cargo hotswap new` overwrites nothing, so choose another directory",
        shown::path(path)
    )]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// `new` below a manifest that another user can change.
    #[error(
        "`{}` belongs to user {owner}, and Cargo would take what it says for everything below it; choose a directory \
         elsewhere",
        shown::path(manifest)
    )]
    ForeignManifest {
        /// The manifest, or the directory that it is in.
        manifest: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// `new` in a repository that lies in somebody else's workspace.
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
    /// Cargo did not make a package.
    #[error("cargo did not make a package in `{}`\n{said}", shown::path(directory))]
    CargoNew {
        /// Where it should be.
        directory: PathBuf,
        /// Cargo's own words.
        said: String,
    },
    /// A Cargo.toml that cannot be edited.
    #[error(
        "`{}` cannot be understood, and so gets no new member",
        shown::path(path)
    )]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml_edit::TomlError>,
    },
    /// `new` where nothing says where hotswap is.
    #[error(
        "nothing says where hotswap's crates are, and they are not published yet; give `--path CHECKOUT`, the directory of a \
         checkout of hotswap"
    )]
    WhereIsHotswap,
    /// `--path` does not name a checkout.
    #[error(
        "`{}` is no checkout of hotswap: it has no `{missing}`",
        shown::path(path)
    )]
    NoCheckout {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
}

impl Error {
    /// Whether no change of a source, a manifest or a configuration is likely to mend it: the command line is at fault, or the
    /// machine.
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
        )
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Compilation { .. } => exit::COMPILATION,
            Self::Interrupted { signal } => {
                exit::SIGNAL.wrapping_add(u8::try_from(*signal).unwrap_or(0))
            }
            _ => exit::FAILURE,
        }
    }
}

/// For `map_err`: what was tried with which path.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        action,
        path,
        source,
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
