//! Tests that texts of artifacts, file names, and compilers reach a terminal as text: they move no cursor, fill no clipboard, and
//! forge no line.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;

use hotswap_host::shown::is_deceptive;

use crate::fixture::{Fixture, Ran};

/// As it stands in the JSON of metadata: clears the screen, fills the clipboard, begins a line, turns the text round.
const HOSTILE: [&str; 5] = [
    "a\\u001b[2Jb",
    "a\\u001b]52;c;eA==\\u0007b",
    "a\\nerror: b",
    "a\\u202eb",
    "a\\u009b31mb",
];

/// Nothing in these but lines, and colours where they are allowed.
fn check(ran: &Ran, colours: bool) {
    for text in [&ran.stdout, &ran.stderr] {
        let mut rest = text.clone();
        while let Some(at) = rest.find("\u{1b}[").filter(|_| colours) {
            let len = rest[at..].find('m').expect("a colour ends");
            let parameters = &rest[at + 2..at + len];
            assert!(
                parameters.chars().all(|c| c.is_ascii_digit() || c == ';'),
                "{text:?}"
            );
            rest.replace_range(at..=at + len, "");
        }
        let found = rest.find(|c| is_deceptive(c) && c != '\n');
        assert!(found.is_none(), "{text:?}");
    }
}

#[test]
fn metadata_is_refused_and_shown_as_text() {
    let fixture = Fixture::new();
    for hostile in HOSTILE {
        for (name, exports, imports) in [
            (hostile, &[][..], &[][..]),
            ("world", &[(hostile, 1)][..], &[][..]),
            ("world", &[], &[(&*format!("alpha {hostile}"), 1)]),
            ("world", &[], &[(&*format!("{hostile} Alpha"), 1)]),
        ] {
            fixture.library("set/libworld.so", name, exports, imports);
            for args in [
                &["inspect", "set/libworld.so"][..],
                &["inspect", "--json", "set/libworld.so"],
                &["seal", "set/libworld.so"],
                &["graph", "set"],
                &["graph", "set", "--format", "dot"],
                &["graph", "set", "--format", "mermaid"],
            ] {
                let ran = fixture.run(args);
                check(&ran, false);
                assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{args:?}");
                assert!(
                    ran.stderr
                        .contains("set/libworld.so has damaged metadata: its `")
                );
                // The second line is the address of the section about it.
                let (error, see) = ran.stderr.split_once('\n').unwrap_or_default();
                let is_address = see.is_empty() || see.starts_with("  see https://");
                assert!(!error.is_empty() && is_address, "{}", ran.stderr);
                assert!(ran.stderr.lines().count() <= 2, "{}", ran.stderr);
            }
        }
    }
}

#[test]
fn names_of_files_are_shown_as_text() {
    let fixture = Fixture::new();
    let hostile = "lib\u{1b}]52;c;eA==\u{7}\nerror: all is well\u{202e}.so";
    fixture.write(&format!("set/{hostile}"), "no library");
    for args in [
        &["inspect", &format!("set/{hostile}")][..],
        &["graph", "set"],
    ] {
        let ran = fixture.run(args);
        check(&ran, false);
        assert_eq!(ran.code, Some(1));
        assert_eq!(
            ran.stderr,
            "error: <root>/set/lib\\u{1b}]52;c;eA==\\u{7}\\nerror: all is well\\u{202e}.so is not a library in any known format; build it with `cargo hotswap build`\n  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#an-artifact-is-refused\n"
        );
    }
    // A name that is no text; it is one for JSON all the same.
    fixture.library("libworld.so", "world", &[], &[]);
    let odd = OsString::from_vec(b"odd\x9b31m.so".to_vec());
    fs::rename(fixture.root.join("libworld.so"), fixture.root.join(&odd))
        .expect("it can be renamed");
    for json in [false, true] {
        let mut command = fixture.command("", &["inspect"]);
        command.args(json.then_some("--json")).arg(&odd);
        let ran = Ran::new(&fixture, command.output().expect("it can be started"));
        check(&ran, false);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
}

#[test]
fn names_in_a_library_are_shown_as_text() {
    let fixture = Fixture::new();
    fixture.library("libworld.so", "world", &[], &[]);
    let hostile = "lib\u{1b}[2J\n  commit           0000\u{202e}.so";
    fixture.write("empty.c", "");
    fixture.write(
        "unique.s",
        ".globl \"u\u{1b}[31m\"; .type \"u\u{1b}[31m\", %gnu_unique_object; .data; \"u\u{1b}[31m\": .byte 0\n",
    );
    let cc = |args: &[&str]| {
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC"]).args(args);
        let status = command.current_dir(&fixture.root).status();
        assert!(status.expect("there is a C compiler").success());
    };
    cc(&[
        "-o",
        "needed.so",
        "empty.c",
        &format!("-Wl,-soname,{hostile}"),
    ]);
    let runpath = format!("-Wl,--enable-new-dtags,--no-as-needed,-rpath,/tmp/{hostile}");
    cc(&[
        "-o",
        "libworld.so",
        "libworld.so.c",
        "unique.s",
        &runpath,
        "needed.so",
    ]);
    let ran = fixture.ok(&["inspect", "libworld.so"]);
    check(&ran, false);
    let shown = "lib\\u{1b}[2J\\n  commit           0000\\u{202e}.so";
    for row in [
        format!("  needs            {shown}\n"),
        format!("  looks in         /tmp/{shown}\n"),
        format!("because it needs the library {shown}\n"),
    ] {
        assert!(ran.stdout.contains(&row), "{}", ran.stdout);
    }
    assert!(ran.stdout.contains(r"u\u{1b}[31m"), "{}", ran.stdout);
    let ran = fixture.ok(&["inspect", "--json", "libworld.so"]);
    check(&ran, false);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let needed = json["links"]["needed"].as_array().expect("a list");
    assert!(needed.iter().any(|name| name == hostile));
}

#[test]
fn compilers_change_colours_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.write(
        "app/moon/build.rs",
        "fn main() {\n    println!(\"cargo::warning=a\\u{1b}]52;c;eA==\\u{7}b\\u{1b}[2J\\u{9b}3J\\u{202e}c\");\n}\n",
    );
    let ran = fixture.ok(&["build", "app/moon", "--color", "always"]);
    check(&ran, true);
    assert!(ran.stderr.contains("\u{1b}["), "{:?}", ran.stderr);
    let shown = r"a\u{1b}]52;c;eA==\u{7}b\u{1b}[2J\u{9b}3J\u{202e}c";
    assert!(ran.stderr.contains(shown), "{:?}", ran.stderr);
    let ran = fixture.ok(&["build", "app/moon", "--message-format", "json"]);
    check(&ran, false);
    for line in ran.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("it is JSON");
    }
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.root.join("set")).expect("it can be made");
    let made = Command::new("mkfifo")
        .arg(fixture.root.join("set/libpipe.so"))
        .status();
    assert!(made.expect("mkfifo can be started").success());
    for args in [
        &["inspect", "set/libpipe.so"][..],
        &["seal", "set/libpipe.so"],
        &["graph", "set"],
        &["inspect", "/dev/zero"],
    ] {
        let ran = fixture.run(args);
        assert_eq!(ran.code, Some(1), "{args:?}");
        assert!(
            ran.stderr.contains("is not a regular file"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_graph_is_drawn_of_so_many_plugins_at_most() {
    let fixture = Fixture::new();
    for n in 0..1025 {
        fixture.write(&format!("set/lib{n}.so"), "");
    }
    let ran = fixture.run(&["graph", "set"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: the directory `<root>/set` holds 1025 libraries, but a graph can show 1024 at most; name the directory of a host");
}

#[test]
fn a_graph_tells_some_hundred_problems_at_most() {
    let fixture = Fixture::new();
    let imports: Vec<_> = (0..1000).map(|n| format!("m{n} I")).collect();
    let imports: Vec<_> = imports.iter().map(|import| (&**import, 1)).collect();
    fixture.library("set/libworld.so", "world", &[], &imports);
    let ran = fixture.run(&["graph", "set"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.stderr.lines().count(), 256 + 1);
    assert_eq!(ran.lines().len(), 1000 + 1);
}
