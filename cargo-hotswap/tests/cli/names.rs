//! Two of one name among the plugins of a host, which it would refuse to load.

use crate::fixture::Fixture;

/// Adds to a plugin what `#[live]` would put into the library.
fn live(fixture: &Fixture, plugin: &str, kind: &str, name: &str) {
    let file = format!("app/{plugin}/src/lib.rs");
    let json =
        format!(r#"{{"kind":"{kind}","name":"{name}","signature":"{name}","module":"{plugin}"}}"#);
    let part = |tag: &[u8], bytes: &[u8]| {
        let len = u32::try_from(bytes.len()).expect("it is short");
        [b"HSWP", tag, &len.to_le_bytes(), bytes].concat()
    };
    let section = [part(b"live", json.as_bytes()), part(b"liha", &[7; 16])].concat();
    let source = format!(
        "{}#[used]\n#[unsafe(link_section = \".hotswap.live\")]\nstatic LIVE: [u8; {}] = *b\"{}\";\n",
        fixture.read(&file),
        section.len(),
        section.escape_ascii(),
    );
    fixture.write(&file, &source);
}

fn refused(fixture: &Fixture, args: &[&str], expected: &str) {
    let ran = fixture.run(&[&["build", "-q"], args].concat());
    assert_eq!(ran.code, Some(1), "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn two_live_functions_of_one_name_are_not_installed() {
    let fixture = Fixture::new();
    live(&fixture, "world", "function", "roll-call");
    live(&fixture, "moon", "function", "Roll_Call");
    refused(&fixture, &["app"], "two live functions are called ");
    assert_eq!(fixture.installed(), [""; 0]);
    // They are in no set before they have a host.
    fixture.ok(&["build", "-q", "app/world"]);
    // Nor is one installed beside the other.
    fixture.ok(&["build", "-q", "app", "-p", "world"]);
    refused(
        &fixture,
        &["app", "-p", "moon"],
        "two live functions are called ",
    );
    assert_eq!(fixture.installed(), ["libworld.so"]);
    fixture.edit("app/world/src/lib.rs", "roll-call", "roll-over");
    fixture.ok(&["build", "-q", "app"]);
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}

#[test]
fn two_live_types_of_one_name_are_not_installed() {
    let fixture = Fixture::new();
    live(&fixture, "world", "type", "Fire");
    live(&fixture, "moon", "type", "Fire");
    refused(&fixture, &["app"], "two live types are called Fire: ");
    assert_eq!(fixture.installed(), [""; 0]);
    // A function and a type may share a name.
    fixture.plugin("app/moon", "");
    live(&fixture, "moon", "function", "fire");
    fixture.ok(&["build", "-q", "app"]);
}

#[test]
fn two_plugins_of_one_name_are_not_installed() {
    let fixture = Fixture::new();
    fixture.edit("Cargo.toml", "\"util\"", "\"util\", \"app/w0rld\"");
    fixture.plugin("app/w0rld", "");
    fixture.edit("app/w0rld/src/lib.rs", "w0rld", "World");
    refused(&fixture, &["app"], "two artifacts contain the plugin ");
    assert_eq!(fixture.installed(), [""; 0]);
}
