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
    pub sources: Option<Sources>,
}

/// The place of a plugin's sources on the machine that has built it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// The directory in which Cargo was called, whose configuration applies.
    pub directory: String,
    /// The manifest of the package. The path is absolute.
    pub manifest: String,
    /// The options of Cargo that select features.
    pub features: Vec<String>,
}

impl Sources {
    /// Returns the place, or `None` if one of the texts is not one line of text.
    pub fn new(directory: &Path, manifest: &Path, features: Vec<String>) -> Option<Self> {
        let sources = Sources {
            directory: directory.to_str()?.to_owned(),
            manifest: manifest.to_str()?.to_owned(),
            features,
        };
        sources.check().is_ok().then_some(sources)
    }

    fn check(&self) -> Result<(), ArtifactProblem> {
        let texts = [&self.directory, &self.manifest];
        let mut texts = texts.into_iter().chain(&self.features);
        texts.try_for_each(|text| texts::check("sources", text, texts::Kind::Line))
    }
}

/// The JSON of the note. It includes the build for which the note was written, so that a file with some bytes of an
/// earlier build is not taken for either.
#[derive(Serialize, Deserialize)]
struct Written<N> {
    #[serde(flatten)]
    note: N,
    build: BuildId,
}

impl Note {
    /// Appends the note to the bytes of a library. An existing note is replaced.
    ///
    /// # Panics
    /// Panics if the library has 4 GiB of notes.
    pub fn append_to(&self, library: &mut Vec<u8>) {
        if let Ok((body, Some(_))) = split(library) {
            library.truncate(body.len());
        }
        let written = Written {
            note: self,
            build: BuildId::of(library),
        };
        let json = serde_json::to_vec(&written).expect("texts and a flag can be written as JSON");
        let len = u32::try_from(json.len()).expect("the note is short");
        library.extend_from_slice(&json);
        library.extend_from_slice(&len.to_le_bytes());
        library.extend_from_slice(&NOTE_MAGIC);
    }

    /// Removes the note from the bytes of an artifact, for whichever build it was written. Returns `None` if there is
    /// none, or if it cannot be read; in that case it stays.
    pub fn take_from(artifact: &mut Vec<u8>) -> Option<Note> {
        let (library, json) = split(artifact).ok()?;
        let Written::<Note> { note, .. } = serde_json::from_slice(json?).ok()?;
        note.check().ok()?;
        let len = library.len();
        artifact.truncate(len);
        Some(note)
    }

    fn check(&self) -> Result<(), ArtifactProblem> {
        texts::check("commit", &self.commit, texts::Kind::Word)?;
        self.sources.iter().try_for_each(Sources::check)
    }

    /// Separates a file into the library, its id, and its note.
    pub(super) fn separate(file: &[u8]) -> Result<(&[u8], BuildId, Option<Note>), ArtifactProblem> {
        let (library, json) = split(file).map_err(|reason| ArtifactProblem::Note { reason })?;
        let found = BuildId::of(library);
        let Some(json) = json else {
            return Ok((library, found, None));
        };
        let Written::<Note> { note, build } =
            serde_json::from_slice(json).map_err(|error| ArtifactProblem::Note {
                reason: error.to_string(),
            })?;
        if build != found {
            return Err(ArtifactProblem::AnotherBuild {
                noted: build,
                found,
            });
        }
        note.check()?;
        Ok((library, found, Some(note)))
    }
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
    use super::{Note, Sources};
    use crate::artifact::{ArtifactProblem, BuildId};
    use std::path::Path;

    fn note() -> Note {
        Note {
            commit: "0123456789012345678901234567890123456789".into(),
            dirty: true,
            sources: Sources::new(
                Path::new("/work"),
                Path::new("/work/a/Cargo.toml"),
                vec!["--all-features".into()],
            ),
        }
    }

    #[test]
    fn a_note_of_an_earlier_build_has_no_sources() {
        let mut file = b"library".to_vec();
        let earlier = Note {
            sources: None,
            ..note()
        };
        earlier.append_to(&mut file);
        assert!(!String::from_utf8_lossy(&file).contains("sources"));
        assert_eq!(Note::separate(&file).unwrap().2, Some(earlier));
        assert_eq!(
            Sources::new(Path::new("/a"), Path::new("/a\n"), Vec::new()),
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
        assert_eq!(Note::take_from(&mut file), Some(note()));
        assert_eq!(file, b"mibrary");
        assert_eq!(Note::take_from(&mut file), None);
        assert_eq!(file, b"mibrary");
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
