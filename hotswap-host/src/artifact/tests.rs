use super::testing::{compile, library, part, parts, run, section, section_with};
use super::{
    Artifact, ArtifactProblem as Problem, BuildId, FindError, ImportKind, Note, PanicStrategy, find,
};
use hotswap_plugin::contract::VERSION;
use object::{Object, ObjectSection};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

fn problem(file: &Path) -> Problem {
    let error = Artifact::read(file).unwrap_err();
    assert_eq!(error.file, file);
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
    assert!(!error.to_string().contains('\n'), "{error}");
    error.problem
}

fn note() -> Note {
    Note {
        commit: "unknown".into(),
        dirty: false,
        location: None,
    }
}

/// Returns a correct plugin with a note.
fn good(dir: &TempDir) -> Vec<u8> {
    let mut bytes = fs::read(library(dir.path(), "good.so", &section())).unwrap();
    note().append_to(&mut bytes);
    bytes
}

#[test]
fn everything_that_was_recorded_is_read() {
    let dir = tempdir().unwrap();
    let file = library(dir.path(), "good.so", &section());
    let artifact = Artifact::read(&file).unwrap();
    assert_eq!(artifact.build_id, BuildId::of(&fs::read(&file).unwrap()));
    assert_eq!(artifact.note, None);
    let metadata = &artifact.metadata;
    assert_eq!(
        (
            metadata.name.as_str(),
            &*metadata.version,
            &*metadata.crate_name
        ),
        ("world", "0.1.0", "world-crate")
    );
    assert_eq!(metadata.functions[0].signature, "fn(times: u32) -> String");
    assert_eq!(metadata.functions[0].hash, [1; 16].into());
    assert_eq!(metadata.exports[0].hash, [2; 16].into());
    assert_eq!(
        (metadata.imports[0].kind, metadata.imports[1].kind),
        (ImportKind::Plugin, ImportKind::OrderOnly)
    );
    assert_eq!(metadata.imports[0].from, Some("ALPHA".into()));
    assert_eq!(metadata.imports[1].hash, [0; 16].into());
    assert_eq!(metadata.panic, PanicStrategy::Unwind);

    let mut bytes = fs::read(&file).unwrap();
    note().append_to(&mut bytes);
    let noted = Artifact::from_bytes(&file, &bytes).unwrap();
    assert_eq!(
        (noted.build_id, noted.note),
        (artifact.build_id, Some(note()))
    );
    let json = serde_json::to_value(&artifact).unwrap();
    assert_eq!(json["metadata"]["crate"], "world-crate");
    assert_eq!(json["metadata"]["functions"][0]["hash"], "01".repeat(16));
    assert_eq!(json["build_id"], artifact.build_id.to_string());
}

#[test]
fn parts_of_later_versions_are_passed_over() {
    let dir = tempdir().unwrap();
    let section = [section(), part(b"newp", b"?")].concat();
    Artifact::read(&library(dir.path(), "new.so", &section)).unwrap();
}

#[test]
fn what_is_no_file() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    assert!(matches!(problem(&path("missing.so")), Problem::NotFound));
    fs::create_dir(path("dir.so")).unwrap();
    assert!(matches!(problem(&path("dir.so")), Problem::Directory));
    symlink("nowhere", path("link.so")).unwrap();
    assert!(
        matches!(problem(&path("link.so")), Problem::DanglingLink { target } if target == Path::new("nowhere"))
    );
    // Opening a pipe that has no writer would wait for ever.
    run(Command::new("mkfifo").arg(path("pipe.so")));
    assert!(matches!(problem(&path("pipe.so")), Problem::NotAFile));
    symlink("loop.so", path("loop.so")).unwrap();
    assert!(matches!(
        problem(&path("loop.so")),
        Problem::Unreadable { .. }
    ));
}

#[test]
fn what_is_no_library() {
    let dir = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(dir.path().join(name), bytes).unwrap();
        dir.path().join(name)
    };
    assert!(matches!(problem(&write("empty.so", b"")), Problem::Empty));
    assert!(matches!(
        problem(&write("text.so", b"#!/bin/sh\necho hello\n")),
        Problem::Garbage
    ));
    assert!(matches!(
        problem(&write("magic.so", b"\x7fELF")),
        Problem::Truncated { .. }
    ));

    let source = "int answer(void) { return 42; }";
    let object = compile(dir.path(), "object.so", source, &["-c"]);
    assert!(matches!(
        problem(&object),
        Problem::NotALibrary {
            found: "an object file"
        }
    ));
    let archive = dir.path().join("archive.so");
    run(Command::new("ar").arg("rc").args([&archive, &object]));
    assert!(matches!(
        problem(&archive),
        Problem::NotALibrary {
            found: "a static library"
        }
    ));
    let main = "int main(void) { return 0; }";
    for (name, args) in [
        ("pie.so", ["-fPIE", "-pie"]),
        ("program.so", ["-fno-PIE", "-no-pie"]),
    ] {
        let program = compile(dir.path(), name, main, &args);
        assert!(matches!(
            problem(&program),
            Problem::NotALibrary {
                found: "an executable"
            }
        ));
    }
    let plain = compile(dir.path(), "plain.so", source, &["-shared", "-fPIC"]);
    assert!(matches!(problem(&plain), Problem::NotAPlugin));
}

/// Makes real libraries for other machines, out of plain data, with the linker that comes with rustc.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn another_machine_is_named() {
    let dir = tempdir().unwrap();
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .unwrap()
        .stdout;
    let sysroot = Path::new(str::from_utf8(&sysroot).unwrap().trim());
    let linker = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    let (data, file) = (dir.path().join("data"), dir.path().join("foreign.so"));
    fs::write(&data, "data").unwrap();
    for (emulation, name) in [
        ("aarch64linux", "aarch64 (Elf, 64-bit, little-endian)"),
        ("aarch64linuxb", "aarch64 (Elf, 64-bit, big-endian)"),
        ("elf64_s390", "s390x (Elf, 64-bit, big-endian)"),
        ("elf_i386", "x86 (Elf, 32-bit, little-endian)"),
    ] {
        let link = [
            "-flavor",
            "gnu",
            "-shared",
            "--format=binary",
            "-m",
            emulation,
            "-o",
        ];
        run(Command::new(&linker).args(link).args([&file, &data]));
        let Problem::AnotherMachine { found, needed } = problem(&file) else {
            panic!("{emulation}")
        };
        assert_eq!(
            (&*found, &*needed),
            (name, "x86_64 (Elf, 64-bit, little-endian)")
        );
    }
    // This is an unknown machine.
    let mut bytes = fs::read(library(dir.path(), "good.so", &section())).unwrap();
    bytes[18..20].copy_from_slice(&[0xfe, 0xfe]);
    fs::write(&file, bytes).unwrap();
    assert!(
        matches!(problem(&file), Problem::AnotherMachine { found, .. } if found.starts_with("an unknown"))
    );
}

#[test]
fn every_part_must_be_there_once_and_whole() {
    let dir = tempdir().unwrap();
    for (i, (tag, bytes)) in parts().into_iter().enumerate() {
        let all = parts()
            .into_iter()
            .map(|(tag, bytes)| part(tag, &bytes))
            .collect::<Vec<_>>();
        let mut missing = all.clone();
        missing.remove(i);
        let twice = [all.concat(), part(tag, &bytes)].concat();
        let wrong = section_with(tag, b"?");
        for section in [missing.concat(), twice, wrong] {
            let file = library(dir.path(), "part.so", &section);
            match problem(&file) {
                Problem::Metadata { reason } => {
                    assert!(reason.contains(str::from_utf8(tag).unwrap()), "{reason}");
                }
                other => panic!("{}: {other}", tag.escape_ascii()),
            }
        }
    }
    let padded = [section(), vec![0; 4]].concat();
    assert!(matches!(
        problem(&library(dir.path(), "part.so", &padded)),
        Problem::Metadata { .. }
    ));
    assert!(matches!(
        problem(&library(dir.path(), "part.so", b"")),
        Problem::NotAPlugin | Problem::Metadata { .. }
    ));
}

#[test]
fn names_that_could_be_paths_are_refused() {
    let dir = tempdir().unwrap();
    for name in [
        "../world",
        "a/b",
        "",
        ".",
        "a b",
        "a\\u001bb",
        &"x".repeat(200),
    ] {
        let json = format!(
            r#"{{"name":"{name}","version":"1","crate":"c","reloadable":null,"hooks":[],"functions":[]}}"#
        );
        let section: Vec<u8> = [
            part(b"cont", &VERSION.to_le_bytes()),
            part(b"plug", json.as_bytes()),
            part(b"fnha", b""),
            section_with(b"cont", b"")[12..].to_vec(),
        ]
        .concat();
        assert!(
            matches!(
                problem(&library(dir.path(), "name.so", &section)),
                Problem::Metadata { .. }
            ),
            "{name}"
        );
    }
}

#[test]
fn an_error_is_one_line_whatever_the_file_says() {
    let dir = tempdir().unwrap();
    let kind =
        r#"[{"field":"f","from":"a","interface":"I","kind":"a\nb\u001bc","optional":false}]"#;
    let file = library(
        dir.path(),
        "lines.so",
        &section_with(b"impo", kind.as_bytes()),
    );
    let text = Artifact::read(&file).unwrap_err().to_string();
    assert!(text.contains(r"a\nb\u{1b}c"), "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn another_contract_is_refused_before_anything_else_is_read() {
    let dir = tempdir().unwrap();
    let [older, newer] = [VERSION - 1, VERSION + 1].map(u32::to_le_bytes);
    let file = library(dir.path(), "old.so", &section_with(b"cont", &older));
    let text = Artifact::read(&file).unwrap_err().to_string();
    assert!(
        text.starts_with("world: ") && text.contains("update `hotswap-plugin`"),
        "{text}"
    );
    // A later version may have other parts.
    let file = library(
        dir.path(),
        "new.so",
        &[part(b"cont", &newer), b"anything".to_vec()].concat(),
    );
    let error = Artifact::read(&file).unwrap_err();
    assert!(
        matches!(error.problem, Problem::AnotherContract { found, needed: VERSION } if found == VERSION + 1)
    );
    assert!(
        error.plugin.is_none() && error.to_string().contains("update `hotswap-host`"),
        "{error}"
    );
}

#[test]
fn a_plugin_that_aborts_is_refused_with_the_lines_to_change() {
    let dir = tempdir().unwrap();
    let file = library(dir.path(), "abort.so", &section_with(b"pani", b"a"));
    let error = Artifact::read(&file).unwrap_err();
    assert!(matches!(&error.problem, Problem::PanicAbort { profile } if profile == "debug"));
    assert!(
        error
            .to_string()
            .contains("`panic = \"unwind\"` under `[profile.dev]`"),
        "{error}"
    );
    assert_eq!(error.plugin.unwrap(), "world");
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let dir = tempdir().unwrap();
    let whole = good(&dir);
    let library = fs::read(dir.path().join("good.so")).unwrap();
    let read = |bytes: &[u8]| Artifact::from_bytes(Path::new("a.so"), bytes);
    let id = read(&whole).unwrap().build_id;
    for len in 0..whole.len() {
        match read(&whole[..len]) {
            // Everything except the note was read, and has the same build id.
            Ok(artifact) => assert_eq!((len, artifact.build_id), (library.len(), id)),
            Err(error) => match (len, error.problem) {
                (0, Problem::Empty) => {}
                (1..4, Problem::Garbage) => {}
                (_, Problem::Truncated { len: found, needed }) => {
                    assert!(len as u64 == found && found < needed)
                }
                (_, Problem::Overlong { extra }) => {
                    assert_eq!(library.len() as u64 + extra, len as u64)
                }
                (_, problem) => panic!("{len}: {problem}"),
            },
        }
    }
    // The end of one build follows the beginning of another, as happens for a moment when a file is overwritten in
    // place.
    let other = fs::read(self::library(
        dir.path(),
        "other.so",
        &section_with(b"fnha", &[9; 16]),
    ))
    .unwrap();
    assert_eq!(other.len(), library.len());
    for at in (1..library.len())
        .filter(|at| library[*at..] != other[*at..] && library[..*at] != other[..*at])
    {
        let torn = [&other[..at], &whole[at..]].concat();
        assert!(
            matches!(
                read(&torn).unwrap_err().problem,
                Problem::AnotherBuild { .. }
            ),
            "torn at {at}"
        );
    }
}

#[test]
fn no_flipped_bit_does_harm() {
    let dir = tempdir().unwrap();
    let whole = fs::read(library(dir.path(), "good.so", &section())).unwrap();
    let (at, len) = object::File::parse(&*whole)
        .unwrap()
        .section_by_name(".hotswap")
        .unwrap()
        .file_range()
        .unwrap();
    let headers = (0..64).chain(whole.len() - 64 * 40..whole.len());
    let section = usize::try_from(at).unwrap()..usize::try_from(at + len).unwrap();
    for byte in headers.chain(section) {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << bit;
            if let Ok(artifact) = Artifact::from_bytes(Path::new("a.so"), &flipped) {
                assert_eq!(artifact.build_id, BuildId::of(&flipped));
            }
            super::unload_blockers(&flipped);
        }
    }
}

#[test]
fn artifacts_are_found_in_order() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["b.so", "a.so", ".hidden.so", "a.so.tmp", "so", "notes.txt"] {
        fs::write(path(name), "").unwrap();
    }
    fs::create_dir(path("sub")).unwrap();
    symlink("a.so", path("c.so")).unwrap();
    assert_eq!(
        find(dir.path()).unwrap(),
        [path("a.so"), path("b.so"), path("c.so")]
    );

    symlink("nowhere", path("link.so")).unwrap();
    let error = find(dir.path()).unwrap_err();
    assert!(
        matches!(&error, FindError::Artifact(e) if e.file == path("link.so")),
        "{error}"
    );
    fs::remove_file(path("link.so")).unwrap();
    fs::create_dir(path("dir.so")).unwrap();
    let error = find(dir.path()).unwrap_err();
    assert!(
        matches!(&error, FindError::Artifact(e) if matches!(e.problem, Problem::Directory)),
        "{error}"
    );

    assert!(matches!(
        find(&path("missing")),
        Err(FindError::Missing { .. })
    ));
    assert!(matches!(
        find(&path("so")),
        Err(FindError::NotADirectory { .. })
    ));
    fs::create_dir(path("empty")).unwrap();
    assert!(find(&path("empty")).unwrap().is_empty());
}
