//! Files that were made to take long, or to take all memory.
use super::testing::{compile, library, part, run, section, section_with};
use super::{Artifact, ArtifactProblem as Problem, limits};
use object::read::elf::{ElfFile64, ProgramHeader, SectionHeader};
use object::{Endianness, elf};
use std::fs::{self, File};
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::tempdir;

fn problem(bytes: &[u8]) -> Problem {
    Artifact::from_bytes(Path::new("it"), bytes)
        .expect_err("it is refused")
        .problem
}

fn assert_too_much(bytes: &[u8], of: &str) {
    let found = problem(bytes);
    assert!(
        matches!(found, Problem::TooMuch { what, .. } if what == of),
        "{of}: {found}"
    );
}

fn good() -> Vec<u8> {
    let dir = tempdir().unwrap();
    fs::read(library(dir.path(), "good.so", &section())).unwrap()
}

/// Makes a library with this section of metadata, of any length, and another section with this name.
fn with_sections(dir: &Path, metadata: &[u8], other: (&str, &[u8])) -> PathBuf {
    let files = [("metadata", metadata), ("other", other.1)];
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
    let source = format!(
        "__asm__(\".section .hotswap,\\\"a\\\"; .incbin \\\"{0}/metadata\\\"; .section {1},\\\"a\\\"; .incbin \\\"{0}/other\\\"\");",
        dir.display(),
        other.0
    );
    compile(dir, "library.so", &source, &["-shared", "-fPIC"])
}

fn put(bytes: &mut [u8], at: usize, value: impl AsRef<[u8]>) {
    let value = value.as_ref();
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[test]
fn flags_that_overflow_are_no_panic() {
    let mut bytes = good();
    let (at, size) = {
        let elf = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
        let endian = elf.endian();
        let mut segments = elf.elf_program_headers().iter();
        let dynamic = segments.find(|segment| segment.p_type(endian) == elf::PT_DYNAMIC);
        dynamic.unwrap().file_range(endian)
    };
    // The linker leaves empty entries at the end. Now only the last one is empty.
    let (at, entries) = (at as usize, size as usize / 16);
    let free = (0..entries)
        .find(|n| bytes[at + n * 16..][..8] == [0; 8])
        .unwrap();
    assert!(entries - free > 2, "{entries} entries, {free} in use");
    for entry in free..free + 2 {
        put(&mut bytes, at + entry * 16, u64::to_le_bytes(0x6fff_fffb));
        put(&mut bytes, at + entry * 16 + 8, [0xff; 8]);
    }
    assert!(matches!(problem(&bytes), Problem::NotALibrary { .. }));
}

#[test]
fn many_parts_are_refused_before_each_is_compared_with_each() {
    let parts: Vec<_> = (0_u32..150_000)
        .flat_map(|tag| part(&tag.to_le_bytes(), b""))
        .collect();
    let metadata = [section(), parts].concat();
    let dir = tempdir().unwrap();
    let file = with_sections(dir.path(), &metadata, (".other", b""));
    let bytes = fs::read(file).unwrap();
    let text = problem(&bytes).to_string();
    assert!(text.contains("it has more than 64 parts"), "{text}");
}

#[test]
fn as_many_items_as_there_may_be_are_counted_first() {
    let item = br#"{"kind":"function","name":"b","signature":"fn()","module":"m"}"#;
    let live = [part(b"live", item), part(b"liha", &[1; 16])].concat();
    let live = live.repeat(limits::ITEMS + 1);
    let dir = tempdir().unwrap();
    let file = with_sections(dir.path(), &section(), (".hotswap.live", &live));
    let text = problem(&fs::read(file).unwrap()).to_string();
    assert!(
        text.contains("live items: there are more than 65536"),
        "{text}"
    );

    let functions = [r#"{"name":"f","signature":"fn()"}"#]
        .repeat(limits::ITEMS + 1)
        .join(",");
    let plugin = format!(
        r#"{{"name":"world","version":"1","crate":"world","reloadable":true,"hooks":[],"functions":[{functions}]}}"#
    );
    let metadata = section_with(b"plug", plugin.as_bytes());
    let file = with_sections(dir.path(), &metadata, (".other", b""));
    let text = problem(&fs::read(file).unwrap()).to_string();
    assert!(
        text.contains("part `fnha` is about more than 65536 items"),
        "{text}"
    );

    let import = r#"{"field":"f","from":"a","interface":"I","kind":"plugin","optional":true}"#;
    let imports = [import].repeat(limits::RELATIONS + 1);
    let hashes = vec![0; 16 * imports.len()];
    let mut parts = super::testing::parts();
    for (tag, bytes) in &mut parts {
        match *tag {
            b"impo" => *bytes = format!("[{}]", imports.join(",")).into_bytes(),
            b"imha" => bytes.clone_from(&hashes),
            _ => {}
        }
    }
    let metadata: Vec<_> = parts
        .iter()
        .flat_map(|(tag, bytes)| part(tag, bytes))
        .collect();
    let file = with_sections(dir.path(), &metadata, (".other", b""));
    let text = problem(&fs::read(file).unwrap()).to_string();
    assert!(
        text.contains("it has more than 1024 exports, or as many imports"),
        "{text}"
    );

    let long = vec![0; limits::METADATA_BYTES + 1];
    let file = with_sections(dir.path(), &long, (".other", b""));
    assert_too_much(&fs::read(file).unwrap(), "bytes of metadata");
}

#[test]
fn a_name_that_is_long_counts_each_time_that_it_is_used() {
    let name = "n".repeat(1 << 20);
    let mut source = format!("void {name}(void) {{}}\n");
    for number in 0..100 {
        source += &format!("void f{number}(void) {{}}\n");
    }
    let dir = tempdir().unwrap();
    let mut bytes = fs::read(compile(
        dir.path(),
        "long.so",
        &source,
        &["-shared", "-fPIC"],
    ))
    .unwrap();
    assert!(matches!(problem(&bytes), Problem::NotAPlugin));
    let names: Vec<usize> = {
        let elf = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
        let symbols = elf.elf_dynamic_symbol_table().symbols();
        let start = bytes.as_ptr().addr();
        symbols
            .iter()
            .map(|symbol| std::ptr::from_ref(symbol).addr() - start)
            .collect()
    };
    let long = memchr::memmem::find(&bytes, &name.as_bytes()[..1000]).unwrap();
    let start = {
        let elf = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
        let (endian, table) = (elf.endian(), elf.elf_section_table());
        let strings = elf.elf_dynamic_symbol_table().string_section();
        table
            .section(strings)
            .unwrap()
            .file_range(endian)
            .unwrap()
            .0 as usize
    };
    for symbol in names {
        put(
            &mut bytes,
            symbol,
            u32::try_from(long - start).unwrap().to_le_bytes(),
        );
    }
    assert_too_much(&bytes, "bytes in the names of symbols");
}

type Header = elf::FileHeader64<Endianness>;
type Section = elf::SectionHeader64<Endianness>;

#[test]
fn too_many_sections_and_such_as_overlap() {
    let bytes = good();
    let headers = {
        let elf = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
        elf.elf_section_table().len()
    };
    let at = |bytes: &[u8], field: usize| {
        usize::try_from(u64::from_le_bytes(*bytes[field..].first_chunk().unwrap())).unwrap()
    };
    let table = at(&bytes, offset_of!(Header, e_shoff));

    let mut many = bytes.clone();
    let old = bytes[table..table + headers * size_of::<Section>()].to_vec();
    many.resize(many.len().next_multiple_of(8), 0);
    let moved = many.len() as u64;
    many.extend(old);
    let count = limits::SECTIONS + 1;
    many.resize(many.len() + (count - headers) * size_of::<Section>(), 0);
    put(&mut many, offset_of!(Header, e_shoff), moved.to_le_bytes());
    let count = u16::try_from(count).unwrap();
    put(&mut many, offset_of!(Header, e_shnum), count.to_le_bytes());
    assert_too_much(&many, "sections");

    let mut overlapping = bytes.clone();
    for number in 1..headers {
        let section = table + number * size_of::<Section>();
        let kind = *bytes[section + offset_of!(Section, sh_type)..]
            .first_chunk()
            .unwrap();
        if u32::from_le_bytes(kind) == elf::SHT_PROGBITS.0 {
            put(
                &mut overlapping,
                section + offset_of!(Section, sh_offset),
                [0; 8],
            );
            let whole = (bytes.len() as u64).to_le_bytes();
            put(
                &mut overlapping,
                section + offset_of!(Section, sh_size),
                whole,
            );
        }
    }
    let text = problem(&overlapping).to_string();
    assert!(text.contains("its sections overlap"), "{text}");
}

#[test]
fn a_note_is_short() {
    let mut bytes = good();
    let json = format!(
        r#"{{"commit":"{}","dirty":false}}"#,
        "0".repeat(limits::NOTE_BYTES)
    );
    bytes.extend(json.as_bytes());
    bytes.extend(u32::try_from(json.len()).unwrap().to_le_bytes());
    bytes.extend(hotswap_plugin::contract::metadata::NOTE_MAGIC);
    let text = problem(&bytes).to_string();
    assert!(text.contains("it has more than 65536 bytes"), "{text}");
}

/// The file has three gigabytes, but takes next to no space on the disk.
#[test]
fn what_is_large_is_not_read() {
    let dir = tempdir().unwrap();
    let size = 3 << 30;
    let nothing = dir.path().join("nothing.so");
    File::create(&nothing).unwrap().set_len(size).unwrap();
    let library = library(dir.path(), "good.so", &section());
    let file = File::options().write(true).open(&library).unwrap();
    file.set_len(size).unwrap();
    // The process does not have enough memory for the file.
    let output = Command::new("bash")
        .args(["-c", "ulimit -v 2500000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "artifact::hostile::be_short_of_memory"])
        .args(["--ignored", "--nocapture"])
        .env("HOTSWAP_TEST_FILES", dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("both are refused"), "{text}{errors}");
}

#[test]
#[ignore = "the other process of another test"]
fn be_short_of_memory() {
    let Some(dir) = std::env::var_os("HOTSWAP_TEST_FILES").map(PathBuf::from) else {
        return;
    };
    let problem = |name: &str| Artifact::read(&dir.join(name)).unwrap_err().problem;
    let nothing = problem("nothing.so");
    assert!(matches!(nothing, Problem::Garbage), "{nothing}");
    let library = problem("good.so");
    assert!(
        matches!(library, Problem::TooMuch { what: "bytes", limit } if limit == limits::FILE_BYTES),
        "{library}"
    );
    println!("both are refused");
}

/// A pipe takes the place of a file after the file was checked.
#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let dir = tempdir().unwrap();
    let file = library(dir.path(), "good.so", &section());
    let pipe = dir.path().join("pipe");
    run(Command::new("mkfifo").arg(&pipe));
    assert!(matches!(
        super::read::try_read(&pipe),
        Err(Problem::NotAFile)
    ));
    // This is the same without knowing when the file is opened.
    let (other, link) = (dir.path().join("other"), dir.path().join("plugin.so"));
    fs::hard_link(&file, &link).unwrap();
    std::thread::scope(|scope| {
        let exchanges = scope.spawn(|| {
            for round in 0..2000 {
                let source = if round % 2 == 0 { &pipe } else { &file };
                fs::hard_link(source, &other).unwrap();
                fs::rename(&other, &link).unwrap();
                let _ = fs::remove_file(&other);
            }
        });
        while !exchanges.is_finished() {
            match Artifact::read(&link) {
                Ok(artifact) => assert_eq!(artifact.metadata.name.as_str(), "world"),
                Err(error) => assert!(
                    matches!(error.problem, Problem::NotAFile | Problem::Changing),
                    "{error}"
                ),
            }
        }
    });
}

#[test]
fn a_panic_is_the_error_of_that_file() {
    let found = problem(b"panic");
    assert!(
        matches!(&found, Problem::Panicked { message } if message == "the test asks for a panic"),
        "{found}"
    );
}
