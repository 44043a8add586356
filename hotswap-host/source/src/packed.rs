//! The sources of a plugin, and the form in which its file carries them.
use crate::SourceError;
use hotswap_host::Swapper;
use hotswap_host::artifact::{self, Artifact, Note};
use hotswap_host::shown::nearest;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The greatest number of bytes that sources may take when they are unpacked.
const MOST_BYTES: usize = 64 << 20;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The level of the compression: the usual one.
const LEVEL: u8 = 6;

/// The Rust files of a plugin's package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    package: String,
    files: Vec<SourceFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceFile {
    /// The path, relative to the directory of the package, with `/` between its parts.
    pub path: String,
    /// The text.
    pub text: String,
}

impl Sources {
    /// Returns sources of a package with these paths and texts.
    pub fn new(package: &str, files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter();
        let mut files: Vec<_> = files
            .map(|(path, text)| SourceFile { path, text })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Sources {
            package: package.to_owned(),
            files,
        }
    }

    /// Reads those of the `files` that are Rust files of the package in the directory `root`. Others are left out.
    ///
    /// # Errors
    /// One of the files cannot be read, or is not UTF-8.
    pub fn read(package: &str, root: &Path, files: &[PathBuf]) -> io::Result<Self> {
        let mut read = BTreeMap::new();
        for file in files {
            let Ok(path) = file.strip_prefix(root) else {
                continue;
            };
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            let text = std::fs::read_to_string(file)?;
            // The places of functions are counted without a byte order mark.
            let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
            read.insert(parts.join("/"), text.to_owned());
        }
        Ok(Self::new(package, read))
    }

    /// Returns the sources that an artifact carries, of which `bytes` are all.
    ///
    /// # Errors
    /// [`SourceError::None`] if it carries none, or another error if it is damaged.
    pub fn of_artifact(bytes: &[u8]) -> Result<Self, SourceError> {
        Self::unpack(Note::sources(bytes)?.ok_or(SourceError::None)?)
    }

    /// Returns the sources of the live build of a plugin, which the file has that the host loaded.
    ///
    /// # Errors
    /// [`SourceError::NotLoaded`], [`SourceError::Replaced`] if the file has another build by now, or those of
    /// [`of_artifact`](Self::of_artifact).
    pub fn of_plugin(swapper: &Swapper, plugin: &str) -> Result<Self, SourceError> {
        let listing = swapper.listing();
        let names = listing.plugins.iter().map(|plugin| plugin.name.as_str());
        let found = listing
            .plugin(plugin)
            .ok_or_else(|| SourceError::NotLoaded {
                nearest: nearest(plugin, names).map(str::to_owned),
                plugin: plugin.to_owned(),
            })?;
        let replaced = || SourceError::Replaced {
            plugin: found.name.to_string(),
            file: found.file.clone(),
        };
        let bytes = artifact::read_bytes(&found.file).map_err(|_| replaced())?;
        let there = Artifact::from_bytes(&found.file, &bytes).map_err(|_| replaced())?;
        match there.build_id == found.build_id {
            true => Self::of_artifact(&bytes),
            false => Err(replaced()),
        }
    }

    /// Returns the package of the plugin.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// Returns the files, in the order of their paths.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    pub(crate) fn files_mut(&mut self) -> &mut [SourceFile] {
        &mut self.files
    }

    /// Returns the bytes that [`Note::append_with`] puts into an artifact. The same sources give the same bytes.
    pub fn pack(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("texts can be written as JSON");
        compress_to_vec(&json, LEVEL)
    }

    /// Returns the sources that [`pack`](Self::pack) has packed.
    ///
    /// # Errors
    /// [`SourceError::Damaged`].
    pub fn unpack(packed: &[u8]) -> Result<Self, SourceError> {
        let json = decompress_to_vec_with_limit(packed, MOST_BYTES)
            .map_err(|error| SourceError::Damaged(error.to_string()))?;
        let sources: Sources = serde_json::from_slice(&json)
            .map_err(|error| SourceError::Damaged(error.to_string()))?;
        let mut texts = sources.files.iter().map(|file| &file.text);
        match texts.any(|text| text.starts_with(BYTE_ORDER_MARK)) {
            true => Err(SourceError::Damaged("a byte order mark is in them".into())),
            false => Ok(sources),
        }
    }
}
