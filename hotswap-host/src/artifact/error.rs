use super::BuildId;
use crate::base::name::PluginName;
use crate::runtime::Exposure;
use crate::shown::{Shown, line, path};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file is no plugin that this host can load.
///
/// Its text is one line that names the plugin, where it is known, and the file.
#[derive(Debug)]
#[non_exhaustive]
pub struct ArtifactError {
    /// The file, as it was asked for.
    pub file: PathBuf,
    /// The plugin, where the file could be read as far as its name, or a live plugin was loaded from it.
    pub plugin: Option<PluginName>,
    /// What is wrong with it.
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

    /// The plugin; otherwise that which the file's name implies.
    pub(crate) fn plugin_or_implied(&self) -> PluginName {
        self.plugin.clone().unwrap_or_else(|| {
            let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
            PluginName::from(stem.strip_prefix("lib").unwrap_or(&stem))
        })
    }

    /// Names the plugin that the file held before, where the file itself does not say.
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

/// What is wrong with a file: the second half of the text of an [`ArtifactError`].
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
        /// Where the link leads.
        target: PathBuf,
    },
    /// There is a directory of this name.
    #[error("is a directory, not a library; remove or rename it")]
    Directory,
    /// There is a pipe, a socket or a device of this name.
    #[error("is not a regular file; remove or rename it")]
    NotAFile,
    /// The operating system refused to open or read the file.
    #[error("cannot be read: {error}")]
    Unreadable {
        /// What the system said.
        error: io::Error,
    },
    /// The file was written to each time that it was read.
    #[error("is being written to; write a new file beside it and rename that over it")]
    Changing,
    /// The file has no bytes.
    #[error("is empty; build it again with `cargo hotswap build`")]
    Empty,
    /// The file ends before its own tables say.
    #[error("is cut short: it has {len} bytes and should have {needed} or more; build it again")]
    Truncated {
        /// How many bytes there are.
        len: u64,
        /// How many there would have to be.
        needed: u64,
    },
    /// The file goes on behind its last byte, and not with a note.
    #[error(
        "has {extra} bytes behind its end that are no note; it is half-written, build it again"
    )]
    Overlong {
        /// How many bytes too many.
        extra: u64,
    },
    /// The file is no object file of any kind.
    #[error("is not a library in any format that is known; build it with `cargo hotswap build`")]
    Garbage,
    /// The file's own tables contradict each other.
    #[error(
        "is damaged: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Damaged {
        /// Where it is.
        reason: String,
    },
    /// The bytes are not those that were built.
    #[error(
        "was changed after it was built, or is half-written: its note names build {noted:.8}, its bytes are those of \
         {found:.8}; build it again with `cargo hotswap build`, or, where the change was meant, write a new note with \
         `cargo hotswap seal`"
    )]
    AnotherBuild {
        /// The build that the note was written for.
        noted: BuildId,
        /// The build that the bytes make.
        found: BuildId,
    },
    /// The file has more of something than is read of any.
    #[error(
        "has more than {limit} {what}, which no build has; build it again with `cargo hotswap build`"
    )]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there may be: see [`limits`](super::limits).
        limit: u64,
    },
    /// The host panicked while it read the file.
    #[error(
        "cannot be read: the host panicked, which is a mistake in it ({message}); please report it"
    )]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// Others may write to the file, or to the directory that it is in.
    #[error(
        "may be changed by others, since {} {exposure}; the host asks for private plugins (`Builder::require_private_plugin_dir`)",
        crate::shown::path(path)
    )]
    Exposed {
        /// What they may write to: the file without links, or its directory.
        path: PathBuf,
        /// Why they may.
        exposure: Exposure,
    },
    /// The file is for another machine or operating system.
    #[error(
        "is built for {found}, and this host for {needed}; build it with this host's `--target`"
    )]
    AnotherMachine {
        /// What it is built for.
        found: String,
        /// What it would have to be built for.
        needed: String,
    },
    /// The file is no shared library.
    #[error("is {found}, not a shared library; build it with `cargo hotswap build`")]
    NotALibrary {
        /// What it is, with its article.
        found: &'static str,
    },
    /// The file has lost the table in which its metadata is looked up.
    #[error(
        "has no table of sections, in which its plugin metadata is found: leave that in place (`strip` does, `sstrip` and \
         `--strip-section-headers` do not)"
    )]
    NoSections,
    /// The file is a shared library, and no plugin.
    #[error(
        "is a plain library without plugin metadata; put `#[plugin]` on the plugin's impl block and build it with \
         `cargo hotswap build`, and leave its section `.hotswap` in place"
    )]
    NotAPlugin,
    /// The section of metadata cannot be understood.
    #[error(
        "has damaged metadata: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Metadata {
        /// Which part, and why.
        reason: String,
    },
    /// A text in the metadata or in the note is not what it should be: it could make readers or a terminal take it for another.
    #[error(
        "has damaged metadata: its `{field}` is \"{text:.64}\", and not {allowed}; build it again with `cargo hotswap build`",
        text = line(text)
    )]
    Text {
        /// Which text.
        field: &'static str,
        /// The text.
        text: String,
        /// What it would have to be.
        allowed: &'static str,
    },
    /// The note behind the library cannot be understood.
    #[error(
        "has a damaged note: {}; build it again with `cargo hotswap build`",
        Shown(reason)
    )]
    Note {
        /// Why.
        reason: String,
    },
    /// The plugin was built against another version of the contract.
    #[error("speaks version {found} of the plugin contract, this host version {needed}; {}", contract_remedy(*found, *needed))]
    AnotherContract {
        /// The plugin's version.
        found: u32,
        /// This host's.
        needed: u32,
    },
    /// A panic in the plugin would end the process.
    #[error(
        "is built with panic = \"abort\" (profile {profile}), so that a panic of it would end the host; write \
         `panic = \"unwind\"` under `[profile.{}]` in the workspace's Cargo.toml",
        profile_table(profile)
    )]
    PanicAbort {
        /// The profile's name as its directory shows it.
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

/// The profile of the directory `debug` is called `dev` in a Cargo.toml.
fn profile_table(profile: &str) -> &str {
    if profile == "debug" { "dev" } else { profile }
}

/// Why the artifacts of a directory cannot be listed.
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
    /// There is a file of this name.
    #[error(
        "the plugin directory {} is not a directory; name the directory that the plugins are in",
        path(dir)
    )]
    NotADirectory {
        /// What was named.
        dir: PathBuf,
    },
    /// The operating system refused to list the directory.
    #[error("the plugin directory {} cannot be read: {error}", path(dir))]
    Unreadable {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others may write to it.
    #[error(
        "the plugin directory {} {exposure}, and the host asks for a private one (`Builder::require_private_plugin_dir`)",
        path(dir)
    )]
    Exposed {
        /// The directory.
        dir: PathBuf,
        /// Why they may.
        exposure: Exposure,
    },
    /// Something in the directory has the name of a library and is none.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}
