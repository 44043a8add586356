//! Who has sent a request.
use crate::api::{self, Deployment, Failure, FailureKind};
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use tokio::net::UnixStream;

/// The process at the other end of a socket.
#[derive(Clone)]
pub(super) struct Caller {
    uid: u32,
    pid: Option<i32>,
}

impl Caller {
    /// Returns the caller, if it is of the same user, or of the user who may do everything.
    ///
    /// # Errors
    /// It is somebody else.
    pub(super) fn of(stream: &UnixStream) -> Result<Self, Failure> {
        let refused = |text: String| Failure::new(FailureKind::Forbidden, text);
        let peer = stream
            .peer_cred()
            .map_err(|error| refused(format!("the system does not say who you are: {error}")))?;
        let own = std::fs::metadata("/proc/self")
            .map_err(|error| refused(format!("the system does not say who this is: {error}")))?;
        let caller = Caller {
            uid: peer.uid(),
            pid: peer.pid(),
        };
        match [own.uid(), 0].contains(&caller.uid) {
            true => Ok(caller),
            false => Err(refused(format!(
                "this host belongs to user {}, and you are user {}",
                own.uid(),
                caller.uid
            ))),
        }
    }

    /// Returns who has asked for something, for which deployment, and why.
    pub(super) fn because(&self, reason: Option<&str>, deployment: Option<&Deployment>) -> String {
        api::because(&self.to_string(), reason, deployment)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} of user {}", self.uid),
            None => write!(f, "user {}", self.uid),
        }
    }
}
