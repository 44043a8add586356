//! Which section of the chapter about troubleshooting is about which error.

#[cfg(feature = "control")]
use hotswap_control::ClientError;
#[cfg(feature = "control")]
use hotswap_control::api::FailureKind;
use hotswap_host::artifact::ArtifactProblem;
#[cfg(feature = "history")]
use hotswap_operate::HistoryError;

use crate::Error;
use crate::topic::Topic;

impl Error {
    /// Returns the section of the chapter about troubleshooting that says what to do, if there is one.
    pub fn topic(&self) -> Option<Topic> {
        Some(match self {
            Error::ReloadFailed { topic } => return *topic,
            Error::NoHostRunning { .. } => Topic::NoHost,
            Error::SeveralHosts { .. } => Topic::SeveralHosts,
            Error::NotAsked { .. } | Error::NotAnswered(_) => Topic::NoAnswer,
            Error::NotPermanent => Topic::NotPermanent,
            Error::Artifact(error) => return of_artifact(&error.problem),
            Error::NotAPlugin { source, .. } => return of_artifact(&source.problem),
            #[cfg(feature = "sign")]
            Error::NotSigned { .. } => Topic::Signature,
            #[cfg(feature = "history")]
            Error::History(error) => return of_history(error),
            #[cfg(feature = "history")]
            Error::DamagedBuilds { .. } => Topic::Store,
            #[cfg(feature = "history")]
            Error::BrokenAudit { .. } => Topic::Audit,
            #[cfg(feature = "control")]
            Error::NoControl { .. }
            | Error::OfAnotherWorkspace { .. }
            | Error::OfAnotherHost { .. } => Topic::NoHost,
            #[cfg(feature = "control")]
            Error::SeveralControls { .. } => Topic::SeveralHosts,
            #[cfg(feature = "control")]
            Error::NoAnswer { .. } | Error::HostGone { .. } => Topic::NoAnswer,
            #[cfg(feature = "control")]
            Error::DeployFailed { .. } => Topic::Deploy,
            #[cfg(feature = "control")]
            Error::Control(error) => return of_client(error),
            _ => return None,
        })
    }
}

/// An error that says all there is to say about a path has no section.
fn of_artifact(kind: &ArtifactProblem) -> Option<Topic> {
    use ArtifactProblem::{DanglingLink, Directory, NotAFile, NotFound, Unreadable};
    match kind {
        NotFound | DanglingLink { .. } | Directory | NotAFile | Unreadable { .. } => None,
        _ => Some(Topic::Artifact),
    }
}

#[cfg(feature = "history")]
fn of_history(error: &HistoryError) -> Option<Topic> {
    Some(match error {
        HistoryError::Locked { .. } => Topic::Locked,
        HistoryError::Newer { .. } => Topic::Newer,
        HistoryError::File { .. } | HistoryError::Database { .. } => Topic::Database,
        HistoryError::Damaged { .. } | HistoryError::Gone { .. } => Topic::Store,
        HistoryError::Reload(error) => return Topic::of_reason(error.reason()),
        _ => return None,
    })
}

#[cfg(feature = "control")]
fn of_client(error: &ClientError) -> Option<Topic> {
    match error {
        ClientError::Connect(_) => Some(Topic::Socket),
        ClientError::Failure(failure) => match failure.kind {
            FailureKind::Forbidden | FailureKind::Unauthorized => Some(Topic::Access),
            _ => Topic::of_reason(failure.reason.as_deref()?),
        },
        _ => None,
    }
}
