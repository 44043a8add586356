//! Which commit is noted, and that a commit alone changes no build.

use crate::fixture::Fixture;

fn note(fixture: &Fixture) -> (String, bool) {
    fixture.ok(&["build", "-q", "app", "-p", "world"]);
    let note = fixture
        .artifact("world")
        .note
        .expect("a build leaves a note");
    (note.commit, note.dirty)
}

#[test]
fn the_last_commit_that_touched_the_plugin() {
    let fixture = Fixture::new();
    assert_eq!(note(&fixture), ("unknown".into(), false), "no repository");
    fixture.git(&["init", "-q"]);
    assert_eq!(note(&fixture), ("unknown".into(), true), "no commit yet");
    let first = fixture.commit();
    assert_eq!(note(&fixture), (first.clone(), false));
    let build_id = fixture.artifact("world").build_id;

    fixture.edit("app/moon/src/lib.rs", "40", "41");
    let second = fixture.commit();
    assert_eq!(
        note(&fixture),
        (first.clone(), false),
        "another plugin was touched"
    );

    fixture.write("app/world/README.md", "new\n");
    assert_eq!(note(&fixture), (first.clone(), true), "a new file");
    let third = fixture.commit();
    assert_eq!(note(&fixture), (third.clone(), false));
    assert_eq!(
        fixture.artifact("world").build_id,
        build_id,
        "a commit alone changes no build"
    );

    fixture.git(&["checkout", "-q", "--detach", &second]);
    assert_eq!(note(&fixture), (first, false), "a detached head");
}

#[test]
fn a_commit_elsewhere_leaves_the_file_untouched() {
    let fixture = Fixture::new();
    fixture.git(&["init", "-q"]);
    fixture.commit();
    fixture.ok(&["build", "app"]);
    fixture.write("README.md", "new\n");
    fixture.commit();
    let ran = fixture.ok(&["build", "app"]);
    assert_eq!(ran.stderr.matches("Unchanged").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_merge_is_followed_to_where_the_change_was_made() {
    let fixture = Fixture::new();
    fixture.git(&["init", "-q", "-b", "main"]);
    fixture.commit();
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.edit("app/world/src/lib.rs", "40", "41");
    let change = fixture.commit();
    fixture.git(&["checkout", "-q", "main"]);
    fixture.write("README.md", "new\n");
    fixture.commit();
    fixture.git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(note(&fixture), (change, false));
}

#[test]
fn a_shallow_clone_knows_only_what_it_has() {
    let fixture = Fixture::new();
    fixture.git(&["init", "-q"]);
    fixture.commit();
    fixture.write("README.md", "new\n");
    fixture.commit();
    let clone = Fixture::new();
    std::fs::remove_dir_all(&clone.root).expect("it is there");
    let from = format!("file://{}", fixture.root.display());
    let to = clone.root.to_str().expect("the path is text");
    fixture.git(&["clone", "-q", "--depth", "1", &from, to]);
    assert_eq!(note(&clone), ("unknown".into(), false));
    clone.edit("app/world/src/lib.rs", "40", "41");
    let change = clone.commit();
    assert_eq!(note(&clone), (change, false));
}
