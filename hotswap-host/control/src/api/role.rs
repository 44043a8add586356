//! What a caller may do.
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a caller may do. Each role may do what the ones before it may, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at the host, and changes nothing.
    Look,
    /// Changes what the host runs, by what its plugin directory and its history have.
    Operate,
    /// Does everything: names other files to load, sets the log, and freezes the host.
    Administer,
}

impl Role {
    /// All roles, from the least to the greatest.
    pub const ALL: [Role; 3] = [Role::Look, Role::Operate, Role::Administer];

    /// Returns the role as a word.
    pub fn name(self) -> &'static str {
        match self {
            Role::Look => "look",
            Role::Operate => "operate",
            Role::Administer => "administer",
        }
    }

    /// Returns the role with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
