//! Refuses an ELF file that would take long to read, before anything is looked up in it.
//!
//! A look-up of a name reads up to the next zero, and sections may overlap. So a small file can require a look at each
//! of its bytes for each of its names. Here each name is measured once, and the total length is limited.
use super::error::ArtifactProblem;
use super::limits;
use memchr::memchr;
use object::read::elf::{ElfFile, FileHeader, SectionHeader, Sym};
use object::{Endianness, File, SectionIndex, elf};

/// Parses the file. Returns `None` if it is not an object file, or would take long to read.
pub(super) fn parse(library: &[u8]) -> Option<File<'_>> {
    let file = File::parse(library).ok()?;
    match &file {
        File::Elf32(elf) => check(elf, library).ok()?,
        File::Elf64(elf) => check(elf, library).ok()?,
        _ => {}
    }
    Some(file)
}

/// Measures the tables of a file.
pub(super) fn check<H>(file: &ElfFile<'_, H>, library: &[u8]) -> Result<(), ArtifactProblem>
where
    H: FileHeader<Endian = Endianness>,
{
    let endian = file.endian();
    let sections = file.elf_section_table();
    at_most("sections", sections.len(), limits::SECTIONS)?;
    at_most(
        "segments",
        file.elf_program_headers().len(),
        limits::SEGMENTS,
    )?;
    let header = file.elf_header();
    let names = header
        .shstrndx(endian, library)
        .ok()
        .and_then(|index| strings(file, library, SectionIndex(usize::try_from(index).ok()?)));
    let mut left = Left::new("bytes in the names of sections", limits::SECTION_NAME_BYTES);
    let mut bytes = 0_u64;
    for section in sections.iter() {
        left.take(names.unwrap_or_default(), section.sh_name(endian))?;
        let range = section.file_range(endian);
        bytes = bytes.saturating_add(range.map_or(0, |(_, size)| size));
    }
    // The sections of one file do not overlap, but a tool may have left something behind.
    let room = (library.len() as u64).saturating_mul(2);
    if bytes > room {
        return Err(ArtifactProblem::Damaged {
            reason: "its sections overlap".into(),
        });
    }
    check_symbols(file, library)?;
    check_dynamic(file)
}

fn check_symbols<H>(file: &ElfFile<'_, H>, library: &[u8]) -> Result<(), ArtifactProblem>
where
    H: FileHeader<Endian = Endianness>,
{
    let symbols = file.elf_dynamic_symbol_table();
    at_most("dynamic symbols", symbols.len(), limits::SYMBOLS)?;
    let names = strings(file, library, symbols.string_section()).unwrap_or_default();
    let mut left = Left::new("bytes in the names of symbols", limits::SYMBOL_NAME_BYTES);
    for symbol in symbols.iter() {
        left.take(names, symbol.st_name(file.endian()))?;
    }
    Ok(())
}

/// Measures the table for the dynamic linker, which it finds in the same way as `object`.
fn check_dynamic<H>(file: &ElfFile<'_, H>) -> Result<(), ArtifactProblem>
where
    H: FileHeader<Endian = Endianness>,
{
    let table = file.elf_dynamic_table().unwrap_or_default();
    let mut count = 0;
    let mut left = limits::SYMBOL_NAME_BYTES;
    for entry in table.iter() {
        count += 1;
        at_most("dynamic entries", count, limits::DYNAMIC_ENTRIES)?;
        if entry.tag == elf::DT_NEEDED {
            let name = table.string(entry).map_or(0, <[u8]>::len);
            left = left.checked_sub(name + 1).ok_or(ArtifactProblem::TooMuch {
                what: "bytes in the names of needed libraries",
                limit: limits::SYMBOL_NAME_BYTES as u64,
            })?;
        }
    }
    Ok(())
}

/// Returns an error if there are more than `limit`.
pub(super) fn at_most(
    what: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), ArtifactProblem> {
    match count <= limit {
        true => Ok(()),
        false => Err(ArtifactProblem::TooMuch {
            what,
            limit: limit as u64,
        }),
    }
}

/// Returns the bytes of a section of names, or `None` if the file does not contain it.
fn strings<'a, H>(
    file: &ElfFile<'_, H>,
    library: &'a [u8],
    section: SectionIndex,
) -> Option<&'a [u8]>
where
    H: FileHeader<Endian = Endianness>,
{
    let section = file.elf_section_table().section(section).ok()?;
    section.data(file.endian(), library).ok()
}

/// The number of bytes of names that are still allowed.
struct Left {
    what: &'static str,
    limit: usize,
    left: usize,
}

impl Left {
    fn new(what: &'static str, limit: usize) -> Self {
        Left {
            what,
            limit,
            left: limit,
        }
    }

    /// Counts the name that begins at `at`. Reads no more bytes than are still allowed.
    fn take(&mut self, names: &[u8], at: u32) -> Result<(), ArtifactProblem> {
        let rest = usize::try_from(at).ok().and_then(|at| names.get(at..));
        let rest = rest.unwrap_or_default();
        let near = &rest[..rest.len().min(self.left)];
        let len = memchr(0, near).unwrap_or(near.len());
        match self.left.checked_sub(len + 1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ArtifactProblem::TooMuch {
                what: self.what,
                limit: self.limit as u64,
            }),
        }
    }
}
