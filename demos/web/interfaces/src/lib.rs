//! What the plugins and the host of the demo web agree on.
use hotswap_plugin::prelude::*;
use std::fmt;

/// One who has signed. Crosses between plugins, and goes along from one build of the guestbook to the next.
#[shared]
#[live_data]
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    /// The first one is 1.
    pub number: u64,
    /// As signed.
    pub name: String,
    /// What the guestbook has made of the name.
    pub seal: u32,
}

/// What cannot be signed.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// Nothing is no name.
    NoName,
    /// A name of more letters than this.
    TooLong(u32),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NoName => f.write_str("a name is needed"),
            Refused::TooLong(most) => write!(f, "a name has no more than {most} letters"),
        }
    }
}

/// Keeps the names of guests.
#[interface]
pub trait Guestbook: Send + Sync {
    /// Writes a name into the book.
    async fn sign(&self, name: &str) -> Result<Guest, Refused>;

    /// How many have signed, and the last of them, the latest first.
    async fn latest(&self) -> (u64, Vec<Guest>);

    /// Who answers: the plugin's name and build.
    fn build(&self) -> String;
}
