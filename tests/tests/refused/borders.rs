//! Tests files that are damaged or cut short, wherever a part of the file begins or ends.
use crate::support::{Serving, alone, probe};
use hotswap_host::artifact::{ArtifactError, FindError, Note};
use hotswap_host::prelude::*;
use std::collections::BTreeSet;

/// Returns the borders of a library: its sections, the tables of them, and the end. They are the first byte of each, and
/// the first byte behind each.
fn borders(library: &[u8]) -> BTreeSet<usize> {
    // These are the offsets of ELF with 64 bits.
    const HEADER: usize = 64;
    const NOTHING_IN_FILE: usize = 8;
    let number = |at: usize, len: usize| {
        let bytes = library[at..at + len].iter().rev();
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2));
    let segments = (number(0x20, 8), number(0x36, 2) * number(0x38, 2));
    let sections = (0..count).map(|section| table + section * size);
    let sections = sections.filter(|header| number(header + 4, 4) != NOTHING_IN_FILE);
    let sections = sections.map(|header| (number(header + 0x18, 8), number(header + 0x20, 8)));
    sections
        .chain([(0, HEADER), segments, (table, count * size)])
        .flat_map(|(begin, len)| [begin, begin + len])
        .chain([library.len()])
        .collect()
}

/// Returns the library in a file that has a note at its end, and the place of that note. The sources are between them.
fn library(file: &[u8]) -> (&[u8], usize) {
    let mut library = file.to_owned();
    let (_, sources) = Note::take_from(&mut library).expect("the file has a note");
    let sources = sources.expect("fixtures carry their sources");
    (&file[..library.len()], library.len() + sources.len())
}

/// Installs damaged files, and checks that each of them is refused for its damage.
fn each_is_refused(files: impl Iterator<Item = (String, Vec<u8>)>) -> usize {
    let _alone = alone();
    let serving = Serving::open(|builder| builder);
    let mut count = 0;
    for (what, file) in files {
        serving.stage.install("probe", &file);
        let error = serving.refused();
        let (ReloadError::Artifact(ArtifactError { plugin, .. })
        | ReloadError::Find(FindError::Artifact(ArtifactError { plugin, .. }))) = &error
        else {
            panic!("{what}: {error:?}");
        };
        assert_eq!(
            plugin.as_ref().expect("the plugin is known").as_str(),
            "probe"
        );
        count += 1;
    }
    serving.restored();
    count
}

#[test]
fn a_flipped_bit_on_either_side_of_each() {
    let whole = probe();
    let (library, note) = library(&whole);
    let at = |border: usize| [border.checked_sub(1), Some(border)];
    let borders = borders(library).into_iter().chain([note]);
    let places = borders.flat_map(at).flatten();
    // A host does not read the sources.
    let places = places.filter(|place| !(library.len()..note).contains(place));
    let flips = places.flat_map(|place| [0, 7].map(|bit| (place, bit)));
    let count = each_is_refused(flips.map(|(place, bit)| {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << bit;
        (format!("bit {bit} of byte {place}"), flipped)
    }));
    assert!(count > 100, "{count}");
}

#[test]
fn cut_short_at_each() {
    let whole = probe();
    let (library, note) = library(&whole);
    let cuts = borders(library).into_iter().chain([note]);
    let cuts = cuts.flat_map(|border| [border.saturating_sub(1), border, border + 1]);
    // A complete library ends there.
    let cuts = cuts.filter(|cut| *cut != library.len() && *cut < whole.len());
    let count = each_is_refused(cuts.map(|cut| (format!("{cut} bytes"), whole[..cut].to_vec())));
    assert!(count > 100, "{count}");
}
