//! [`RequireSignatures`], the examiner of a host that loads signed builds only.
use crate::error::SignatureError;
use crate::key::Keys;
use crate::signature::{Signature, Verified};
use hotswap_host::{BuildOrigin, ExaminedBuild, Examiner, Refusal, shown};

/// Makes a host refuse builds that no trusted key has signed.
///
/// ```no_run
/// use hotswap_host::Swapper;
/// use hotswap_signature::{Keys, RequireSignatures};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signatures = RequireSignatures::by(Keys::in_file("/etc/shop/trusted.pub"))
///     .revoked(Keys::in_file("/etc/shop/revoked.pub"));
/// let swapper = Swapper::builder()
///     .plugin_dir("/opt/shop/plugins")
///     .examiner(signatures)
///     .open()?;
/// # Ok(())
/// # }
/// ```
///
/// | the build comes from | its signature | if it does not count |
/// |---|---|---|
/// | a file | is beside the file: [`Signature::path`] | the reload is refused |
/// | the journal, at the start of the host | was kept with the build | a warning; with [`also_at_start`](Self::also_at_start), the host starts with its plugin directory instead |
/// | the journal, in a rollback | was kept with the build | a warning: a host may always go back to what it ran before |
///
/// Only the owner of the host's state directory decides what is in the journal.
#[derive(Clone, Debug)]
pub struct RequireSignatures {
    trusted: Keys,
    revoked: Option<Keys>,
    also_at_start: bool,
}

impl RequireSignatures {
    /// Requires a signature by one of these keys.
    pub fn by(trusted: Keys) -> Self {
        RequireSignatures {
            trusted,
            revoked: None,
            also_at_start: false,
        }
    }

    /// Does not count signatures by these keys. If they are in a file and it cannot be read, nothing counts.
    pub fn revoked(mut self, keys: Keys) -> Self {
        self.revoked = Some(keys);
        self
    }

    /// If true, a host does not start with permanent builds whose signatures do not count, because a key has been revoked
    /// since, or because they were loaded while no signatures were required. It then starts with the builds in its
    /// plugin directory, if they are signed. By default a warning in the log names such builds.
    pub fn also_at_start(mut self, require: bool) -> Self {
        self.also_at_start = require;
        self
    }

    fn verify(
        &self,
        signature: &Signature,
        build: &ExaminedBuild<'_>,
    ) -> Result<Verified, SignatureError> {
        let trusted = self.trusted.read()?;
        let revoked = self.revoked.as_ref().map(Keys::read).transpose()?;
        signature.verify(
            build.bytes,
            &trusted,
            revoked.as_deref().unwrap_or_default(),
        )
    }

    fn verify_file(&self, build: &ExaminedBuild<'_>) -> Result<Signature, SignatureError> {
        let signature = Signature::read(&Signature::path(build.file))?;
        let verified = self.verify(&signature, build)?;
        tracing::info!(
            target: "hotswap",
            "{} (build {}) is signed by {}: {}",
            build.plugin,
            build.build_id.short(),
            verified.key,
            shown::Shown(verified.comment.replace('\t', ", "))
        );
        Ok(signature)
    }

    fn verify_kept(&self, build: &ExaminedBuild<'_>) -> Result<(), SignatureError> {
        let kept = build.evidence.ok_or(SignatureError::NotKept)?;
        let text = std::str::from_utf8(kept).map_err(|_| SignatureError::Malformed)?;
        self.verify(&Signature::parse(text)?, build).map(drop)
    }
}

impl Examiner for RequireSignatures {
    fn examine(&self, build: &ExaminedBuild<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        let does = match build.origin {
            BuildOrigin::File => {
                let signature = self.verify_file(build)?;
                return Ok(Some(signature.text().as_bytes().to_vec()));
            }
            BuildOrigin::Start => "starts with",
            BuildOrigin::Earlier => "goes back to",
            // An origin that this version does not know.
            _ => {
                self.verify_kept(build)?;
                "loads"
            }
        };
        if let Err(error) = self.verify_kept(build) {
            if self.also_at_start && build.origin == BuildOrigin::Start {
                return Err(error.into());
            }
            tracing::warn!(
                target: "hotswap",
                "the host {does} {} (build {}), which it has run before, although {error}",
                build.plugin,
                build.build_id.short()
            );
        }
        Ok(build.evidence.map(<[u8]>::to_vec))
    }
}
