//! The limits on what is read of a plugin's file.
//!
//! A file that exceeds one of them is refused, with the limit in the text of the error. So, whatever a file contains,
//! these numbers bound the time and the memory until it is refused: besides the file's own bytes, the host makes a
//! small multiple of [`METADATA_BYTES`] and [`LIVE_BYTES`] of it. The limits on tables are for ELF files. Each limit is
//! far above what a build by rustc has.

/// The maximum size of a file. If a file is not a library for this machine, only its beginning is read.
pub const FILE_BYTES: u64 = 1 << 30;

/// The maximum size of a [`Note`](super::Note).
pub const NOTE_BYTES: usize = 64 << 10;

/// The maximum number of sections of a library.
pub const SECTIONS: usize = 4096;

/// The maximum size of the names of all sections together, each counted as often as it is used.
pub const SECTION_NAME_BYTES: usize = 1 << 20;

/// The maximum number of segments of a library.
pub const SEGMENTS: usize = 4096;

/// The maximum number of dynamic symbols of a library.
pub const SYMBOLS: usize = 1 << 20;

/// The maximum size of the names of all dynamic symbols, and of all libraries that it needs, together, each counted as
/// often as it is used.
pub const SYMBOL_NAME_BYTES: usize = 64 << 20;

/// The maximum number of entries of the table for the dynamic linker.
pub const DYNAMIC_ENTRIES: usize = 4096;

/// The maximum size of the section into which the host writes its address.
pub const SHIM_BYTES: u64 = 4096;

/// The maximum size of the section of metadata.
pub const METADATA_BYTES: usize = 4 << 20;

/// The maximum number of parts of that section.
pub const METADATA_PARTS: usize = 64;

/// The maximum size of the section of live functions and types.
pub const LIVE_BYTES: usize = 16 << 20;

/// The maximum number of functions of a plugin, and of its live items.
pub const ITEMS: usize = 1 << 16;

/// The maximum number of interfaces that a plugin exports, and of things that it imports.
pub const RELATIONS: usize = 1 << 10;

/// The maximum size of the name of an interface.
pub const NAME_BYTES: usize = 1 << 10;
