//! The types and interfaces that the plugins and the host of the demo `web` share.
use hotswap_plugin::prelude::*;
use std::fmt;

/// A guest. The type crosses between plugins, and is part of the state of the guestbook.
#[shared]
#[live_data]
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    /// The guest's number, from 1.
    pub number: u64,
    /// The name as signed.
    pub name: String,
    /// The seal that the guestbook has computed from the name.
    pub seal: u32,
}

/// The reasons why a name is refused.
#[shared]
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// The name is empty.
    NoName,
    /// The name has more letters than this.
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

    /// Returns how many guests have signed, and the last of them, with the latest one first.
    async fn latest(&self) -> (u64, Vec<Guest>);

    /// Returns the plugin's name and build.
    fn build(&self) -> String;
}
