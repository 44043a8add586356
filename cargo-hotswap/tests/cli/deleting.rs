//! `build --clean` removes what this command has made, below the target directory, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::fixture::Fixture;

const DIRECTORY: &str = "target/hotswap/static/debug/app";
const NOTHING: &str = "       Clean nothing was generated for `app`\n";

/// Makes the files that `build --static` puts into a directory, without the mark.
fn imitate(fixture: &Fixture, directory: &str) {
    for file in ["plugins.rs", "app", "libworld.rlib"] {
        fixture.write(&format!("{directory}/{file}"), "precious");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("text"))
        .collect();
    names.sort();
    names
}

const IMITATED: [&str; 3] = ["app", "libworld.rlib", "plugins.rs"];

fn mark(fixture: &Fixture, directory: &str, root: &Path) {
    let root = root.to_str().expect("the path is text");
    fixture.write(&format!("{directory}/.hotswap-lock"), root);
}

#[test]
fn names_that_are_paths_name_no_profile_and_no_target() {
    let fixture = Fixture::new();
    imitate(&fixture, "x/app");
    mark(&fixture, "x/app", &fixture.root);
    let absolute = fixture.root.join("x");
    let absolute = absolute.to_str().expect("the path is text");
    for option in ["--profile", "--target"] {
        for name in ["../../../x", absolute, "..", ".", "", "a/b", "...json"] {
            for command in [
                &["build", "--static", "--clean", "app", option, name][..],
                &["build", "app", option, name],
                &["reload", "app", option, name],
            ] {
                let ran = fixture.run(command);
                assert_eq!(ran.code, Some(2), "{command:?}: {}", ran.stderr);
            }
        }
    }
    let ran = fixture.run(&["build", "app", "--profile", "a\u{e9}-_1"]);
    assert_eq!(
        ran.code,
        Some(101),
        "Cargo knows no such profile: {}",
        ran.stderr
    );
    assert_eq!(names(&fixture.root.join("x/app")).len(), 4);
}

#[test]
fn a_directory_without_the_mark_of_this_workspace_is_left_alone() {
    let fixture = Fixture::new();
    imitate(&fixture, DIRECTORY);
    let clean = || fixture.ok(&["build", "--static", "--clean", "app"]).stderr;
    assert_eq!(clean(), NOTHING);
    assert_eq!(
        names(&fixture.root.join(DIRECTORY)),
        IMITATED,
        "nor is one made"
    );
    mark(&fixture, DIRECTORY, Path::new("/another/workspace"));
    assert_eq!(clean(), NOTHING);
    mark(&fixture, DIRECTORY, &fixture.root);
    // Neither the link nor its target was made by a build.
    fixture.write("precious", "precious");
    let list = fixture.root.join(DIRECTORY).join("plugins.rs");
    fs::remove_file(&list).expect("it is there");
    symlink(fixture.root.join("precious"), &list).expect("it can be made");
    assert_ne!(clean(), NOTHING);
    assert_eq!(names(&fixture.root.join(DIRECTORY)), ["plugins.rs"]);
    assert_eq!(fixture.read("precious"), "precious");
}

#[test]
fn links_are_not_followed() {
    let parts = [
        "hotswap",
        "hotswap/static",
        "hotswap/static/debug",
        "hotswap/static/debug/app",
    ];
    for linked in parts {
        let fixture = Fixture::new();
        let link = fixture.root.join("target").join(linked);
        let rest = Path::new(DIRECTORY)
            .strip_prefix(Path::new("target").join(linked))
            .expect("it is below");
        let elsewhere = Path::new("elsewhere").join(rest);
        let elsewhere = elsewhere.to_str().expect("the path is text");
        imitate(&fixture, elsewhere);
        mark(&fixture, elsewhere, &fixture.root);
        fs::create_dir_all(link.parent().expect("it is in a directory")).expect("it can be made");
        symlink(fixture.root.join("elsewhere"), &link).expect("it can be made");
        let ran = fixture.run(&["build", "--static", "--clean", "app"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert_eq!(
            ran.stderr,
            format!(
                "error: `<root>/target/{linked}` is a link, behind which nothing is removed; remove the link or its target by hand\n"
            )
        );
        assert_eq!(names(&fixture.root.join(elsewhere)).len(), 4);
    }
}

#[test]
fn a_link_to_a_plugin_is_not_taken_for_one_that_was_built_here() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "-q", "app"]);
    let directory = fixture.root.join("target/hotswap/debug/app");
    fs::rename(directory.join("libmoon.so"), fixture.root.join("mine.so")).expect("it is there");
    symlink(fixture.root.join("mine.so"), directory.join("libmine.so")).expect("it can be made");
    fixture.ok(&["build", "-q", "app"]);
    assert!(fixture.installed().contains(&"libmine.so".to_owned()));
    assert!(fixture.root.join("mine.so").exists());
}
