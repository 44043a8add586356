//! [`SentManifest`], a signed list of builds that somebody has sent with a deployment.

/// A signed list of builds that somebody has sent with a deployment, for the host's [`Examiner`](crate::Examiner):
/// [`Reload::manifest`](crate::Reload::manifest). The host itself does not read it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentManifest {
    /// The name of the file, for errors.
    pub name: String,
    /// The text of the list.
    pub text: String,
    /// The text of the signature.
    pub signature: String,
}

impl SentManifest {
    /// Makes one from its texts.
    pub fn new(
        name: impl Into<String>,
        text: impl Into<String>,
        signature: impl Into<String>,
    ) -> Self {
        SentManifest {
            name: name.into(),
            text: text.into(),
            signature: signature.into(),
        }
    }
}
