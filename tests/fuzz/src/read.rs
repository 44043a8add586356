//! Reads a plugin's file, and checks properties that hold for every file.
use hotswap_host::artifact::{Artifact, ArtifactError, BuildId, unload_blockers};
use std::path::Path;

/// Reads these bytes as the host does.
///
/// # Panics
/// Panics if the result breaks a promise.
pub fn read(bytes: &[u8]) -> Result<Artifact, ArtifactError> {
    let file = Path::new("plugins/libworld.so");
    let read = Artifact::from_bytes(file, bytes);
    unload_blockers(bytes);
    match &read {
        Ok(artifact) => accepted(artifact, bytes),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains(char::is_control), "not one line: {text:?}");
            assert!(text.contains("plugins/libworld.so"), "{text}");
            if let Some(plugin) = &error.plugin {
                is_a_name(plugin.as_str());
            }
        }
    }
    read
}

fn accepted(artifact: &Artifact, bytes: &[u8]) {
    is_a_name(artifact.metadata.name.as_str());
    if artifact.note.is_none() {
        assert_eq!(artifact.build_id, BuildId::of(bytes));
    }
    // A new note changes nothing but the note, and replaces the old one.
    let note = hotswap_host::artifact::Note {
        commit: "unknown".into(),
        dirty: true,
        location: None,
    };
    let mut noted = bytes.to_vec();
    note.append_to(&mut noted);
    let again = Artifact::from_bytes(Path::new("noted.so"), &noted)
        .expect("a file with another note is still an artifact");
    assert_eq!(again.build_id, artifact.build_id);
    assert_eq!(again.metadata, artifact.metadata);
    assert_eq!(again.note, Some(note));
}

/// Names become parts of file names and log lines.
fn is_a_name(name: &str) {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    assert!(
        !name.is_empty() && name.len() <= 128 && name.chars().all(allowed),
        "{name:?}"
    );
}
