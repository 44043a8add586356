//! `Handed`, a file descriptor in a state.
use super::{DESCRIPTORS, Descriptors};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, OwnedFd};

/// Something with a file descriptor that is part of a plugin's state: a socket, a file, a pipe.
///
/// The descriptor is duplicated when the state is saved, and the new instance owns the duplicate. The old instance
/// keeps its own, whether the hand-over succeeds or not. A duplicate that is not restored is closed.
///
/// ```
/// use hotswap_plugin::prelude::*;
/// use std::net::TcpListener;
///
/// #[live_data]
/// pub struct State {
///     port: Handed<TcpListener>,
/// }
///
/// #[derive(Default)]
/// struct Server {
///     port: Option<TcpListener>,
/// }
///
/// #[plugin]
/// impl Server {
///     fn save(&self) -> Result<State> {
///         let port = self.port.as_ref().ok_or("the server has no port yet")?;
///         Ok(State { port: Handed::share(port)? })
///     }
///
///     fn restore(&mut self, state: State) {
///         self.port = Some(state.port.into_inner());
///     }
/// }
/// ```
///
/// It can be saved and restored only while the host passes a state on: live data on a disk keeps no files open.
///
/// ```
/// # use hotswap_plugin::prelude::*;
/// # fn main() -> std::io::Result<()> {
/// let port = Handed(std::net::TcpListener::bind("127.0.0.1:0")?);
/// assert!(LiveData::with("Port", 1, &port).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Handed<T>(pub T);

impl<T: AsFd + From<OwnedFd>> Handed<T> {
    /// Makes another descriptor of the same file or socket, for a state that is about to be saved.
    ///
    /// # Errors
    /// Returns an error if the process has no descriptors left.
    pub fn share(owner: &T) -> io::Result<Self> {
        Ok(Handed(owner.as_fd().try_clone_to_owned()?.into()))
    }
}

impl<T> Handed<T> {
    /// Returns the file or socket.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Handed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// The error of saving or restoring a descriptor at another time.
struct NotNow;

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a file descriptor can be part of a state only while the host passes the state on; leave the field out with \
             `#[live_data(skip)]`",
        )
    }
}

impl<T: AsFd> Serialize for Handed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = DESCRIPTORS.with_borrow_mut(|now| match now {
            Descriptors::Saving(descriptors) => {
                let shared = self.0.as_fd().try_clone_to_owned();
                descriptors.push(shared.map_err(S::Error::custom)?);
                Ok(descriptors.len() as u32 - 1)
            }
            Descriptors::Checking(_) => Ok(0),
            _ => Err(S::Error::custom(NotNow)),
        })?;
        number.serialize(serializer)
    }
}

impl<'de, T: From<OwnedFd>> Deserialize<'de> for Handed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        let taken = DESCRIPTORS.with_borrow_mut(|now| match now {
            Descriptors::Restoring(descriptors) => {
                let descriptor = descriptors.get_mut(number as usize).and_then(Option::take);
                descriptor.ok_or_else(|| D::Error::custom("the state has no such descriptor"))
            }
            Descriptors::Checking(descriptors) => {
                let descriptor = descriptors.get(number as usize);
                let shared = descriptor.map(OwnedFd::try_clone).transpose();
                shared
                    .map_err(D::Error::custom)?
                    .ok_or_else(|| D::Error::custom("the state has no such descriptor"))
            }
            _ => Err(D::Error::custom(NotNow)),
        })?;
        Ok(Handed(taken.into()))
    }
}
