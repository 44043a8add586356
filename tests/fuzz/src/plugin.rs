//! A plugin's file, made anew for each input.
use arbitrary::Arbitrary;
use hotswap_plugin::contract::metadata::{MAGIC, SECTION};
use hotswap_plugin::contract::{LIVE_SECTION, VERSION};
use object::{Object, ObjectSection};

/// A shared library with a section of metadata, and one of live items.
static SKELETON: &[u8] = include_bytes!("../skeleton.so");

/// One part of such a section.
#[derive(Clone, Debug, Arbitrary)]
pub struct Part {
    /// The kind of the part.
    pub tag: [u8; 4],
    /// The content of the part.
    pub bytes: Vec<u8>,
}

impl Part {
    fn new(tag: &[u8; 4], bytes: &[u8]) -> Self {
        Part {
            tag: *tag,
            bytes: bytes.to_vec(),
        }
    }

    /// Appends the part to a section.
    pub fn append_to(&self, section: &mut Vec<u8>) {
        let len = u32::try_from(self.bytes.len()).expect("inputs are small");
        section.extend(MAGIC);
        section.extend(self.tag);
        section.extend(len.to_le_bytes());
        section.extend(&self.bytes);
    }
}

/// Returns the parts of a valid plugin.
pub fn parts() -> Vec<Part> {
    vec![
        Part::new(b"cont", &VERSION.to_le_bytes()),
        Part::new(
            b"plug",
            br#"{"name":"world","version":"0.1.0","crate":"world","reloadable":true,"hooks":[],"functions":[{"name":"hum","signature":"fn()"}]}"#,
        ),
        Part::new(b"fnha", &[1; 16]),
        Part::new(b"expo", br#"[{"interface":"Alpha","signature":"fn one()"}]"#),
        Part::new(b"exha", &[2; 16]),
        Part::new(
            b"impo",
            br#"[{"field":"queue","from":"alpha","interface":"JobQueue","kind":"plugin","optional":false}]"#,
        ),
        Part::new(b"imha", &[3; 16]),
        Part::new(b"stat", b"\x01\0\0\0Diary"),
        Part::new(b"bild", br#"{"rustc":"1","target":"t","profile":"debug"}"#),
        Part::new(b"pani", b"u"),
    ]
}

/// Returns the parts of its live items.
pub fn live_parts() -> Vec<Part> {
    vec![
        Part::new(
            b"live",
            br#"{"kind":"function","name":"live_b","signature":"fn()","module":"world"}"#,
        ),
        Part::new(b"liha", &[4; 16]),
        Part::new(
            b"live",
            br#"{"kind":"type","name":"A","signature":"struct A","version":2,"was":["O"],"module":"world"}"#,
        ),
        Part::new(b"liha", &[0; 16]),
    ]
}

/// Returns the section with these parts.
pub fn section(parts: &[Part]) -> Vec<u8> {
    let mut section = Vec::new();
    parts.iter().for_each(|part| part.append_to(&mut section));
    section
}

/// Returns the file of a valid plugin.
pub fn good() -> Vec<u8> {
    library(&section(&parts()), &section(&live_parts()))
}

/// Returns a library for this machine with these sections of metadata and of live items.
pub fn library(metadata: &[u8], live: &[u8]) -> Vec<u8> {
    fn put(library: &mut [u8], at: usize, bytes: &[u8]) {
        library[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let mut library = SKELETON.to_vec();
    // `e_machine`: the host compares it with its own machine, and the skeleton was built for another one.
    put(&mut library, 18, &machine().to_le_bytes());
    for (name, section) in [(SECTION, metadata), (LIVE_SECTION, live)] {
        // `sh_offset` and `sh_size`.
        let (header, offset) = (header_of(name), library.len() as u64);
        put(&mut library, header + 24, &offset.to_le_bytes());
        put(
            &mut library,
            header + 32,
            &(section.len() as u64).to_le_bytes(),
        );
        library.extend(section);
    }
    library
}

/// Returns the place of a section's header in the skeleton.
fn header_of(name: &str) -> usize {
    let file = object::File::parse(SKELETON).expect("the skeleton is a library");
    let section = file
        .section_by_name(name)
        .expect("the skeleton has the section");
    let table = SKELETON[0x28..]
        .first_chunk()
        .expect("the skeleton has a header");
    let table = usize::try_from(u64::from_le_bytes(*table)).expect("the offset is small");
    table + 64 * section.index().0
}

fn machine() -> u16 {
    match std::env::consts::ARCH {
        "x86_64" => object::elf::EM_X86_64.0,
        "aarch64" => object::elf::EM_AARCH64.0,
        other => panic!("the fuzz targets do not support {other}"),
    }
}
