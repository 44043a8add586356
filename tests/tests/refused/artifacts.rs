//! Tests files in the plugin directory that are not plugins.
use crate::support::refused;
use hotswap_host::artifact::ArtifactProblem as Problem;
use hotswap_host::artifact::{ArtifactError, FindError};
use hotswap_host::prelude::*;
use hotswap_tests::fixture;
use hotswap_tests::odd;
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Changes the probe's file, or what is in its place.
fn instead(make: impl Fn(&Path)) -> (Problem, String) {
    let spoil = |dir: &Path| {
        let file = dir.join(fixture::file_name("probe"));
        fs::remove_file(&file).unwrap();
        make(&file);
    };
    let (error, text) = refused(spoil);
    assert!(text.contains("<dir>/libprobe.so"), "{text}");
    match error {
        ReloadError::Artifact(ArtifactError {
            problem, plugin, ..
        })
        | ReloadError::Find(FindError::Artifact(ArtifactError {
            problem, plugin, ..
        })) => {
            assert_eq!(plugin.expect("the plugin is known").as_str(), "probe");
            (problem, text)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file() {
    let (problem, text) = instead(|file| fs::write(file, "").unwrap());
    assert!(matches!(problem, Problem::Empty));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is empty; build it again with `cargo hotswap build`");
}

#[test]
fn a_file_that_is_cut_short() {
    let whole = crate::support::probe();
    let (problem, text) = instead(|file| fs::write(file, &whole[..4096]).unwrap());
    assert!(matches!(problem, Problem::Truncated { len: 4096, .. }));
    insta::with_settings!({filters => vec![(r"at least \d+", "at least <n>")]}, {
        assert_snapshot!(text, @"probe: <dir>/libprobe.so is truncated: it has 4096 bytes, but should have at least <n>; build it again");
    });
    // The file is complete except for a part of its note.
    let (problem, text) = instead(|file| fs::write(file, &whole[..whole.len() - 9]).unwrap());
    assert!(matches!(problem, Problem::Overlong { .. }), "{text}");
    insta::with_settings!({filters => vec![(r"has \d+ bytes", "has <n> bytes")]}, {
        assert_snapshot!(text, @"probe: <dir>/libprobe.so has <n> bytes after its end that are not a note; the file is probably incomplete, build it again");
    });
}

#[test]
fn garbage() {
    let (problem, text) = instead(|file| fs::write(file, "no library at all").unwrap());
    assert!(matches!(problem, Problem::Garbage));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is not a library in any known format; build it with `cargo hotswap build`");
}

#[test]
fn a_damaged_byte() {
    let mut damaged = crate::support::probe();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let (problem, text) = instead(|file| fs::write(file, &damaged).unwrap());
    assert!(matches!(problem, Problem::AnotherBuild { .. }), "{text}");
    insta::with_settings!({filters => vec![("[0-9a-f]{8}", "<build id>")]}, {
        assert_snapshot!(text, @"probe: <dir>/libprobe.so was changed after it was built, or is incomplete: its note names build <build id>, but its bytes are those of build <build id>; build it again with `cargo hotswap build`, or, if the change was intended, write a new note with `cargo hotswap seal`");
    });
}

#[test]
fn a_library_for_another_machine() {
    let (problem, text) = instead(odd::foreign_library);
    assert!(matches!(problem, Problem::AnotherMachine { .. }), "{text}");
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is built for s390x (Elf, 64-bit, big-endian), but this host is built for <arch> (Elf, 64-bit, little-endian); build it with this host's `--target`");
}

#[test]
fn a_directory() {
    let (problem, text) = instead(|file| fs::create_dir(file).unwrap());
    assert!(matches!(problem, Problem::Directory));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is a directory, not a library; remove or rename it");
}

#[test]
fn a_link_that_leads_nowhere() {
    let (problem, text) = instead(|file| symlink("nowhere.so", file).unwrap());
    assert!(
        matches!(problem, Problem::DanglingLink { target } if target == Path::new("nowhere.so"))
    );
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is a link to nowhere.so, which does not exist; build that, or remove the link");
}

#[test]
fn a_library_that_is_no_plugin() {
    let (problem, text) = instead(odd::plain_library);
    assert!(matches!(problem, Problem::NotAPlugin));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so is a plain library without plugin metadata; put `#[plugin]` on the plugin's impl block and build it with `cargo hotswap build`, and keep its section `.hotswap`");
}
