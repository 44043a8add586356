use super::BuildId;
use super::error::ArtifactProblem;
use super::limits::NOTE_BYTES;
use super::texts;
use hotswap_plugin::contract::metadata::NOTE_MAGIC;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A note of `cargo hotswap build` on a plugin's sources.
///
/// The note is after the last byte of the library, where no loader looks, and is not part of the [`BuildId`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The last commit that changed the plugin's own sources, as 40 hexadecimal digits, or `unknown`. A file is refused
    /// if this has anything but ASCII letters, digits, `-`, `.`, `_`, and `+`.
    pub commit: String,
    /// True if those sources had changes that were not committed.
    pub dirty: bool,
    /// The place of the sources. `None` in a build by an earlier hotswap, and if a path is not one line of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<SourceLocation>,
}

/// The place of a plugin's sources on the machine that has built it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The directory in which Cargo was called, whose configuration applies.
    pub directory: String,
    /// The manifest of the package. The path is absolute.
    pub manifest: String,
    /// The options of Cargo that select features.
    pub features: Vec<String>,
}

impl SourceLocation {
    /// Returns the place, or `None` if one of the texts is not one line of text.
    pub fn new(directory: &Path, manifest: &Path, features: Vec<String>) -> Option<Self> {
        let location = SourceLocation {
            directory: directory.to_str()?.to_owned(),
            manifest: manifest.to_str()?.to_owned(),
            features,
        };
        location.check().is_ok().then_some(location)
    }

    fn check(&self) -> Result<(), ArtifactProblem> {
        let texts = [&self.directory, &self.manifest];
        let mut texts = texts.into_iter().chain(&self.features);
        texts.try_for_each(|text| texts::check("location", text, texts::Kind::Line))
    }
}

/// The JSON of the note. It includes the build for which the note was written, so that a file with some bytes of an
/// earlier build is not taken for either.
#[derive(Serialize, Deserialize)]
struct Written<N> {
    #[serde(flatten)]
    note: N,
    build: BuildId,
    /// The sources between the library and the note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sources: Option<Packed>,
}

/// The place and the hash of packed sources, which end where the note begins.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Packed {
    len: usize,
    hash: BuildId,
}

/// The parts of a file.
struct Parts<'a> {
    library: &'a [u8],
    /// The packed sources, and the hash that the note has of them.
    sources: Option<(&'a [u8], BuildId)>,
    /// The note, and the build for which it was written.
    note: Option<(Note, BuildId)>,
}

impl Note {
    /// Appends the note to the bytes of a library. An existing note is replaced, and the sources before it are removed.
    ///
    /// # Panics
    /// Panics if the library has 4 GiB of notes.
    pub fn append_to(&self, library: &mut Vec<u8>) {
        self.append_with(library, None);
    }

    /// Does the same, and puts packed sources before the note.
    ///
    /// # Panics
    /// Panics if the library has 4 GiB of notes.
    pub fn append_with(&self, library: &mut Vec<u8>, sources: Option<&[u8]>) {
        if let Ok(parts @ Parts { note: Some(_), .. }) = parts(library) {
            let len = parts.library.len();
            library.truncate(len);
        }
        let written = Written {
            note: self,
            build: BuildId::of(library),
            sources: sources.map(|bytes| Packed {
                len: bytes.len(),
                hash: BuildId::of(bytes),
            }),
        };
        library.extend_from_slice(sources.unwrap_or_default());
        let json = serde_json::to_vec(&written).expect("texts and a flag can be written as JSON");
        let len = u32::try_from(json.len()).expect("the note is short");
        library.extend_from_slice(&json);
        library.extend_from_slice(&len.to_le_bytes());
        library.extend_from_slice(&NOTE_MAGIC);
    }

    /// Removes the note and the sources from the bytes of an artifact, for whichever build the note was written. Returns
    /// the note and the packed sources. Returns `None` if there is no note, or if it cannot be read; in that case it stays.
    pub fn take_from(artifact: &mut Vec<u8>) -> Option<(Note, Option<Vec<u8>>)> {
        let Parts {
            library,
            sources,
            note,
        } = parts(artifact).ok()?;
        let (note, _) = note?;
        let sources = sources.map(|(bytes, _)| bytes.to_owned());
        let len = library.len();
        artifact.truncate(len);
        Some((note, sources))
    }

    /// Returns the packed sources that a file carries, of which `file` is the whole. The crate `hotswap-source` unpacks
    /// them.
    ///
    /// # Errors
    /// [`ArtifactProblem::Note`] if the note or the sources are damaged.
    pub fn sources(file: &[u8]) -> Result<Option<&[u8]>, ArtifactProblem> {
        let Some((sources, noted)) = parts(file)?.sources else {
            return Ok(None);
        };
        match BuildId::of(sources) == noted {
            true => Ok(Some(sources)),
            false => Err(ArtifactProblem::Note {
                reason: "the sources before it have changed".into(),
            }),
        }
    }

    fn check(&self) -> Result<(), ArtifactProblem> {
        texts::check("commit", &self.commit, texts::Kind::Word)?;
        self.location.iter().try_for_each(SourceLocation::check)
    }

    /// Separates a file into the library, its id, and its note.
    pub(super) fn separate(file: &[u8]) -> Result<(&[u8], BuildId, Option<Note>), ArtifactProblem> {
        let Parts { library, note, .. } = parts(file)?;
        let found = BuildId::of(library);
        match note {
            None => Ok((library, found, None)),
            Some((note, build)) if build == found => Ok((library, found, Some(note))),
            Some((_, noted)) => Err(ArtifactProblem::AnotherBuild { noted, found }),
        }
    }
}

/// Separates a file. Neither the library nor the sources are hashed.
fn parts(file: &[u8]) -> Result<Parts<'_>, ArtifactProblem> {
    let damaged = |reason| ArtifactProblem::Note { reason };
    let (library, json) = split(file).map_err(damaged)?;
    let Some(json) = json else {
        return Ok(Parts {
            library,
            sources: None,
            note: None,
        });
    };
    let Written::<Note> {
        note,
        build,
        sources,
    } = serde_json::from_slice(json).map_err(|error| damaged(error.to_string()))?;
    note.check()?;
    let len = sources.map_or(0, |packed| packed.len);
    let end = library.len().checked_sub(len);
    let end = end.ok_or_else(|| damaged("it names more sources than the file has".into()))?;
    let (library, bytes) = library.split_at(end);
    Ok(Parts {
        library,
        sources: sources.map(|packed| (bytes, packed.hash)),
        note: Some((note, build)),
    })
}

/// Returns the library, and the JSON of the note after it.
fn split(file: &[u8]) -> Result<(&[u8], Option<&[u8]>), String> {
    let Some(rest) = file.strip_suffix(&NOTE_MAGIC) else {
        return Ok((file, None));
    };
    let parts = || {
        let (rest, len) = rest.split_last_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        rest.split_at_checked(rest.len().checked_sub(len)?)
    };
    let (library, json) = parts().ok_or("it is longer than the file")?;
    match json.len() <= NOTE_BYTES {
        true => Ok((library, Some(json))),
        false => Err(format!("it has more than {NOTE_BYTES} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Note, SourceLocation};
    use crate::artifact::{ArtifactProblem, BuildId};
    use std::path::Path;

    fn note() -> Note {
        Note {
            commit: "0123456789012345678901234567890123456789".into(),
            dirty: true,
            location: SourceLocation::new(
                Path::new("/src"),
                Path::new("/src/a/Cargo.toml"),
                vec!["--all-features".into()],
            ),
        }
    }

    #[test]
    fn a_note_of_an_earlier_build_has_no_location() {
        let mut file = b"library".to_vec();
        let earlier = Note {
            location: None,
            ..note()
        };
        earlier.append_to(&mut file);
        assert!(!String::from_utf8_lossy(&file).contains("location"));
        assert_eq!(Note::separate(&file).unwrap().2, Some(earlier));
        assert_eq!(
            SourceLocation::new(Path::new("/a"), Path::new("/a\n"), Vec::new()),
            None
        );
    }

    #[test]
    fn a_note_is_no_part_of_the_identity() {
        let mut file = b"library".to_vec();
        note().append_to(&mut file);
        let (library, id, read) = Note::separate(&file).unwrap();
        assert_eq!(
            (library, id, read),
            (&b"library"[..], BuildId::of(b"library"), Some(note()))
        );

        let once = file.clone();
        note().append_to(&mut file);
        assert!(once == file, "the second note replaces the first");
    }

    #[test]
    fn a_note_can_be_taken_off_what_has_changed() {
        let mut file = b"library".to_vec();
        note().append_to(&mut file);
        file[0] ^= 1;
        assert_eq!(Note::take_from(&mut file), Some((note(), None)));
        assert_eq!(file, b"mibrary");
        assert_eq!(Note::take_from(&mut file), None);
        assert_eq!(file, b"mibrary");
    }

    #[test]
    fn sources_are_no_part_of_the_identity() {
        let mut file = b"library".to_vec();
        note().append_with(&mut file, Some(b"sources"));
        let (library, id, read) = Note::separate(&file).unwrap();
        assert_eq!(
            (library, id, read),
            (&b"library"[..], BuildId::of(b"library"), Some(note()))
        );
        assert_eq!(Note::sources(&file).unwrap(), Some(&b"sources"[..]));

        file[7] ^= 1;
        Note::separate(&file).expect("a reader that wants no sources does not look at them");
        assert!(matches!(
            Note::sources(&file),
            Err(ArtifactProblem::Note { .. })
        ));
        file[7] ^= 1;

        let mut without = file.clone();
        note().append_to(&mut without);
        assert_eq!(Note::sources(&without).unwrap(), None);
        assert_eq!(
            Note::take_from(&mut file),
            Some((note(), Some(b"sources".to_vec())))
        );
        assert_eq!(file, b"library");
    }

    #[test]
    fn a_library_without_note() {
        let (library, id, note) = Note::separate(b"library").unwrap();
        assert_eq!(
            (library, id, note),
            (&b"library"[..], BuildId::of(b"library"), None)
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut file = b"library".to_vec();
        note().append_to(&mut file);
        for bit in 0..file.len() * 8 {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match Note::separate(&flipped) {
                Err(
                    ArtifactProblem::Note { .. }
                    | ArtifactProblem::AnotherBuild { .. }
                    | ArtifactProblem::Text { .. },
                ) => {}
                // The magic is gone, so the note is taken for a part of the library.
                Ok((library, _, None)) => assert_eq!(library.len(), file.len()),
                // The data on the sources has changed, or the case of a digit.
                Ok((library, _, Some(_))) => assert_eq!(library, b"library"),
                Err(problem) => panic!("bit {bit}: {problem}"),
            }
        }
    }
}
