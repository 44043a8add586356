use crate::artifact::testing::{part, section, section_with};
use crate::artifact::{Artifact, ArtifactProblem as Problem, Metadata, Note};
use crate::shown::is_deceptive;
use std::path::Path;

/// Texts of a hostile artifact: they clear the screen, write to the clipboard, forge a line, and reverse the text.
const HOSTILE: [&str; 6] = [
    "x\u{1b}[2Jy",
    "x\u{1b}]52;c;eA==\u{7}y",
    "x\n2026-01-01 INFO hotswap: all is well",
    "x\u{202e}y",
    "x\u{2066}y\u{2069}",
    "x\u{9b}31my",
];

/// The field, its part, and the part's JSON with `@` in place of the text.
const FIELDS: [(&str, &[u8; 4], &str); 16] = [
    ("name", b"plug", PLUG_NAME),
    (
        "version",
        b"plug",
        r#"{"name":"w","version":"@","crate":"c","reloadable":true,"hooks":[],"functions":[{"name":"h","signature":"fn()"}]}"#,
    ),
    (
        "crate",
        b"plug",
        r#"{"name":"w","version":"1","crate":"@","reloadable":true,"hooks":[],"functions":[{"name":"h","signature":"fn()"}]}"#,
    ),
    (
        "hooks",
        b"plug",
        r#"{"name":"w","version":"1","crate":"c","reloadable":true,"hooks":["@"],"functions":[{"name":"h","signature":"fn()"}]}"#,
    ),
    (
        "functions.name",
        b"plug",
        r#"{"name":"w","version":"1","crate":"c","reloadable":true,"hooks":[],"functions":[{"name":"@","signature":"fn()"}]}"#,
    ),
    (
        "functions.signature",
        b"plug",
        r#"{"name":"w","version":"1","crate":"c","reloadable":true,"hooks":[],"functions":[{"name":"h","signature":"@"}]}"#,
    ),
    (
        "exports.interface",
        b"expo",
        r#"[{"interface":"@","signature":""}]"#,
    ),
    (
        "exports.signature",
        b"expo",
        r#"[{"interface":"I","signature":"@"}]"#,
    ),
    (
        "imports.field",
        b"impo",
        r#"[{"field":"@","from":"a","interface":"I","kind":"plugin","optional":false},{"field":"g","from":"g","interface":null,"kind":"order_only","optional":true}]"#,
    ),
    (
        "imports.from",
        b"impo",
        r#"[{"field":"f","from":"@","interface":"I","kind":"plugin","optional":false},{"field":"g","from":"g","interface":null,"kind":"order_only","optional":true}]"#,
    ),
    (
        "imports.interface",
        b"impo",
        r#"[{"field":"f","from":"a","interface":"@","kind":"plugin","optional":false},{"field":"g","from":"g","interface":null,"kind":"order_only","optional":true}]"#,
    ),
    ("state", b"stat", "\u{1}\0\0\0@"),
    (
        "rustc",
        b"bild",
        r#"{"rustc":"@","target":"t","profile":"debug"}"#,
    ),
    (
        "target",
        b"bild",
        r#"{"rustc":"rustc","target":"@","profile":"debug"}"#,
    ),
    (
        "profile",
        b"bild",
        r#"{"rustc":"rustc","target":"t","profile":"@"}"#,
    ),
    // The profile is shown in an error of its own.
    (
        "profile",
        b"bild",
        r#"{"rustc":"rustc","target":"t","profile":"@x"}"#,
    ),
];
const PLUG_NAME: &str = r#"{"name":"@","version":"1","crate":"c","reloadable":true,"hooks":[],"functions":[{"name":"h","signature":"fn()"}]}"#;

fn in_json(text: &str) -> String {
    serde_json::to_string(text)
        .unwrap()
        .trim_matches('"')
        .to_owned()
}

fn refused(section: &[u8], live: &[u8], field: &str) {
    let file = Path::new("a\u{1b}[2Jb\n.so");
    let error = Metadata::parse(file, section, live).unwrap_err();
    let Problem::Text { field: found, .. } = error.problem else {
        panic!("{field}: {error}");
    };
    assert_eq!(found, field);
    let text = error.to_string();
    assert!(text.contains(&format!("`{field}`")), "{text}");
    assert!(
        text.starts_with("w: a\\u{1b}[2Jb\\n.so ") || field == "name",
        "{text}"
    );
    assert!(!text.contains(is_deceptive), "{text:?}");
}

#[test]
fn every_text_of_the_metadata_is_checked() {
    for hostile in HOSTILE {
        for (field, tag, json) in FIELDS {
            let hostile = match tag {
                b"stat" => hostile.to_owned(),
                _ => in_json(hostile),
            };
            let mut section = section_with(tag, json.replace('@', &hostile).as_bytes());
            if tag != b"plug" {
                let plugin = PLUG_NAME.replace('@', "w");
                let from = crate::artifact::testing::parts();
                let all = from.into_iter().map(|(known, bytes)| match known {
                    b"plug" => part(known, plugin.as_bytes()),
                    known if known == tag => part(known, json.replace('@', &hostile).as_bytes()),
                    known => part(known, &bytes),
                });
                section = all.collect::<Vec<_>>().concat();
            }
            refused(&section, &[], field);
        }
    }
}

#[test]
fn every_text_of_live_items_is_checked() {
    let items = [
        (
            "live.module",
            r#"{"kind":"type","name":"n","signature":"s","version":1,"module":"@"}"#,
        ),
        (
            "live.name",
            r#"{"kind":"type","name":"@","signature":"s","version":1,"module":"m"}"#,
        ),
        (
            "live.signature",
            r#"{"kind":"type","name":"n","signature":"@","version":1,"module":"m"}"#,
        ),
        (
            "live.history",
            r#"{"kind":"type","name":"n","signature":"s","version":1,"module":"m","history":{"migrations":[],"fields":[{"names":["@"],"type":"u8","needed":true}]}}"#,
        ),
        (
            "live.was",
            r#"{"kind":"type","name":"n","signature":"s","version":1,"was":["@"],"module":"m"}"#,
        ),
    ];
    let plugin = section_with(b"plug", PLUG_NAME.replace('@', "w").as_bytes());
    for hostile in HOSTILE {
        for (field, json) in items {
            let json = json.replace('@', &in_json(hostile));
            let live = [part(b"live", json.as_bytes()), part(b"liha", &[0; 16])].concat();
            refused(&plugin, &live, field);
        }
    }
}

#[test]
fn every_text_of_a_state_s_history_is_checked() {
    for hostile in HOSTILE {
        let fields = format!(
            r#"[{{"names":["f"],"type":"{}","needed":true}}]"#,
            in_json(hostile)
        );
        let history = format!(r#"{{"migrations":[],"fields":{fields}}}"#);
        let plugin = PLUG_NAME.replace('@', "w");
        let all = crate::artifact::testing::parts().into_iter();
        let all = all.map(|(tag, bytes)| match tag {
            b"plug" => part(tag, plugin.as_bytes()),
            b"stat" => part(tag, b"\x01\0\0\0S"),
            tag => part(tag, &bytes),
        });
        let mut section = all.collect::<Vec<_>>().concat();
        section.extend(part(b"sthi", history.as_bytes()));
        refused(&section, &[], "state.history");
    }
}

#[test]
fn the_note_is_checked() {
    for hostile in HOSTILE {
        let note = Note {
            commit: hostile.into(),
            dirty: false,
            location: None,
        };
        let mut file = b"library".to_vec();
        note.append_to(&mut file);
        let error = Artifact::from_bytes(Path::new("it"), &file).unwrap_err();
        assert!(
            matches!(
                error.problem,
                Problem::Text {
                    field: "commit",
                    ..
                }
            ),
            "{error}"
        );
        assert!(!error.to_string().contains(is_deceptive));
        assert_eq!(Note::take_from(&mut file), None);
    }
}

#[test]
fn names_of_other_scripts_are_names() {
    let parse = |json: &str| {
        let section = section_with(b"plug", json.as_bytes());
        Metadata::parse(Path::new("it"), &section, &[])
    };
    for name in ["grüße", "挨拶", "नमस्ते"] {
        let json = r#"{"name":"w","version":"1.0.0-rc.1+a_b","crate":"c","reloadable":true,"hooks":[],"functions":[{"name":"@","signature":"fn(&'static str) -> [u8; 4]"}]}"#;
        let metadata = parse(&json.replace('@', name)).unwrap();
        assert_eq!(metadata.functions[0].name, name);
    }
    assert!(Metadata::parse(Path::new("it"), &section(), &[]).is_ok());
}
