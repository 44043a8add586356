//! The metadata of an artifact, in a section of the file that is read without running code.
//!
//! The section [`SECTION`] is a sequence of [`Part`]s without padding. Readers skip tags that they do not know.
//!
//! | tag | bytes |
//! |---|---|
//! | `cont` | the contract's version, `u32`, little-endian; the first part |
//! | `plug` | JSON: `name`, `version`, `crate`, `reloadable`, `hooks` with their names, `functions` with `name` and `signature` |
//! | `fnha` | 16 bytes a function, in the same order: hash of its parameter and result types |
//! | `expo`, `exha` | JSON array of exported interfaces, 16 bytes each |
//! | `impo`, `imha` | JSON array of imports, 16 bytes each, zero if an import needs none |
//! | `stat` | the schema version of the state's type, `u32`, little-endian, and its name; empty if there is no state |
//! | `sthi` | JSON: the `migrations` of the state's type, each with `from`, `up`, and `down`, and its `fields`, if it is a struct whose fields have names, each with its `names`, `type`, and `needed`; empty if there is no state, or its type declares nothing; builds by an earlier hotswap do not have this part |
//! | `bild` | JSON: `rustc`, `target`, `profile` |
//! | `pani` | one byte: `u` when panics unwind, `a` when they abort |

/// The section's name. Where names have another form (Mach-O), it is `__hotswap` in the segment `__DATA`.
pub const SECTION: &str = ".hotswap";

/// The bytes at the beginning of each part.
pub const MAGIC: [u8; 4] = *b"HSWP";

/// One part of the section.
#[repr(C)]
pub struct Part<const N: usize> {
    magic: [u8; 4],
    tag: [u8; 4],
    len: [u8; 4],
    bytes: [u8; N],
}

impl<const N: usize> Part<N> {
    /// Returns a part with these bytes.
    pub const fn new(tag: &[u8; 4], bytes: [u8; N]) -> Self {
        Part {
            magic: MAGIC,
            tag: *tag,
            len: (N as u32).to_le_bytes(),
            bytes,
        }
    }

    /// Returns how many bytes the part has behind its header.
    pub(super) const fn len(&self) -> usize {
        u32::from_le_bytes(self.len) as usize
    }

    /// Returns a part with this text, which is `N` bytes long.
    ///
    /// # Panics
    /// Panics if the text is shorter than `N`; at compile time, if the part is a constant.
    pub const fn text(tag: &[u8; 4], text: &'static str) -> Self {
        match text.as_bytes().first_chunk() {
            Some(bytes) => Part::new(tag, *bytes),
            None => panic!("the text is shorter than the part"),
        }
    }
}

/// The part `cont`.
pub const CONTRACT: Part<4> = Part::new(b"cont", super::VERSION.to_le_bytes());

/// The version of the compiler that built this crate, as `rustc --version` prints it.
pub const RUSTC: &str = env!("HOTSWAP_RUSTC");

/// The text of the part `bild`.
pub const BUILD: &str = concat!(
    r#"{"rustc":""#,
    env!("HOTSWAP_RUSTC"),
    r#"","target":""#,
    env!("HOTSWAP_TARGET"),
    r#"","profile":""#,
    env!("HOTSWAP_PROFILE"),
    r#""}"#
);

/// Returns hashes in the form of the parts `fnha`, `exha`, and `imha`: 16 bytes each, as little-endian halves.
pub const fn hashes<const N: usize>(of: &[[u64; 2]; N]) -> [[[u8; 8]; 2]; N] {
    let mut bytes = [[[0; 8]; 2]; N];
    let mut i = 0;
    while i < N {
        bytes[i] = [of[i][0].to_le_bytes(), of[i][1].to_le_bytes()];
        i += 1;
    }
    bytes
}

/// A part with 16 bytes for each hash.
#[repr(C)]
pub struct Hashes<const N: usize> {
    magic: [u8; 4],
    tag: [u8; 4],
    len: [u8; 4],
    bytes: [[[u8; 8]; 2]; N],
}

impl<const N: usize> Hashes<N> {
    /// Returns a part with these hashes.
    pub const fn new(tag: &[u8; 4], of: [[u64; 2]; N]) -> Self {
        Hashes {
            magic: MAGIC,
            tag: *tag,
            len: (N as u32 * 16).to_le_bytes(),
            bytes: hashes(&of),
        }
    }
}

/// The bytes at the end of the note behind an artifact.
///
/// `cargo hotswap build` appends what it knows of the sources as JSON, the length of that as a little-endian `u32`, and
/// these bytes. The note does not belong to the build's identity: a new commit alone does not change a plugin.
pub const NOTE_MAGIC: [u8; 8] = *b"HSWNOTE1";
