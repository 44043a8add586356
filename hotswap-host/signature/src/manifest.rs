//! [`Manifest`], a signed list of the builds that belong together, and what a host remembers of the last one.
use crate::error::SignatureError;
use crate::file::{read_text, write_synced};
use crate::key::PublicKey;
use crate::signature::Signature;
use hotswap_host::artifact::{BuildId, BuildSet};
use hotswap_host::{PluginName, SentManifest, shown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The layout that this version writes, and the newest one that it reads.
const FORMAT: u32 = 1;
/// The longest manifest that is read.
const MAX_MANIFEST: u64 = 1 << 20;
/// The longest memory that is read.
const MAX_MEMORY: u64 = 1 << 10;

/// A list of the builds that belong together, as `cargo hotswap manifest` writes it: a JSON object. The signature is a file
/// beside it, as that of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The layout of the object.
    pub format: u32,
    /// The version of the set, which is larger than that of every set before.
    pub version: u64,
    /// The time from which on no host accepts the set, in seconds since the beginning of 1970.
    pub expires: u64,
    /// All plugins of the set, with their builds.
    pub plugins: BTreeMap<String, BuildId>,
}

impl Manifest {
    /// Makes a manifest for these builds.
    pub fn new(version: u64, expires: u64, builds: &BuildSet) -> Self {
        let plugins = builds.iter();
        Manifest {
            format: FORMAT,
            version,
            expires,
            plugins: plugins.map(|(name, id)| (name.to_string(), *id)).collect(),
        }
    }

    /// Reads a manifest, and checks that a trusted key that was not revoked has signed it. Also returns the id of its bytes.
    ///
    /// # Errors
    /// [`ManifestError::Unreadable`], [`ManifestError::NotSigned`], [`ManifestError::Malformed`], or
    /// [`ManifestError::Newer`]
    pub fn read(
        file: &Path,
        trusted: &[PublicKey],
        revoked: &[PublicKey],
    ) -> Result<(Self, BuildId), ManifestError> {
        let text = read_text(file, MAX_MANIFEST).map_err(|error| ManifestError::Unreadable {
            file: file.to_owned(),
            error,
        })?;
        Self::signed(
            file,
            &text,
            Signature::read(&Signature::path(file)),
            trusted,
            revoked,
        )
    }

    /// Reads a manifest that was sent, and checks its signature. Also returns the id of its bytes.
    pub(crate) fn sent(
        manifest: &SentManifest,
        trusted: &[PublicKey],
        revoked: &[PublicKey],
    ) -> Result<(Self, BuildId), ManifestError> {
        Self::signed(
            Path::new(&manifest.name),
            &manifest.text,
            Signature::parse(&manifest.signature),
            trusted,
            revoked,
        )
    }

    /// `file` is for errors.
    fn signed(
        file: &Path,
        text: &str,
        signature: Result<Signature, SignatureError>,
        trusted: &[PublicKey],
        revoked: &[PublicKey],
    ) -> Result<(Self, BuildId), ManifestError> {
        signature
            .and_then(|signature| signature.verify(text.as_bytes(), trusted, revoked))
            .map_err(|reason| ManifestError::NotSigned {
                file: file.to_owned(),
                reason,
            })?;
        let malformed = |error| ManifestError::Malformed {
            file: file.to_owned(),
            error,
        };
        /// What every layout has.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_str(text).map_err(malformed)?;
        if format > FORMAT {
            return Err(ManifestError::Newer { format });
        }
        let manifest = serde_json::from_str(text).map_err(malformed)?;
        Ok((manifest, BuildId::of(text.as_bytes())))
    }

    /// Returns the set of builds.
    pub fn builds(&self) -> BuildSet {
        let plugins = self.plugins.iter();
        plugins
            .map(|(name, build)| (PluginName::from(name.as_str()), *build))
            .collect()
    }

    /// Checks that the set has these builds and no others, and that it has not expired.
    ///
    /// # Errors
    /// [`ManifestError::Expired`] or [`ManifestError::AnotherSet`]
    pub fn check(&self, builds: &BuildSet, now: SystemTime) -> Result<(), ManifestError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now >= self.expires {
            return Err(ManifestError::Expired {
                version: self.version,
                seconds: now - self.expires,
            });
        }
        let listed = self.builds();
        let names = builds.keys().chain(listed.keys());
        for plugin in names {
            let (build, listed) = (builds.get(plugin), listed.get(plugin));
            if build != listed {
                return Err(ManifestError::AnotherSet {
                    version: self.version,
                    plugin: plugin.clone(),
                    build: build.copied(),
                    listed: listed.copied(),
                });
            }
        }
        Ok(())
    }
}

/// The file in which a host remembers the version of the last set that it has accepted.
#[derive(Clone, Debug)]
pub(crate) struct Memory(pub(crate) PathBuf);

impl Memory {
    /// Checks that no newer set was accepted before, and remembers this one unless it is a dry run.
    pub(crate) fn accept(
        &self,
        manifest: &Manifest,
        id: BuildId,
        is_dry_run: bool,
    ) -> Result<(), ManifestError> {
        let failed = |error| ManifestError::Memory {
            file: self.0.clone(),
            error,
        };
        let version = manifest.version;
        match read_text(&self.0, MAX_MEMORY) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(text) => {
                let damaged = || failed(std::io::Error::other("it is damaged"));
                let (last, last_id) = text.trim_end().split_once(' ').ok_or_else(damaged)?;
                let last: u64 = last.parse().map_err(|_| damaged())?;
                let last_id: BuildId = last_id.parse().map_err(|_| damaged())?;
                if version < last {
                    return Err(ManifestError::Older { version, last });
                }
                if version == last {
                    return match id == last_id {
                        true => Ok(()),
                        false => Err(ManifestError::Reused { version }),
                    };
                }
            }
        }
        match is_dry_run {
            true => Ok(()),
            false => write_synced(&self.0, &format!("{version} {id}\n")).map_err(failed),
        }
    }
}

/// The reason why a host does not accept a set of builds by its manifest. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The manifest cannot be read.
    #[error(
        "the manifest {} cannot be read: {error}; write one with `cargo hotswap manifest`",
        shown::path(file)
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// The manifest does not count as signed.
    #[error("the manifest {}: {reason}", shown::path(file))]
    NotSigned {
        /// The file.
        file: PathBuf,
        /// The reason.
        reason: SignatureError,
    },
    /// The file is not a manifest.
    #[error(
        "{} is not a manifest: {error}; write one with `cargo hotswap manifest`",
        shown::path(file)
    )]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: serde_json::Error,
    },
    /// A newer version of hotswap has written the manifest.
    #[error(
        "the manifest has the format {format}, which is newer than this host; write it with the host's version of hotswap"
    )]
    Newer {
        /// The format.
        format: u32,
    },
    /// The manifest has expired.
    #[error(
        "the manifest of version {version} has expired; write a new one with `cargo hotswap manifest`"
    )]
    Expired {
        /// The version of the set.
        version: u64,
        /// How long ago.
        seconds: u64,
    },
    /// The builds are not those of the manifest.
    #[error(
        "{plugin} {}, but the manifest of version {version} has {}; install the whole set with its manifest",
        build.map_or("is missing".to_owned(), |build| format!("has build {build:.8}")),
        listed.map_or("no such plugin".to_owned(), |build| format!("build {build:.8}"))
    )]
    AnotherSet {
        /// The version of the set.
        version: u64,
        /// The first plugin that differs.
        plugin: PluginName,
        /// The build that would be live.
        build: Option<BuildId>,
        /// The build in the manifest.
        listed: Option<BuildId>,
    },
    /// A set with a larger version was accepted before.
    #[error(
        "the manifest has version {version}, but version {last} was accepted before; write a new manifest for these builds, \
         or go back with `cargo hotswap rollback`"
    )]
    Older {
        /// The version of the set.
        version: u64,
        /// The last one that was accepted.
        last: u64,
    },
    /// Another set with the same version was accepted before.
    #[error(
        "another manifest of version {version} was accepted before; write this one with a larger version"
    )]
    Reused {
        /// The version of the set.
        version: u64,
    },
    /// The host cannot remember versions.
    #[error(
        "the version of the last set in {} cannot be read or written: {error}; give the host a file that it can write, or, if \
         it is damaged, remove it",
        shown::path(file)
    )]
    Memory {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
}
