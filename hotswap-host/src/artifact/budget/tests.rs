use super::Budget;
use crate::artifact::testing::section;
use crate::artifact::{Metadata, cautions, links, unload_blockers};
use std::path::Path;

#[test]
fn what_is_looked_at_is_limited() {
    let mut budget = Budget::of(&[0; 10]);
    assert!(budget.covers(&[0; 39]));
    assert!(budget.covers(&[]));
    assert!(!budget.covers(&[]));
}

/// The header of a section: the place of its name, its type, offset, size, link, and the size of an entry.
type Section = (u32, u32, u64, u64, u32, u64);

const NAMES: &[u8] = b"\0.shstrtab\0.rodata\0.dynsym\0.dynstr\0";

/// Makes a library with these bytes, which follow the header, and these sections, which follow one for names.
fn crafted(bytes: &[u8], sections: &[Section]) -> Vec<u8> {
    let names_at = 64 + bytes.len() as u64;
    let headers_at = names_at + NAMES.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    for half in [3_u16, 62] {
        file.extend(half.to_le_bytes());
    }
    file.extend(1_u32.to_le_bytes());
    for word in [0, 0, headers_at] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    let count = u16::try_from(sections.len() + 2).unwrap();
    for half in [64, 56, 0, 64, count, 1] {
        file.extend(half.to_le_bytes());
    }
    file.extend(bytes);
    file.extend(NAMES);
    let names = (1, 3, names_at, NAMES.len() as u64, 0, 0);
    for (name, kind, offset, size, link, entry) in
        [(0, 0, 0, 0, 0, 0), names].iter().chain(sections)
    {
        file.extend(name.to_le_bytes());
        file.extend(kind.to_le_bytes());
        for word in [0, 0, *offset, *size] {
            file.extend(word.to_le_bytes());
        }
        file.extend(link.to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        for word in [1, *entry] {
            file.extend(word.to_le_bytes());
        }
    }
    file
}

/// Each of these would take minutes if it were looked at as often as it says.
#[test]
fn tables_whose_entries_cover_the_whole_file_are_not_looked_at_to_the_end() {
    let metadata = Metadata::parse(Path::new("it"), &section(), &[]).unwrap();
    let all = 4 << 20;
    let bytes = vec![b'x'; all];
    let constants = crafted(&bytes, &vec![(11, 1, 64, all as u64, 0, 0); 60_000]);
    assert_eq!(cautions(&constants, &metadata), []);
    assert_eq!(unload_blockers(&constants), []);

    let mut symbols = vec![b'x'; all];
    symbols.push(0);
    for _ in 0..200_000 {
        // This is a name, followed by the fields of an undefined global symbol.
        symbols.extend([1, 0, 0, 0, 0x10, 0, 0, 0]);
        symbols.extend([0; 16]);
    }
    let strings = (27, 3, 64, all as u64 + 1, 0, 0);
    let table = (19, 11, 64 + all as u64 + 1, 200_000 * 24, 2, 24);
    let symbols = crafted(&symbols, &[strings, table]);
    assert!(object::File::parse(&*symbols).is_ok());
    assert_eq!(cautions(&symbols, &metadata), []);
    assert_eq!(unload_blockers(&symbols), []);
    assert_eq!(links(&symbols), links(b""));
}
