//! The errors of a journal.
use hotswap_host::ReloadError;
use hotswap_host::artifact::{ArtifactError, BuildId};
use std::io;
use std::path::PathBuf;

/// The reason why a journal cannot be used, or why there is nothing to go back to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Another process uses the directory.
    #[error("{} is used by the process {pid}; give this host a directory of its own, or end that one", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The other process.
        pid: String,
    },
    /// A file or directory cannot be used.
    #[error("{} cannot be {action}: {error}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The attempt, such as "written".
        action: &'static str,
        /// The reason.
        error: io::Error,
    },
    /// The database cannot be read or written.
    #[error("the database {}: {error}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// The reason.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was made by a newer version.
    #[error(
        "the database {} has layout {found}, and this host knows the layouts up to {known}; use the newer version of the \
         host, or another directory", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The layout of the database.
        found: i64,
        /// The newest layout that this version knows.
        known: i64,
    },
    /// The bytes of a build are not those that were stored.
    #[error("the build {} in {} is damaged; these builds of the store are whole: {}", build.short(), path.display(), list(whole))]
    Damaged {
        /// The build.
        build: BuildId,
        /// The file.
        path: PathBuf,
        /// The builds that are whole.
        whole: Vec<BuildId>,
    },
    /// The store does not have a build.
    #[error(
        "the build {build} has left the store; these builds are there: {}",
        list(there)
    )]
    Gone {
        /// The build, or as many of its digits as were given.
        build: String,
        /// The builds of the store.
        there: Vec<BuildId>,
    },
    /// There is no earlier or later permanent set at this distance.
    #[error(
        "there is no set of builds {steps} steps {direction}: {known} are known in that direction"
    )]
    NoSuchStep {
        /// The number of steps.
        steps: usize,
        /// The direction.
        direction: &'static str,
        /// The number of steps that are possible.
        known: usize,
    },
    /// Some digits fit several builds.
    #[error(
        "{digits} is the beginning of several builds: {}; write more digits",
        list(builds)
    )]
    Ambiguous {
        /// The digits.
        digits: String,
        /// The builds.
        builds: Vec<BuildId>,
    },
    /// The bytes that were uploaded are no plugin for this host.
    #[error("what was uploaded is refused: {0}")]
    Upload(#[from] ArtifactError),
    /// A build is to be deployed that was not uploaded, or longer than an hour ago.
    #[error("the build {} was not uploaded in the last hour; upload it again", build.short())]
    NotUploaded {
        /// The build.
        build: BuildId,
    },
    /// More builds were uploaded than are kept before they are deployed.
    #[error(
        "{most} uploaded builds wait for their deployment, which is as many as this host keeps; deploy some of them, or try again in an hour"
    )]
    TooManyUploads {
        /// The number of builds that are kept.
        most: usize,
    },
    /// The plugin is not part of the permanent set.
    #[error("no plugin {plugin} is part of the permanent set")]
    NoPlugin {
        /// The plugin.
        plugin: String,
    },
    /// The host refused the rollback.
    #[error(transparent)]
    Reload(#[from] ReloadError),
}

fn list(builds: &[BuildId]) -> String {
    match builds {
        [] => "none".into(),
        builds => {
            let builds: Vec<_> = builds.iter().map(BuildId::short).collect();
            builds.join(", ")
        }
    }
}
