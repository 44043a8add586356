//! [`Requester`], who asks for a change of a host, and why.
use serde::Serialize;
use std::fmt;

/// Somebody outside of a host's code who asks for a change, with the reason.
///
/// The log, the events, and the history show all of it. A text is a requester without a reason.
///
/// ```
/// use hotswap_host::Requester;
///
/// let requester = Requester::new("process 7 of user 0")
///     .reason("it is slow")
///     .deployment("ci/12");
/// assert_eq!(requester.to_string(), "process 7 of user 0 (deployment ci/12): it is slow");
/// assert_eq!(Requester::from("the operator on duty").to_string(), "the operator on duty");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requester {
    /// Who asks.
    pub who: String,
    /// The reason.
    pub reason: Option<String>,
    /// The id of the deployment that the change is part of. Whoever deploys chooses it.
    pub deployment: Option<String>,
}

impl Requester {
    /// Returns a requester who gives no reason.
    pub fn new(who: impl Into<String>) -> Self {
        Requester {
            who: who.into(),
            reason: None,
            deployment: None,
        }
    }

    /// Sets the reason. A blank one is none.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let reason = reason.trim();
        self.reason = (!reason.is_empty()).then(|| reason.to_owned());
        self
    }

    /// Sets the id of the deployment that the change is part of.
    pub fn deployment(mut self, id: impl Into<String>) -> Self {
        self.deployment = Some(id.into());
        self
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.who)?;
        if let Some(deployment) = &self.deployment {
            write!(f, " (deployment {deployment})")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl From<&str> for Requester {
    fn from(who: &str) -> Self {
        Requester::new(who)
    }
}

impl From<&String> for Requester {
    fn from(who: &String) -> Self {
        Requester::new(who)
    }
}

impl From<String> for Requester {
    fn from(who: String) -> Self {
        Requester::new(who)
    }
}

impl From<&Requester> for Requester {
    fn from(requester: &Requester) -> Self {
        requester.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Requester;

    #[test]
    fn a_blank_reason_is_none() {
        let requester = Requester::new("user 0").reason(" ");
        assert_eq!(requester.to_string(), "user 0");
        assert_eq!(requester.reason(" slow ").to_string(), "user 0: slow");
    }
}
