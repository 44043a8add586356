//! Tests files in the plugin directory: a reload loads the old build or the new one as a whole, or fails with an error
//! that says what to do.
use hotswap_host::artifact::{ArtifactProblem, FindError};
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build, ordered, variant};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

fn guest() -> (Vec<u8>, Vec<u8>) {
    let guest = Build::First.bytes("guest");
    let other = variant(&guest, "days 00", "days 01");
    (guest, other)
}

fn visit(stage: &Stage) -> String {
    stage
        .swapper
        .invoke("guest", "visit", &[2.into()])
        .unwrap()
        .to_string()
}

#[test]
fn back_to_an_earlier_build_any_number_of_times() {
    let (one, two) = guest();
    let stage = Stage::open(&[("guest", &one)]);
    for _ in 0..10 {
        stage.swap("guest", &two);
        assert_eq!(visit(&stage), "2 days 01");
        stage.swap("guest", &one);
        assert_eq!(visit(&stage), "2 days 00");
        assert_eq!(stage.live_build(), fixture::build_id(&one));
    }
    // The same bytes in a new file are not a new build.
    stage.install("guest", &one);
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.settle();
    stage.close();
}

#[test]
fn a_file_that_is_overwritten_in_place() {
    let (one, two) = guest();
    let stage = Stage::open(&[("guest", &one)]);
    for _ in 0..5 {
        for (bytes, answer) in [(&two, "2 days 01"), (&one, "2 days 00")] {
            let before = visit(&stage);
            fs::write(stage.file("guest"), bytes).unwrap();
            // The running code is a copy, which nothing overwrites.
            assert_eq!(visit(&stage), before);
            stage.swapper.reload().unwrap();
            assert_eq!(visit(&stage), answer);
        }
    }
    stage.settle();
    stage.close();
}

#[test]
fn a_link_that_is_led_elsewhere() {
    let (one, two) = guest();
    let stage = Stage::with(&[], |builder| builder.allow_empty(true));
    let elsewhere = tempfile::tempdir().unwrap();
    let link = stage.dir().join("link");
    for (name, bytes, answer) in [
        ("one", &one, "2 days 00"),
        ("two", &two, "2 days 01"),
        ("one", &one, "2 days 00"),
    ] {
        let target = elsewhere.path().join(name);
        fs::write(&target, bytes).unwrap();
        symlink(&target, &link).unwrap();
        fs::rename(&link, stage.file("guest")).unwrap();
        stage.swapper.reload().unwrap();
        assert_eq!(visit(&stage), answer);
    }
    stage.settle();
    stage.close();
}

#[test]
fn a_file_that_is_half_written() {
    let (one, two) = guest();
    let stage = Stage::open(&[("guest", &one)]);
    let mut file = File::create(stage.file("guest")).unwrap();
    for part in two.chunks(two.len() / 7) {
        let refused = stage.swapper.reload().unwrap_err();
        assert!(
            matches!(
                &refused,
                ReloadError::Find(FindError::Artifact(_)) | ReloadError::Artifact(_)
            ),
            "{refused:?}"
        );
        assert!(
            refused
                .to_string()
                .contains(stage.file("guest").to_str().unwrap()),
            "{refused}"
        );
        assert_eq!(visit(&stage), "2 days 00");
        file.write_all(part).unwrap();
    }
    stage.swapper.reload().unwrap();
    assert_eq!(visit(&stage), "2 days 01");
    // Half of one build lies over the other, of the same length: `cp` leaves this when it is killed.
    let different = one.iter().zip(&two).position(|(a, b)| a != b).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&one[..different + 1]).unwrap();
    let torn = stage.swapper.reload().unwrap_err();
    let ReloadError::Artifact(error) = &torn else {
        panic!("{torn:?}")
    };
    assert!(
        matches!(error.problem, ArtifactProblem::AnotherBuild { .. }),
        "{torn}"
    );
    assert_eq!(visit(&stage), "2 days 01");
    stage.settle();
    stage.close();
}

#[test]
fn a_file_that_is_being_overwritten_again_and_again() {
    let (one, two) = guest();
    let stage = Stage::open(&[("guest", &one)]);
    let builds = [fixture::build_id(&one), fixture::build_id(&two)];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                fs::write(stage.file("guest"), &two).unwrap();
                fs::write(stage.file("guest"), &one).unwrap();
            }
        });
        for _ in 0..40 {
            if let Err(error) = stage.swapper.reload() {
                let known = matches!(
                    error,
                    ReloadError::Find(FindError::Artifact(_)) | ReloadError::Artifact(_)
                );
                assert!(known, "{error:?}");
            }
            let answer = visit(&stage);
            assert_eq!(
                answer,
                ["2 days 00", "2 days 01"][usize::from(stage.live_build() == builds[1])]
            );
            assert!(builds.contains(&stage.live_build()));
        }
        done.store(true, Relaxed);
    });
    stage.settle();
    stage.close();
}

#[test]
fn an_open_that_fails_leaves_nothing() {
    let output = fixture::program(&std::env::current_exe().unwrap())
        .args([
            "--exact",
            "artifacts::child_that_cannot_open",
            "--ignored",
            "--nocapture",
        ])
        .env("HOTSWAP_RUNTIME_DIR", tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn child_that_cannot_open() {
    let probe = Build::First.bytes("probe");
    // The first load starts the thread that opens libraries, which stays.
    let before = hotswap_tests::process::threads();
    for orders in ["panic new", "fail on_load", "panic on_init"] {
        let plugins = [
            ("guest", Build::First.bytes("guest")),
            ("probe", ordered(&probe, orders)),
        ];
        let plugins = plugins
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice()));
        assert!(matches!(
            Stage::try_with(&plugins, |builder| builder),
            Err(ReloadError::Hook(_))
        ));
        hotswap_tests::until("the directory to go", || {
            hotswap_tests::process::host_dirs().is_empty()
        });
        let running = hotswap_tests::process::threads;
        hotswap_tests::until("the threads to end", || running() == before + 1);
    }
}
