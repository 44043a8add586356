//! Fuzzes the host with a real library whose metadata is changed part by part, and then in any of its bytes.
#![no_main]
use arbitrary::Arbitrary;
use hotswap_fuzz::plugin::{Part, library, live_parts, parts, section};
use hotswap_fuzz::read::read;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    changes: Vec<Change<'a>>,
    /// The changes to the live items.
    live: Vec<Change<'a>>,
    /// The places where bytes of the finished file are changed.
    patches: Vec<(u16, u8)>,
    /// The number of bytes that are cut off.
    cut: Option<u16>,
}

/// A change to the parts of a valid plugin.
#[derive(Debug, Arbitrary)]
enum Change<'a> {
    Replace {
        part: u8,
        bytes: &'a [u8],
    },
    /// Replaces some bytes of a part by others, which gives JSON that is nearly right.
    Splice {
        part: u8,
        at: u8,
        len: u8,
        by: &'a [u8],
    },
    /// Replaces a text in the JSON.
    Text {
        part: u8,
        which: u8,
        text: &'a str,
    },
    Insert(u8, Part),
    Remove(u8),
    Swap(u8, u8),
    /// Replaces the part by this many hashes.
    Hashes {
        part: u8,
        count: u8,
    },
}

fuzz_target!(|input: Input<'_>| {
    let [metadata, live] =
        [(parts(), &input.changes), (live_parts(), &input.live)].map(|(mut parts, changes)| {
            changes.iter().for_each(|change| apply(change, &mut parts));
            section(&parts)
        });
    let mut file = library(&metadata, &live);
    for (at, byte) in &input.patches {
        let at = usize::from(*at) % file.len();
        file[at] = *byte;
    }
    if let Some(cut) = input.cut {
        file.truncate(file.len().saturating_sub(cut.into()));
    }
    let _ = read(&file);
});

fn apply(change: &Change<'_>, parts: &mut Vec<Part>) {
    let among = |at: u8, len: usize| usize::from(at) % len.max(1);
    let len = parts.len();
    match *change {
        Change::Insert(at, ref part) => parts.insert(among(at, len + 1), part.clone()),
        _ if parts.is_empty() => {}
        Change::Replace { part, bytes } => parts[among(part, len)].bytes = bytes.to_vec(),
        Change::Splice {
            part,
            at,
            len: taken,
            by,
        } => {
            let bytes = &mut parts[among(part, len)].bytes;
            let at = among(at, bytes.len() + 1);
            let end = (at + usize::from(taken)).min(bytes.len());
            bytes.splice(at..end, by.iter().copied());
        }
        Change::Text { part, which, text } => {
            let part = &mut parts[among(part, len)];
            if let Some(bytes) = with_text(&part.bytes, which, text) {
                part.bytes = bytes;
            }
        }
        Change::Remove(at) => _ = parts.remove(among(at, len)),
        Change::Swap(a, b) => parts.swap(among(a, len), among(b, len)),
        Change::Hashes { part, count } => {
            parts[among(part, len)].bytes = vec![7; 16 * usize::from(count)]
        }
    }
}

/// Returns the JSON with one of its texts replaced.
fn with_text(json: &[u8], which: u8, text: &str) -> Option<Vec<u8>> {
    let json = std::str::from_utf8(json).ok()?;
    let texts: Vec<&str> = json.split('"').collect();
    let at = usize::from(which) * 2 + 1;
    let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    *texts.get_mut(at)? = text.chars().flat_map(escaped).collect();
    Some(texts.join("\"").into_bytes())
}

fn escaped(c: char) -> Vec<char> {
    match c {
        '"' | '\\' => vec!['\\', c],
        c if c.is_ascii_control() => format!("\\u{:04x}", u32::from(c)).chars().collect(),
        c => vec![c],
    }
}
