use super::BuildId;
use crate::base::name::PluginName;
use crate::runtime::Exposure;
use crate::shown::{Shown, line, path};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why a file is not a plugin that this host can load.
///
/// Its text is one line that names the plugin, if it is known, and the file.
#[derive(Debug)]
#[non_exhaustive]
pub struct ArtifactError {
    /// The file, as it was named by the caller.
    pub file: PathBuf,
    /// The plugin, if the file could be read as far as its name, or if a live plugin was loaded from it.
    pub plugin: Option<PluginName>,
    /// The problem with the file.
    pub problem: ArtifactProblem,
}

impl ArtifactError {
    pub(crate) fn new(file: &Path, problem: ArtifactProblem) -> Self {
        ArtifactError {
            file: file.to_owned(),
            plugin: None,
            problem,
        }
    }

    /// Returns the plugin, or the one that the file's name implies.
    pub(crate) fn plugin_or_implied(&self) -> PluginName {
        self.plugin.clone().unwrap_or_else(|| {
            let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
            PluginName::from(stem.strip_prefix("lib").unwrap_or(&stem))
        })
    }

    /// Adds the plugin that the file contained before, if the file itself does not say.
    pub(crate) fn of(mut self, plugin: Option<&PluginName>) -> Self {
        self.plugin = self.plugin.or_else(|| plugin.cloned());
        self
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plugin) = &self.plugin {
            write!(f, "{plugin}: ")?;
        }
        write!(f, "{} {}", path(&self.file), Shown(&self.problem))
    }
}

// The texts of inner errors are part of the line, so there is no `source` that would repeat them.
impl std::error::Error for ArtifactError {}

/// The problem with a file: the second half of the text of an [`ArtifactError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactProblem {
    /// There is no such file.
    #[error("does not exist; build it with `cargo hotswap build`")]
    NotFound,
    /// A symbolic link leads nowhere.
    #[error(
        "is a link to {}, which does not exist; build that, or remove the link",
        path(target)
    )]
    DanglingLink {
        /// The target of the link.
        target: PathBuf,
    },
    /// There is a directory of this name.
    #[error("is a directory, not a library; remove or rename it")]
    Directory,
    /// There is a pipe, a socket, or a device of this name.
    #[error("is not a regular file; remove or rename it")]
    NotAFile,
    /// The operating system refused to open or read the file.
    #[error("cannot be read: {error}")]
    Unreadable {
        /// The error of the system.
        error: io::Error,
    },
    /// The file was written to each time that it was read.
    #[error("is being written to; write a new file beside it and rename that over it")]
    Changing,
    /// The file has no bytes.
    #[error("is empty; build it again with `cargo hotswap build`")]
    Empty,
    /// The file ends before its own tables do.
    #[error("is truncated: it has {len} bytes, but should have at least {needed}; build it again")]
    Truncated {
        /// The number of bytes in the file.
        len: u64,
        /// The smallest number of bytes that the tables require.
        needed: u64,
    },
    /// The file goes on after its end, and what follows is not a note.
    #[error(
        "has {extra} bytes after its end that are not a note; the file is probably incomplete, build it again"
    )]
    Overlong {
        /// The number of unexpected bytes.
        extra: u64,
    },
    /// The file is not an object file of any kind.
    #[error("is not a library in any known format; build it with `cargo hotswap build`")]
    Garbage,
    /// The file's own tables contradict each other.
    #[error(
        "is damaged: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Damaged {
        /// The contradiction.
        reason: String,
    },
    /// The bytes differ from those that were built.
    #[error(
        "was changed after it was built, or is incomplete: its note names build {noted:.8}, but its bytes are those of build \
         {found:.8}; build it again with `cargo hotswap build`, or, if the change was intended, write a new note with \
         `cargo hotswap seal`"
    )]
    AnotherBuild {
        /// The build that the note was written for.
        noted: BuildId,
        /// The build that the bytes have.
        found: BuildId,
    },
    /// The file exceeds one of the limits.
    #[error(
        "has more than {limit} {what}, which is the limit; build it again with `cargo hotswap build`"
    )]
    TooMuch {
        /// The thing that is limited.
        what: &'static str,
        /// The limit: see [`limits`](super::limits).
        limit: u64,
    },
    /// The host panicked while it read the file.
    #[error(
        "cannot be read: the host panicked, which is a bug in hotswap ({message}); please report it"
    )]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// Others may write to the file or to its directory.
    #[error(
        "may be changed by others, because {} {exposure}; the host requires private plugins (`Builder::require_private_plugin_dir`)",
        crate::shown::path(path)
    )]
    Exposed {
        /// The path that they may write to: the file without links, or its directory.
        path: PathBuf,
        /// The reason why they may write to it.
        exposure: Exposure,
    },
    /// The file is for another machine or operating system.
    #[error(
        "is built for {found}, but this host is built for {needed}; build it with this host's `--target`"
    )]
    AnotherMachine {
        /// The machine that it is built for.
        found: String,
        /// The machine that it would have to be built for.
        needed: String,
    },
    /// The file is not a shared library.
    #[error("is {found}, not a shared library; build it with `cargo hotswap build`")]
    NotALibrary {
        /// The kind of the file, with an article.
        found: &'static str,
    },
    /// The file has lost the table by which its metadata is found.
    #[error(
        "has no section table, by which its plugin metadata is found; keep the table (`strip` does, `sstrip` and \
         `--strip-section-headers` do not)"
    )]
    NoSections,
    /// The file is a shared library, but not a plugin.
    #[error(
        "is a plain library without plugin metadata; put `#[plugin]` on the plugin's impl block and build it with \
         `cargo hotswap build`, and keep its section `.hotswap`"
    )]
    NotAPlugin,
    /// The section of metadata cannot be understood.
    #[error(
        "has damaged metadata: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Metadata {
        /// The part, and what is wrong with it.
        reason: String,
    },
    /// A text in the metadata or in the note is not allowed, because readers or a terminal could take it for something
    /// else.
    #[error(
        "has damaged metadata: its `{field}` is \"{text:.64}\", but should be {allowed}; build it again with `cargo hotswap build`",
        text = line(text)
    )]
    Text {
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
        /// A description of the allowed texts.
        allowed: &'static str,
    },
    /// The note after the library cannot be understood.
    #[error(
        "has a damaged note: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Note {
        /// The problem.
        reason: String,
    },
    /// The plugin was built against another version of the contract.
    #[error("uses version {found} of the plugin contract, but this host requires version {needed}; {}", contract_remedy(*found, *needed))]
    AnotherContract {
        /// The plugin's version.
        found: u32,
        /// The host's version.
        needed: u32,
    },
    /// A panic in the plugin would end the process.
    #[error(
        "is built with panic = \"abort\" (profile {profile}), so a panic in it would end the host; write \
         `panic = \"unwind\"` under `[profile.{}]` in the workspace's Cargo.toml",
        profile_table(profile)
    )]
    PanicAbort {
        /// The name of the profile, as its directory shows it.
        profile: String,
    },
}

fn contract_remedy(found: u32, needed: u32) -> &'static str {
    if found < needed {
        "update `hotswap-plugin` in the plugin's Cargo.toml to the version of the host's `hotswap-host` and build it again"
    } else {
        "update `hotswap-host` in the host's Cargo.toml to the version of the plugin's `hotswap-plugin`"
    }
}

/// Returns the name of a profile in a Cargo.toml, where the profile of the directory `debug` is called `dev`.
fn profile_table(profile: &str) -> &str {
    if profile == "debug" { "dev" } else { profile }
}

/// The reason why the artifacts of a directory cannot be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// There is no such directory.
    #[error(
        "the plugin directory {} does not exist; create it, or build plugins into it with `cargo hotswap build --out-dir`",
        path(dir)
    )]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// There is a file of this name, not a directory.
    #[error(
        "the plugin directory {} is not a directory; name the directory that the plugins are in",
        path(dir)
    )]
    NotADirectory {
        /// The path of the file.
        dir: PathBuf,
    },
    /// The operating system refused to list the directory.
    #[error("the plugin directory {} cannot be read: {error}", path(dir))]
    Unreadable {
        /// The directory.
        dir: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// Others may write to the directory.
    #[error(
        "the plugin directory {} {exposure}, but the host requires a private one (`Builder::require_private_plugin_dir`)",
        path(dir)
    )]
    Exposed {
        /// The directory.
        dir: PathBuf,
        /// The reason why they may write to it.
        exposure: Exposure,
    },
    /// Something in the directory has the name of a library but is not one.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}
