//! How reloads end.

use crate::Error;
use crate::error::exit;
use crate::topic::Topic;

/// How the reload of a host has ended, in the order of the harm.
// A signal tells only whether the host has refused.
#[cfg_attr(not(feature = "control"), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// As it was asked for.
    Well,
    /// A dry run has found that it would break something.
    Breaking,
    /// The new builds were live, and are not permanent.
    NotPermanent,
    /// The host has refused it, or could not be asked.
    Refused(Option<Topic>),
}

/// How the reload of a host has ended, with its words.
#[cfg(feature = "control")]
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    /// One word: `permanent`, `unchanged`, `reverted`, `refused`, …
    pub(crate) result: String,
    /// The report, the error, the verdict, or how the window has closed.
    pub(crate) text: String,
    /// True if the reason of a refusal may pass by itself.
    pub(crate) may_pass: bool,
}

impl Ended {
    /// Returns the exit code, or the error that says more.
    pub(crate) fn into_code(self) -> Result<u8, Error> {
        match self {
            Ended::Well => Ok(exit::SUCCESS),
            Ended::Breaking => Ok(exit::FAILURE),
            Ended::NotPermanent => Err(Error::NotPermanent),
            Ended::Refused(topic) => Err(Error::ReloadFailed { topic }),
        }
    }
}
