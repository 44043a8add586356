//! [`RequireSignatures`], the examiner of a host that loads signed builds only.
use crate::error::SignatureError;
use crate::key::Keys;
use crate::manifest::{Manifest, ManifestError, Memory};
use crate::signature::{Signature, Verified};
use hotswap_host::{BuildOrigin, ExaminedBuild, ExaminedSet, Examiner, Refusal, shown};
use std::path::PathBuf;
use std::time::SystemTime;

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
/// | `cargo hotswap deploy` | was sent with it | the deployment is refused |
/// | the journal, at the start of the host | was kept with the build | a warning; with [`also_at_start`](Self::also_at_start), the host starts with its plugin directory instead |
/// | the journal, in a rollback | was kept with the build | a warning: a host may always go back to what it ran before |
///
/// Only the owner of the host's state directory decides what is in the journal.
#[derive(Clone, Debug)]
pub struct RequireSignatures {
    trusted: Keys,
    revoked: Option<Keys>,
    also_at_start: bool,
    manifest: Option<(PathBuf, Memory)>,
}

impl RequireSignatures {
    /// Requires a signature by one of these keys.
    pub fn by(trusted: Keys) -> Self {
        RequireSignatures {
            trusted,
            revoked: None,
            also_at_start: false,
            manifest: None,
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

    /// Also requires that all plugins together are the set in this manifest, so that neither an older set can be slipped in
    /// nor a mixture of two: see [`Manifest`]. The manifest is signed by one of the keys, has not expired, and has a larger
    /// version than any that the host has accepted before. The host remembers that in the file `memory`, which has to
    /// be in a directory that only its owner can write, such as the state directory of its journal.
    ///
    /// A deployment may bring the manifest of its set along, which then counts in the place of the file.
    ///
    /// This is checked when a set of builds from files, or a deployed one, is about to become live, and at no other time: a host starts with its
    /// permanent builds, goes back to those of its journal, and reverts a reload, whatever the manifest says by then.
    pub fn manifest(mut self, file: impl Into<PathBuf>, memory: impl Into<PathBuf>) -> Self {
        self.manifest = Some((file.into(), Memory(memory.into())));
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

    fn accept_set(
        &self,
        (file, memory): &(PathBuf, Memory),
        set: &ExaminedSet<'_>,
    ) -> Result<(), ManifestError> {
        let keys = || {
            let trusted = self.trusted.read()?;
            let revoked = self.revoked.as_ref().map(Keys::read).transpose()?;
            Ok((trusted, revoked.unwrap_or_default()))
        };
        let (trusted, revoked) = keys().map_err(|reason| ManifestError::NotSigned {
            file: file.clone(),
            reason,
        })?;
        let (manifest, id) = match set.manifest {
            Some(sent) => Manifest::sent(sent, &trusted, &revoked)?,
            None => Manifest::read(file, &trusted, &revoked)?,
        };
        manifest.check(set.builds, SystemTime::now())?;
        memory.accept(&manifest, id, set.is_dry_run)
    }

    fn verify_kept(&self, build: &ExaminedBuild<'_>) -> Result<(), SignatureError> {
        let kept = build.evidence.ok_or(SignatureError::NotKept)?;
        self.verify_text(kept, build)
    }

    fn verify_text(&self, text: &[u8], build: &ExaminedBuild<'_>) -> Result<(), SignatureError> {
        let text = std::str::from_utf8(text).map_err(|_| SignatureError::Malformed)?;
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
            BuildOrigin::Deployed => {
                let sent = build.evidence.ok_or(SignatureError::NotSent)?;
                self.verify_text(sent, build)?;
                return Ok(Some(sent.to_vec()));
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

    fn accept(&self, set: &ExaminedSet<'_>) -> Result<(), Refusal> {
        match &self.manifest {
            Some(manifest) => Ok(self.accept_set(manifest, set)?),
            None => Ok(()),
        }
    }
}
