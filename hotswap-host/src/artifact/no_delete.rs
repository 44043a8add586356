//! Clears the flag `-z nodelete`, which a compiler may set on every library without being asked.
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind, elf};
use std::ops::Range;

/// Clears the flag of `-z nodelete`, which keeps a library in memory once it was opened. Returns true if it was set.
///
/// `library` is a file without its [`Note`](super::Note). A file that is not an ELF file, or a broken one, is left as
/// it is.
pub fn clear_no_delete(library: &mut [u8]) -> bool {
    let entries = match FileKind::parse(&*library) {
        Ok(FileKind::Elf64) => entries::<elf::FileHeader64<Endianness>>(library),
        Ok(FileKind::Elf32) => entries::<elf::FileHeader32<Endianness>>(library),
        _ => None,
    };
    let mut was_set = false;
    for Flags { at, little } in entries.into_iter().flatten() {
        let Some(flags) = library.get_mut(at) else {
            continue;
        };
        // The flag is one of the lowest eight.
        let lowest = match little {
            true => flags.first_mut(),
            false => flags.last_mut(),
        };
        let flag = elf::DF_1_NODELETE.0 as u8;
        if let Some(lowest) = lowest.filter(|lowest| **lowest & flag != 0) {
            *lowest &= !flag;
            was_set = true;
        }
    }
    was_set
}

/// The place of the flags of an entry `DT_FLAGS_1`.
struct Flags {
    at: Range<usize>,
    little: bool,
}

/// Returns the entries `DT_FLAGS_1` of the table that the system's loader reads.
fn entries<H: FileHeader<Endian = Endianness>>(library: &[u8]) -> Option<Vec<Flags>> {
    let header = H::parse(library).ok()?;
    let endian = header.endian().ok()?;
    let mut found = Vec::new();
    let mut segments = header.program_headers(endian, library).ok()?.iter();
    // If there are several, the last one counts.
    if let Some(segment) = segments.rfind(|segment| segment.p_type(endian) == elf::PT_DYNAMIC) {
        let word = if header.is_type_64() { 8 } else { 4 };
        let (start, len) = segment.file_range(endian);
        let start = usize::try_from(start).ok()?;
        let table = library.get(start..start.checked_add(usize::try_from(len).ok()?)?)?;
        for (index, entry) in table.chunks_exact(2 * word).enumerate() {
            let little = endian == Endianness::Little;
            let tag = number(&entry[..word], little);
            if tag == elf::DT_NULL.0.cast_unsigned() {
                break;
            }
            if tag == elf::DT_FLAGS_1.0.cast_unsigned() {
                let at = start + index * 2 * word + word;
                let at = at..at + word;
                found.push(Flags { at, little });
            }
        }
    }
    Some(found)
}

fn number(bytes: &[u8], little: bool) -> u64 {
    let add = |number, byte: &u8| number << 8 | u64::from(*byte);
    match little {
        true => bytes.iter().rev().fold(0, add),
        false => bytes.iter().fold(0, add),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::clear_no_delete;
    use crate::artifact::testing::compile;
    use crate::artifact::{UnloadBlocker, unload_blockers};
    use std::fs;

    fn library(args: &[&str]) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let args = [&["-shared", "-fPIC"], args].concat();
        fs::read(compile(
            dir.path(),
            "library.so",
            "int f(void) { return 1; }",
            &args,
        ))
        .unwrap()
    }

    #[test]
    fn only_that_flag_is_cleared() {
        let mut bytes = library(&["-Wl,-z,nodelete", "-Wl,-z,now"]);
        let before = bytes.clone();
        assert_eq!(unload_blockers(&bytes), [UnloadBlocker::NoDelete]);
        assert!(clear_no_delete(&mut bytes));
        assert_eq!(unload_blockers(&bytes), []);
        let differ: Vec<_> = before.iter().zip(&bytes).filter(|(a, b)| a != b).collect();
        assert!(matches!(differ[..], [(a, b)] if a ^ b == 8), "{differ:?}");
        assert!(!clear_no_delete(&mut bytes), "it is clear already");
    }

    #[test]
    fn what_has_no_such_flag_stays_as_it_is() {
        let mut bytes = library(&[]);
        let before = bytes.clone();
        assert!(!clear_no_delete(&mut bytes));
        for cut in 0..bytes.len().min(4096) {
            assert!(!clear_no_delete(&mut bytes[..cut]));
        }
        assert!(before == bytes);
        assert!(!clear_no_delete(&mut b"no library".to_vec()));
    }
}
