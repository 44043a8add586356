//! Fuzzes the host with data behind a library: any bytes, any JSON in a note that is otherwise well-formed, and notes
//! of our own.
#![no_main]
use arbitrary::Arbitrary;
use hotswap_fuzz::plugin;
use hotswap_fuzz::read::read;
use hotswap_host::artifact::{ArtifactProblem, BuildId, Note};
use hotswap_plugin::contract::metadata::NOTE_MAGIC;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Behind<'a> {
    Bytes(&'a [u8]),
    Trailer {
        json: &'a [u8],
        len: Option<u32>,
    },
    Fields {
        before: &'a str,
        commit: &'a str,
        flag: &'a str,
        after: &'a str,
    },
    Ours {
        commit: &'a str,
        dirty: bool,
        flip: Option<u16>,
    },
}

fuzz_target!(|behind: Behind<'_>| {
    let good = plugin::good();
    let id = BuildId::of(&good);
    let mut file = good.clone();
    match behind {
        Behind::Bytes(bytes) => {
            file.extend(bytes);
            if let Ok(artifact) = read(&file) {
                // Zeros are padding.
                assert!(artifact.build_id == id || bytes.iter().all(|byte| *byte == 0));
            }
        }
        Behind::Trailer { json, len } => {
            trailer(&mut file, json, len);
            let _ = read(&file);
        }
        Behind::Fields {
            before,
            commit,
            flag,
            after,
        } => {
            let json =
                format!(r#"{{{before}"commit":"{commit}","dirty":{flag},"build":"{id}"{after}}}"#);
            trailer(&mut file, json.as_bytes(), None);
            if let Ok(artifact) = read(&file) {
                assert_eq!(artifact.build_id, id);
                assert!(artifact.note.is_some());
            }
        }
        Behind::Ours {
            commit,
            dirty,
            flip,
        } => {
            let note = Note {
                commit: commit.chars().filter(char::is_ascii_alphanumeric).collect(),
                dirty,
                location: None,
            };
            note.append_to(&mut file);
            let artifact = read(&file).expect("a note of our own is valid");
            assert_eq!((artifact.build_id, artifact.note), (id, Some(note)));
            let Some(flip) = flip else { return };
            let bit = usize::from(flip) % (good.len() * 8);
            file[bit / 8] ^= 1 << (bit % 8);
            let problem = read(&file).expect_err("the library is another").problem;
            assert!(
                matches!(problem, ArtifactProblem::AnotherBuild { noted, .. } if noted == id),
                "{problem}"
            );
        }
    }
});

/// Appends a note with this JSON. `len` is the length that the note claims.
fn trailer(file: &mut Vec<u8>, json: &[u8], len: Option<u32>) {
    let len = len.unwrap_or_else(|| u32::try_from(json.len()).expect("inputs are small"));
    file.extend(json);
    file.extend(len.to_le_bytes());
    file.extend(NOTE_MAGIC);
}
