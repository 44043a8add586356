//! Determines the kind of a file and finds its metadata. This knows as little of the format as possible; the crate
//! `object` knows the rest.
use super::bounds::{self, at_most};
use super::error::ArtifactProblem;
use super::limits;
use hotswap_plugin::contract::LIVE_SECTION;
use hotswap_plugin::contract::metadata::SECTION;
use hotswap_plugin::contract::shim::SHIM_SECTION;
use object::read::elf::{ElfFile, FileHeader, ProgramHeader, SectionHeader};
use object::{
    Architecture, BinaryFormat, Endianness, File, FileKind, Object, ObjectKind, ObjectSection, elf,
};
use std::env::consts::ARCH;
use std::ops::Range;

/// The sections in which a library describes itself.
pub(super) struct Sections<'a> {
    /// The bytes of the metadata section.
    pub(super) metadata: &'a [u8],
    /// The bytes of the section of live functions and types, empty if there is none.
    pub(super) live: &'a [u8],
    /// The place in the file for the host's address, empty if there is none.
    pub(super) shim: Range<u64>,
}

/// The number of bytes at the beginning of a file that show its kind.
pub(super) const BEGINNING: u64 = 4096;

/// Refuses a file in an unknown format by its beginning, so that the rest does not have to be read. More is read of a
/// file for another machine, to say what it is.
pub(super) fn check_beginning(beginning: &[u8]) -> Result<(), ArtifactProblem> {
    match FileKind::parse(beginning) {
        Ok(_) => Ok(()),
        // Together, the two parts are the whole file.
        Err(_) if beginning.is_empty() => Err(ArtifactProblem::Empty),
        Err(_) => Err(unknown(beginning)),
    }
}

/// Returns the sections of a library for this host.
///
/// `library` ends before the note.
pub(super) fn sections(library: &[u8]) -> Result<Sections<'_>, ArtifactProblem> {
    if library.is_empty() {
        return Err(ArtifactProblem::Empty);
    }
    match FileKind::parse(library) {
        Ok(FileKind::Archive) => {
            return Err(ArtifactProblem::NotALibrary {
                found: "a static library",
            });
        }
        Ok(_) => {}
        Err(_) => return Err(unknown(library)),
    }
    let file = File::parse(library).map_err(|error| broken(library, &error))?;
    check_machine(&file)?;
    check_kind(&file)?;
    if file.sections().next().is_none() {
        return Err(ArtifactProblem::NoSections);
    }
    match &file {
        File::Elf32(elf) => check_elf(elf, library)?,
        File::Elf64(elf) => check_elf(elf, library)?,
        _ => {}
    }
    let data = |name| match file.section_by_name(name) {
        Some(section) => match section.data() {
            Ok(data) => Ok(Some(data)),
            Err(error) => Err(broken(library, &error)),
        },
        None => Ok(None),
    };
    let shim = file.section_by_name(SHIM_SECTION);
    let shim = shim.and_then(|section| section.file_range());
    let shim = shim.map_or(0..0, |(at, len)| at..at.saturating_add(len));
    let len = shim.end - shim.start;
    if shim.end > library.len() as u64 || !len.is_multiple_of(8) || len > limits::SHIM_BYTES {
        return Err(ArtifactProblem::Damaged {
            reason: format!("its section {SHIM_SECTION} is not a list of addresses"),
        });
    }
    let metadata = data(SECTION)?.ok_or(ArtifactProblem::NotAPlugin)?;
    let live = data(LIVE_SECTION)?.unwrap_or_default();
    at_most("bytes of metadata", metadata.len(), limits::METADATA_BYTES)?;
    at_most("bytes of live items", live.len(), limits::LIVE_BYTES)?;
    Ok(Sections {
        shim,
        metadata,
        live,
    })
}

/// Checks an ELF file before anything is looked up in it.
fn check_elf<'a, H>(file: &ElfFile<'a, H>, library: &'a [u8]) -> Result<(), ArtifactProblem>
where
    H: FileHeader<Endian = Endianness>,
{
    bounds::check(file, library)?;
    check_extent(file, library)
}

/// Returns the error for a file that does not begin like any known format.
fn unknown(library: &[u8]) -> ArtifactProblem {
    let header = size_of::<elf::FileHeader64<Endianness>>();
    match library.starts_with(&elf::ELFMAG) {
        true if library.len() < header => truncated(library, header as u64),
        true => ArtifactProblem::Damaged {
            reason: "its header is of an unknown kind".into(),
        },
        false => ArtifactProblem::Garbage,
    }
}

/// Returns the error for a file whose tables contradict its header. Most often, the end of such a file is missing.
fn broken(library: &[u8], error: &object::Error) -> ArtifactProblem {
    let header_end = size_of::<elf::FileHeader64<Endianness>>();
    let sections_end = match FileKind::parse(library) {
        Ok(FileKind::Elf64) if library.len() < header_end => Some(header_end as u64),
        Ok(FileKind::Elf64) => sections_end::<elf::FileHeader64<Endianness>>(library),
        Ok(FileKind::Elf32) => sections_end::<elf::FileHeader32<Endianness>>(library),
        _ => None,
    };
    match sections_end {
        Some(end) if end > library.len() as u64 => truncated(library, end),
        _ => ArtifactProblem::Damaged {
            reason: error.to_string(),
        },
    }
}

fn truncated(library: &[u8], needed: u64) -> ArtifactProblem {
    ArtifactProblem::Truncated {
        len: library.len() as u64,
        needed,
    }
}

/// Returns the end of the table of sections, which linkers put last.
fn sections_end<H: FileHeader<Endian = Endianness>>(library: &[u8]) -> Option<u64> {
    let header = H::parse(library).ok()?;
    let endian = header.endian().ok()?;
    let size = u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian));
    header.e_shoff(endian).into().checked_add(size)
}

/// Checks that a library ends where its tables say. Zeros after that are padding.
fn check_extent<'a, H>(file: &ElfFile<'a, H>, library: &'a [u8]) -> Result<(), ArtifactProblem>
where
    H: FileHeader<Endian = Endianness>,
{
    let endian = file.endian();
    let segments = file
        .elf_program_headers()
        .iter()
        .map(|segment| segment.file_range(endian));
    let sections = file
        .elf_section_table()
        .iter()
        .filter_map(|section| section.file_range(endian));
    let mut end = sections_end::<H>(library).unwrap_or(u64::MAX);
    for (offset, size) in segments.chain(sections) {
        end = end.max(offset.saturating_add(size));
    }
    let Some(rest) = usize::try_from(end).ok().and_then(|end| library.get(end..)) else {
        return Err(truncated(library, end));
    };
    if rest.iter().any(|byte| *byte != 0) {
        return Err(ArtifactProblem::Overlong {
            extra: rest.len() as u64,
        });
    }
    Ok(())
}

fn check_machine(file: &File<'_>) -> Result<(), ArtifactProblem> {
    let found = machine(
        file.format(),
        &architecture(file.architecture()),
        if file.is_64() { 64 } else { 32 },
        file.is_little_endian(),
    );
    let needed = machine(
        BinaryFormat::native_object(),
        ARCH,
        usize::BITS,
        cfg!(target_endian = "little"),
    );
    if found == needed {
        return Ok(());
    }
    Err(ArtifactProblem::AnotherMachine { found, needed })
}

fn machine(format: BinaryFormat, arch: &str, bits: u32, little: bool) -> String {
    let endian = if little { "little" } else { "big" };
    format!("{arch} ({format:?}, {bits}-bit, {endian}-endian)")
}

/// Returns the name of the architecture that `std` uses.
fn architecture(arch: Architecture) -> String {
    match arch {
        Architecture::I386 => "x86".into(),
        Architecture::Unknown => "an unknown machine".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn check_kind(file: &File<'_>) -> Result<(), ArtifactProblem> {
    let found = match file.kind() {
        ObjectKind::Dynamic if is_program(file) => "an executable",
        ObjectKind::Dynamic => return Ok(()),
        ObjectKind::Relocatable => "an object file",
        ObjectKind::Executable => "an executable",
        ObjectKind::Core => "a core dump",
        _ => "something else",
    };
    Err(ArtifactProblem::NotALibrary { found })
}

/// Returns true for position-independent executables, which have the file type of a library.
fn is_program(file: &File<'_>) -> bool {
    match file {
        File::Elf32(elf) => flags_1(elf) & elf::DF_1_PIE.0 != 0,
        File::Elf64(elf) => flags_1(elf) & elf::DF_1_PIE.0 != 0,
        _ => false,
    }
}

fn flags_1<H: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, H>) -> u64 {
    let table = file.elf_dynamic_table().unwrap_or_default();
    table
        .iter()
        .filter(|entry| entry.tag == elf::DT_FLAGS_1)
        .fold(0, |flags, entry| flags | entry.val)
}
