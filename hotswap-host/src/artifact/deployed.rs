//! [`Deployed`], the mark of builds that do not come from the plugin directory.
use super::BuildId;
use serde::{Deserialize, Serialize};

/// What the plugin directory had for a plugin when another build of it was [deployed](crate::Reload::deploy).
///
/// A reload of the directory leaves the deployed build alone for as long as the directory still has this one, and takes what
/// the directory has otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deployed {
    /// The build in the directory, or `None` if the directory did not have the plugin.
    pub over: Option<BuildId>,
}

impl Deployed {
    /// Describes a build that takes the place of this one of the directory.
    pub fn over(build: Option<BuildId>) -> Self {
        Deployed { over: build }
    }
}
