//! The id of a deployment.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The id of a deployment: 1 to 128 letters, digits, and characters of `-_.:/@+`.
///
/// Whoever deploys chooses it. Each request of a deployment has it, and the history of each host shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "server", schema(value_type = String))]
pub struct Deployment(String);

/// A text that is no id of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no id of a deployment, which has 1 to 128 letters, digits, and characters of `-_.:/@+`"
)]
#[non_exhaustive]
pub struct InvalidDeployment(pub String);

impl Deployment {
    /// The longest id, in bytes.
    const LONGEST: usize = 128;

    /// Returns the id as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Deployment {
    type Error = InvalidDeployment;

    fn try_from(id: String) -> Result<Self, InvalidDeployment> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+".contains(c);
        match (1..=Self::LONGEST).contains(&id.len()) && id.chars().all(is_allowed) {
            true => Ok(Deployment(id)),
            false => Err(InvalidDeployment(id)),
        }
    }
}

impl FromStr for Deployment {
    type Err = InvalidDeployment;

    fn from_str(id: &str) -> Result<Self, InvalidDeployment> {
        id.to_owned().try_into()
    }
}

impl From<Deployment> for String {
    fn from(id: Deployment) -> String {
        id.0
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Deployment;

    #[test]
    fn ids_are_short_and_have_no_spaces() {
        for id in ["7", "release-7", "ci/1234:a@main+x_y.z", &"x".repeat(128)] {
            assert_eq!(id.parse::<Deployment>().unwrap().as_str(), id);
        }
        for id in ["", "a b", "a)", "é", "a\n", &"x".repeat(129)] {
            id.parse::<Deployment>().unwrap_err();
            let json = serde_json::to_string(id).unwrap();
            serde_json::from_str::<Deployment>(&json).unwrap_err();
        }
    }
}
