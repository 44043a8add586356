//! Errors of a single plugin.
use super::Hook;
use super::names::arrows;
use crate::artifact::OpenFailure;
use crate::base::name::PluginName;
use crate::shown::{Shown, path};
use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The reason why one plugin cannot be part of the new generation.
#[derive(Debug)]
#[non_exhaustive]
pub struct PluginError {
    /// The plugin.
    pub plugin: PluginName,
    /// Its artifact.
    pub file: PathBuf,
    /// What is wrong with it.
    pub kind: PluginErrorKind,
}

/// What is wrong with a plugin. Each kind is about the [plugin and the file](PluginError) that it comes with.
#[derive(Debug)]
#[non_exhaustive]
pub enum PluginErrorKind {
    /// Another compiler than the host's built the plugin, and the host requires its own.
    Toolchain {
        /// The compiler that built the plugin.
        found: String,
        /// The compiler that built the host.
        expected: String,
    },
    /// The dynamic linker refused the library.
    Open(OpenFailure),
    /// The library's tables do not have the layout that the host requires. The text is the first difference.
    Layout(String),
    /// The plugin imports something that is not provided.
    Import {
        /// The import.
        import: String,
        /// The problem with the import, and what to do.
        message: String,
    },
    /// The plugin and the host, or another plugin, were built with different versions of an interface. The text has both
    /// sides, the method, the two types, and the command that resolves the difference.
    Mismatch(String),
    /// The plugin is not reloadable, but imports a reloadable one. It could not follow when that one is replaced.
    NotReloadable {
        /// The plugin, its import, and the import of that, up to the reloadable one. Only the plugin, if it was to be
        /// restarted, or another build of it was to be deployed.
        chain: Vec<PluginName>,
    },
    /// A hook has not returned in time. The running plugins are unchanged. The hook goes on running on its thread, and
    /// its build stays in memory until it returns.
    HookTimeout {
        /// The hook.
        hook: Hook,
        /// The longest time that a hook may take.
        limit: Duration,
    },
    /// The plugin cannot be kept cold, because nothing would be left from which it could be made again. The text is the
    /// reason why its private copy cannot be used.
    CannotKeepCold(String),
    /// The host's [`Examiner`](crate::Examiner) does not let the build be loaded, for instance because it is not signed. The
    /// error is the examiner's own.
    Refused(Box<dyn Error + Send + Sync>),
    /// The plugin was kept cold, and its build cannot be read any more. The text is the reason.
    KeptBuildGone(String),
}

impl PluginErrorKind {
    /// Returns the error of this kind for a plugin and its artifact.
    pub(crate) fn of(self, plugin: &PluginName, file: impl Into<PathBuf>) -> PluginError {
        PluginError {
            plugin: plugin.clone(),
            file: file.into(),
            kind: self,
        }
    }
}

impl Error for PluginError {}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plugin, file) = (&self.plugin, path(&self.file));
        match &self.kind {
            PluginErrorKind::Toolchain { found, expected } => write!(
                f,
                "{plugin} ({file}) was built by {found}, but the host requires {expected}; build it again with that compiler"
            ),
            PluginErrorKind::Open(failure) => {
                write!(f, "{plugin}: {file} cannot be opened: it {failure}")
            }
            PluginErrorKind::Layout(difference) => write!(
                f,
                "{plugin}: {file} does not fit this host: {difference}; build plugin and host with the same version of hotswap"
            ),
            PluginErrorKind::Import { import, message } => {
                write!(f, "{plugin} ({file}) imports {import}: {message}")
            }
            PluginErrorKind::Mismatch(message) => f.write_str(message),
            PluginErrorKind::CannotKeepCold(reason) => write!(
                f,
                "{plugin} ({file}) cannot be kept cold, because it could not be made again: the host has no journal with its \
                 build, and its private copy cannot be opened ({reason}); open the host with a journal, or keep the plugin \
                 warm"
            ),
            PluginErrorKind::Refused(reason) => {
                write!(f, "{plugin} ({file}) may not be loaded: {}", Shown(reason))
            }
            PluginErrorKind::KeptBuildGone(reason) => write!(
                f,
                "{plugin} ({file}) was kept cold and cannot be made again: {reason}"
            ),
            PluginErrorKind::NotReloadable { chain } if chain.len() == 1 => write!(
                f,
                "{plugin} ({file}) is not reloadable, so it can neither be restarted nor deployed; restart the host, or make the plugin \
                 reloadable"
            ),
            PluginErrorKind::NotReloadable { chain } => write!(
                f,
                "{plugin} ({file}) is not reloadable, but imports reloadable plugins ({}); make all of them reloadable, or none",
                arrows(chain)
            ),
            PluginErrorKind::HookTimeout { hook, limit } => {
                let setting = match hook {
                    Hook::Smoke => "ReloadOptions::smoke_limit",
                    _ => "Builder::hook_limit",
                };
                write!(
                    f,
                    "{plugin}: {hook} has not returned within {limit:?} ({file}): nothing has changed, and this build stays \
                     in memory until the hook returns; shorten it, or raise `{setting}`"
                )
            }
        }
    }
}
