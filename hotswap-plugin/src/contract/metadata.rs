//! What an artifact says of itself, in a section of the file that is read without running code.
//!
//! The section [`SECTION`] is a sequence of [`Part`]s without padding. Readers skip tags they do not know.
//!
//! | tag | bytes |
//! |---|---|
//! | `cont` | the contract's version, `u32`, little-endian; the first part |
//! | `plug` | JSON: `name`, `version`, `crate`, `reloadable`, `hooks` with their names, `functions` with `name` and `signature` |
//! | `fnha` | 16 bytes a function, in the same order: hash of its parameter and result types |
//! | `expo`, `exha` | JSON array of exported interfaces, 16 bytes each |
//! | `impo`, `imha` | JSON array of imports, 16 bytes each, zero where none is needed |
//! | `stat` | the schema version of the state's type, `u32`, little-endian, and its name; nothing where there is no state |
//! | `bild` | JSON: `rustc`, `target`, `profile` |
//! | `pani` | one byte: `u` when panics unwind, `a` when they abort |

/// The section's name. Where names have another form (Mach-O), it is `__hotswap` in the segment `__DATA`.
pub const SECTION: &str = ".hotswap";

/// Begins each part.
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
    /// A part with these bytes.
    pub const fn new(tag: &[u8; 4], bytes: [u8; N]) -> Self {
        Part {
            magic: MAGIC,
            tag: *tag,
            len: (N as u32).to_le_bytes(),
            bytes,
        }
    }

    /// How many bytes it has, besides what is before them.
    pub(super) const fn len(&self) -> usize {
        u32::from_le_bytes(self.len) as usize
    }

    /// A part with this text, which is `N` bytes long.
    ///
    /// # Panics
    /// When the text is shorter than `N`, at compile time where the part is a constant.
    pub const fn text(tag: &[u8; 4], text: &'static str) -> Self {
        match text.as_bytes().first_chunk() {
            Some(bytes) => Part::new(tag, *bytes),
            None => panic!("the text is shorter than the part"),
        }
    }
}

/// The part `cont`.
pub const CONTRACT: Part<4> = Part::new(b"cont", super::VERSION.to_le_bytes());

/// The compiler that built this crate, as `rustc --version` says it.
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

/// Hashes as the parts `fnha`, `exha` and `imha` hold them: 16 bytes each, little-endian halves.
pub const fn hashes<const N: usize>(of: &[[u64; 2]; N]) -> [[[u8; 8]; 2]; N] {
    let mut bytes = [[[0; 8]; 2]; N];
    let mut i = 0;
    while i < N {
        bytes[i] = [of[i][0].to_le_bytes(), of[i][1].to_le_bytes()];
        i += 1;
    }
    bytes
}

/// A part whose bytes are 16 for each hash.
#[repr(C)]
pub struct Hashes<const N: usize> {
    magic: [u8; 4],
    tag: [u8; 4],
    len: [u8; 4],
    bytes: [[[u8; 8]; 2]; N],
}

impl<const N: usize> Hashes<N> {
    /// A part with these hashes.
    pub const fn new(tag: &[u8; 4], of: [[u64; 2]; N]) -> Self {
        Hashes {
            magic: MAGIC,
            tag: *tag,
            len: (N as u32 * 16).to_le_bytes(),
            bytes: hashes(&of),
        }
    }
}

/// The bytes that end the note behind an artifact.
///
/// `cargo hotswap build` appends what it knows of the sources, as JSON, the length of it as a little-endian `u32`,
/// and this magic. The note is no part of the build's identity: a commit alone changes no plugin.
pub const NOTE_MAGIC: [u8; 8] = *b"HSWNOTE1";
