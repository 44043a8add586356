//! Files in the plugin directory: the old or the new build whole, or an error that says what to do.
use hotswap_host::artifact::{ArtifactProblem, FindError};
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build, ordered, variant};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

fn guest() -> (Vec<u8>, Vec<u8>) {
    let guest = Build::First.bytes("guest");
    let other = variant(&guest, " days", " Days");
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
        assert_eq!(visit(&stage), "2 Days");
        stage.swap("guest", &one);
        assert_eq!(visit(&stage), "2 days");
        assert_eq!(stage.live_build(), fixture::build_id(&one));
    }
    // The same bytes in a new file are no new build.
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
        for (bytes, answer) in [(&two, "2 Days"), (&one, "2 days")] {
            let before = visit(&stage);
            fs::write(stage.file("guest"), bytes).unwrap();
            // What runs is a copy, which nobody overwrites.
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
    let stage = Stage::open(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = stage.dir().join("link");
    for (name, bytes, answer) in [
        ("one", &one, "2 days"),
        ("two", &two, "2 Days"),
        ("one", &one, "2 days"),
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
        assert_eq!(visit(&stage), "2 days");
        file.write_all(part).unwrap();
    }
    stage.swapper.reload().unwrap();
    assert_eq!(visit(&stage), "2 Days");
    // Half of the one build over the other, of the same length: what `cp` leaves when it is killed.
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
    assert_eq!(visit(&stage), "2 Days");
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
                ["2 days", "2 Days"][usize::from(stage.live_build() == builds[1])]
            );
            assert!(builds.contains(&stage.live_build()));
        }
        done.store(true, Relaxed);
    });
    stage.settle();
    stage.close();
}

/// The text of the error of a reload with this file in the directory, without the paths of this machine.
fn refused(stage: &Stage, make: impl FnOnce(&Path)) -> String {
    let file = stage.file("bad");
    make(&file);
    let build = stage.live_build();
    let error = stage.swapper.reload().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("libbad.so"), "{text}");
    assert_eq!((stage.live_build(), stage.swapper.generation()), (build, 1));
    assert_eq!(visit(stage), "2 days");
    stage.settle();
    let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
    stage.swapper.reload().unwrap();
    format!("{}\n", text.replace(stage.dir().to_str().unwrap(), "DIR"))
}

fn compiled(file: &Path, source: &str, args: &[&str]) {
    let text = file.with_extension("c");
    fs::write(&text, source).unwrap();
    fixture::run(Command::new("cc").arg("-o").arg(file).arg(&text).args(args));
    fs::remove_file(text).unwrap();
}

/// A library for another machine: the linker that comes with rustc makes it of plain data.
fn foreign(file: &Path) {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .unwrap();
    let sysroot = String::from_utf8(output.stdout).unwrap();
    let linker = format!(
        "{}/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld",
        sysroot.trim()
    );
    let data = file.with_extension("data");
    fs::write(&data, "data").unwrap();
    let link = [
        "-flavor",
        "gnu",
        "-shared",
        "--format=binary",
        "-m",
        "aarch64linux",
        "-o",
    ];
    fixture::run(Command::new(linker).args(link).args([file, &data]));
    fs::remove_file(data).unwrap();
}

/// The bytes with another version of the contract.
fn other_contract(mut library: Vec<u8>) -> Vec<u8> {
    let mark = b"HSWPcont\x04\0\0\0";
    let at = library
        .windows(mark.len())
        .position(|bytes| bytes == mark)
        .unwrap()
        + mark.len();
    library[at..at + 4].copy_from_slice(&99_u32.to_le_bytes());
    if let Some(note) = fixture::artifact(&Build::First.bytes("probe")).note {
        note.append_to(&mut library);
    }
    library
}

#[test]
fn what_is_no_plugin_is_named_with_what_to_do() {
    let stage = Stage::open(&[("guest", &guest().0)]);
    let probe = Build::First.bytes("probe");
    let mut texts = String::new();
    texts += &refused(&stage, |file| fs::write(file, "").unwrap());
    texts += &refused(&stage, |file| fs::write(file, "hum hum hum").unwrap());
    texts += &refused(&stage, |file| fs::create_dir(file).unwrap());
    texts += &refused(&stage, |file| symlink("nowhere", file).unwrap());
    texts += &refused(&stage, |file| symlink("libbad.so", file).unwrap());
    texts += &refused(&stage, |file| compiled(file, "int answer;", &["-shared"]));
    texts += &refused(&stage, |file| {
        compiled(file, "int main(void) { return 0; }", &["-no-pie"])
    });
    texts += &refused(&stage, foreign);
    texts += &refused(&stage, |file| {
        fs::write(file, other_contract(probe.clone())).unwrap()
    });
    texts += &refused(&stage, |file| {
        fs::write(file, Build::Aborting.bytes("probe")).unwrap()
    });
    texts += &refused(&stage, |file| {
        fs::write(file, Build::Orphan.bytes("probe")).unwrap()
    });
    texts += &refused(&stage, |file| {
        fs::write(file, Build::Needy.bytes("probe")).unwrap()
    });
    texts += &refused(&stage, |file| fs::write(file, guest().0).unwrap());
    insta::assert_snapshot!(texts);
    let cut = refused(&stage, |file| {
        fs::write(file, &probe[..probe.len() / 2]).unwrap()
    });
    assert!(cut.starts_with("DIR/libbad.so is cut short: "), "{cut}");
    stage.close();
}

#[test]
fn the_plugin_directory_may_be_empty_but_must_be_there() {
    let open = |dir: &Path| Swapper::builder().plugin_dir(dir).open();
    let dir = tempfile::tempdir().unwrap();
    let redacted = |error: Option<ReloadError>| {
        error
            .unwrap()
            .to_string()
            .replace(dir.path().to_str().unwrap(), "DIR")
    };
    let missing = redacted(open(&dir.path().join("missing")).err());
    fs::write(dir.path().join("file"), "").unwrap();
    let file = redacted(open(&dir.path().join("file")).err());
    symlink("loop", dir.path().join("loop")).unwrap();
    let unreadable = redacted(open(&dir.path().join("loop")).err());
    insta::assert_snapshot!([missing, file, unreadable].join("\n"));

    let stage = Stage::open(&[]);
    assert!(stage.swapper.listing().plugins.is_empty());
    assert_eq!(stage.swapper.reload().unwrap().to_string(), "no plugins");
    assert_eq!(stage.swap("guest", &guest().0).to_string(), "guest: loaded");
    fs::remove_file(stage.file("guest")).unwrap();
    assert_eq!(
        stage.swapper.reload().unwrap().to_string(),
        "guest: removed"
    );
    assert!(stage.swapper.listing().plugins.is_empty());
    stage.settle();
    // The directory itself goes, and comes back.
    let away = tempfile::tempdir().unwrap();
    let aside = away.path().join("aside");
    stage.install("guest", &guest().0);
    stage.swapper.reload().unwrap();
    fs::rename(stage.dir(), &aside).unwrap();
    assert!(matches!(
        stage.swapper.reload(),
        Err(ReloadError::Find(FindError::Missing { .. }))
    ));
    assert_eq!(visit(&stage), "2 days");
    fs::rename(&aside, stage.dir()).unwrap();
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.close();
}

#[test]
fn an_open_that_fails_leaves_nothing() {
    let output = Command::new(std::env::current_exe().unwrap())
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
    let threads = hotswap_tests::process::threads();
    for orders in ["panic new", "fail on_load", "panic on_init"] {
        let plugins = [("guest", guest().0), ("probe", ordered(&probe, orders))];
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
        hotswap_tests::until("the threads to end", || {
            hotswap_tests::process::threads() == threads
        });
    }
}
