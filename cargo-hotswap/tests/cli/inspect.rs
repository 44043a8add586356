//! `inspect`, on plugins and on what is none.

use crate::fixture::Fixture;

#[test]
fn what_a_plugin_says_of_itself() {
    let fixture = Fixture::new();
    let path = fixture
        .ok(&["build", "-q", "app/moon"])
        .stdout
        .trim_end()
        .replace("<root>/", "");
    let ran = fixture.ok(&["inspect", &path]);
    let libraries = (r"needs( +)lib.*(\n {19}.*)*", "needs${1}<libraries>");
    insta::with_settings!({filters => vec![("[0-9a-f]{32}", "<build id>"), libraries]}, {
        insta::assert_snapshot!(ran.stdout);
    });
    let ran = fixture.ok(&["inspect", "--json", &path]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(json["metadata"]["name"], "moon");
    assert_eq!(json["note"]["commit"], "unknown");
    assert_eq!(json["build_id"].as_str().map(str::len), Some(32));
}

#[test]
fn what_is_no_plugin() {
    let fixture = Fixture::new();
    fixture.write("empty.so", "");
    fixture.write("garbage.so", "no library at all");
    for (file, snapshot) in [
        ("empty.so", "empty"),
        ("garbage.so", "garbage"),
        ("missing.so", "missing"),
        ("app", "directory"),
    ] {
        let ran = fixture.run(&["inspect", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        insta::assert_snapshot!(snapshot, ran.stderr);
    }
}
