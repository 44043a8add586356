//! The limits of what is read of a plugin's file.
//!
//! A file that exceeds one is refused, with the limit in the text of the error. So whatever somebody has put into a file, it is refused
//! in a time and with memory that these numbers bound: besides its own bytes, what is made of it is a small multiple of
//! [`METADATA_BYTES`] and [`LIVE_BYTES`]. Those of tables are about ELF files. Each is far above what a build of rustc's has.

/// How many bytes a file may have. Of a file that is no library for this machine, only the beginning is read.
pub const FILE_BYTES: u64 = 1 << 30;

/// How many bytes a [`Note`](super::Note) may have.
pub const NOTE_BYTES: usize = 64 << 10;

/// How many sections a library may have.
pub const SECTIONS: usize = 4096;

/// How many bytes the names of all sections may have, each counted as often as it is used.
pub const SECTION_NAME_BYTES: usize = 1 << 20;

/// How many segments a library may have.
pub const SEGMENTS: usize = 4096;

/// How many dynamic symbols a library may have.
pub const SYMBOLS: usize = 1 << 20;

/// How many bytes the names of all dynamic symbols, and of all libraries that it needs, may have, each counted as often as it is
/// used.
pub const SYMBOL_NAME_BYTES: usize = 64 << 20;

/// How many entries the table for the dynamic linker may have.
pub const DYNAMIC_ENTRIES: usize = 4096;

/// How many bytes the section may have into which the host writes its address.
pub const SHIM_BYTES: u64 = 4096;

/// How many bytes the section of metadata may have.
pub const METADATA_BYTES: usize = 4 << 20;

/// How many parts that section may have.
pub const METADATA_PARTS: usize = 64;

/// How many bytes the section of live functions and types may have.
pub const LIVE_BYTES: usize = 16 << 20;

/// How many functions or live items a plugin may have, of each.
pub const ITEMS: usize = 1 << 16;

/// How many interfaces a plugin may export, and how many things it may import.
pub const RELATIONS: usize = 1 << 10;

/// How many bytes the name of an interface may have.
pub const NAME_BYTES: usize = 1 << 10;
