//! Libraries for tests, made by the system's own compiler.
use hotswap_plugin::contract::{VERSION, metadata::MAGIC};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes one part of a metadata section.
pub(crate) fn part(tag: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    [&MAGIC[..], tag, &len, bytes].concat()
}

/// Returns all parts of a correct plugin.
pub(crate) fn parts() -> Vec<(&'static [u8; 4], Vec<u8>)> {
    vec![
        (b"cont", VERSION.to_le_bytes().to_vec()),
        (
            b"plug",
            br#"{"name":"world","version":"0.1.0","crate":"world-crate","reloadable":true,
                 "hooks":[],"functions":[{"name":"hum","signature":"fn(times: u32) -> String"}]}"#
                .to_vec(),
        ),
        (b"fnha", vec![1; 16]),
        (b"expo", br#"[{"interface":"Alpha","signature":"fn one()"}]"#.to_vec()),
        (b"exha", vec![2; 16]),
        (
            b"impo",
            br#"[{"field":"queue","from":"alpha","interface":"JobQueue","kind":"plugin","optional":false},
                 {"field":"gamma","from":"gamma","interface":null,"kind":"order_only","optional":true}]"#
                .to_vec(),
        ),
        (b"imha", [[3; 16], [0; 16]].concat()),
        (b"stat", vec![]),
        (b"bild", br#"{"rustc":"rustc 1.95.0","target":"x86_64-unknown-linux-gnu","profile":"debug"}"#.to_vec()),
        (b"pani", b"u".to_vec()),
    ]
}

/// Returns the section of [`parts`] after a change to one of them.
pub(crate) fn section_with(tag: &[u8; 4], bytes: &[u8]) -> Vec<u8> {
    let changed = parts().into_iter().map(|(t, b)| {
        if t == tag {
            (t, bytes.to_vec())
        } else {
            (t, b)
        }
    });
    changed.flat_map(|(tag, bytes)| part(tag, &bytes)).collect()
}

pub(crate) fn section() -> Vec<u8> {
    parts()
        .into_iter()
        .flat_map(|(tag, bytes)| part(tag, &bytes))
        .collect()
}

/// Runs the C compiler on `source`. The output is called `name`.
pub(crate) fn compile(dir: &Path, name: &str, source: &str, args: &[&str]) -> PathBuf {
    let file = dir.join(name);
    let source_file = dir.join(format!("{name}.c"));
    fs::write(&source_file, source).unwrap();
    run(Command::new("cc")
        .args(["-o".as_ref(), file.as_os_str(), source_file.as_os_str()])
        .args(args));
    file
}

/// Compiles a library with this metadata section and one function.
pub(crate) fn library(dir: &Path, name: &str, section: &[u8]) -> PathBuf {
    let mut source = "int answer(void) { return 42; }\n".to_owned();
    source += "__attribute__((section(\".hotswap\"), used)) const unsigned char metadata[] = {";
    for byte in section {
        write!(source, "{byte},").unwrap();
    }
    source += "};\n";
    compile(dir, name, &source, &["-shared", "-fPIC"])
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}
