//! Who has sent a request.
use crate::api::{Failure, FailureKind, Role};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use tokio::net::UnixStream;

/// Somebody who may ask the host for something.
#[derive(Clone)]
pub(super) struct Caller {
    /// The caller, for people: `process 7 of user 0`.
    pub(super) who: Arc<str>,
    pub(super) role: Role,
}

/// Somebody who may not ask the host for anything.
#[derive(Clone)]
pub(super) struct Stranger {
    pub(super) who: Arc<str>,
    pub(super) failure: Failure,
}

impl Caller {
    /// Returns the process at the other end of a socket, if it is of the same user, or of the user who may do everything.
    ///
    /// # Errors
    /// It is somebody else.
    pub(super) fn of(stream: &UnixStream) -> Result<Self, Stranger> {
        let refused = |who: &str, text: String| Stranger {
            who: who.into(),
            failure: Failure::new(FailureKind::Forbidden, text),
        };
        let unknown = "an unknown process";
        let peer = stream.peer_cred().map_err(|error| {
            refused(
                unknown,
                format!("the system does not say who you are: {error}"),
            )
        })?;
        let own = std::fs::metadata("/proc/self").map_err(|error| {
            refused(
                unknown,
                format!("the system does not say who this is: {error}"),
            )
        })?;
        let who = match peer.pid() {
            Some(pid) => format!("process {pid} of user {}", peer.uid()),
            None => format!("user {}", peer.uid()),
        };
        match [own.uid(), 0].contains(&peer.uid()) {
            true => Ok(Caller {
                who: who.into(),
                role: Role::Administer,
            }),
            false => {
                let (own, other) = (own.uid(), peer.uid());
                let text = format!("this host belongs to user {own}, and you are user {other}");
                Err(refused(&who, text))
            }
        }
    }
}
