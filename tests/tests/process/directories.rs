//! Tests a host whose working directory changes: relative paths keep the meaning that they had when they were given.
use crate::{alone, alpha};
use hotswap_host::prelude::*;
use hotswap_host::runtime::hosts;
use hotswap_tests::fixture::{Build, build_id, install};
use hotswap_tests::{Desk, LIMIT};
use std::env::{remove_var, set_current_dir, set_var};
use std::fs::{self, create_dir_all};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn open(dir: &str) -> Swapper {
    let desk = Arc::new(Desk::default());
    let builder = Swapper::builder().provide::<dyn shapes::Desk>(desk);
    builder.plugin_dir(dir).open().unwrap()
}

/// Makes two directories with plugins. The first one becomes the working directory.
fn two_directories() -> (tempfile::TempDir, [PathBuf; 2]) {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["one", "two"].map(|name| root.path().canonicalize().unwrap().join(name));
    for (number, dir) in (0..).zip(&dirs) {
        create_dir_all(dir.join("plugins")).unwrap();
        install(&alpha(number), "alpha", &dir.join("plugins"));
    }
    set_current_dir(&dirs[0]).unwrap();
    (root, dirs)
}

fn live_build(swapper: &Swapper) -> String {
    swapper
        .listing()
        .plugin("alpha")
        .unwrap()
        .build_id
        .to_string()
}

fn id(number: u8) -> String {
    build_id(&alpha(number)).to_string()
}

#[test]
fn plugin_directories_and_files_are_those_that_were_given() {
    alone("directories::relative_plugins");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn relative_plugins() {
    let (_root, [one, two]) = two_directories();
    let swapper = open("plugins");
    assert_eq!(swapper.plugin_dir(), one.join("plugins"));
    set_current_dir(&two).unwrap();
    // The host does not look at the plugin in the other directory.
    assert_eq!(swapper.reload().unwrap().to_string(), "alpha: unchanged");
    install(&alpha(2), "alpha", &one.join("plugins"));
    swapper.reload().unwrap();
    assert_eq!(live_build(&swapper), id(2));
    let serving = |dir: &Path| {
        let mut hosts = hosts().into_iter();
        hosts.any(|host| host.pid == std::process::id() && host.serves(dir).unwrap())
    };
    assert!(serving(&one.join("plugins")) && !serving(&two.join("plugins")));

    // A file is added by a relative path.
    create_dir_all(two.join("more")).unwrap();
    install(&Build::First.bytes("guest"), "guest", &two.join("more"));
    swapper.load("more/libguest.so").unwrap();
    set_current_dir(&one).unwrap();
    let report = swapper.reload().unwrap();
    assert_eq!(report.to_string(), "alpha: unchanged; guest: unchanged");
    let file = two.join("more/libguest.so");
    assert_eq!(report.plugin("guest").unwrap().file, Some(file));

    // The host gets another directory by a relative path.
    set_current_dir(&two).unwrap();
    swapper.set_plugin_dir("plugins").unwrap();
    set_current_dir(&one).unwrap();
    swapper.reload().unwrap();
    assert_eq!(live_build(&swapper), id(1));

    // The path comes from the environment.
    // SAFETY: no other thread of this process reads the environment now.
    unsafe { set_var("HOTSWAP_PLUGIN_DIR", "plugins") };
    let builder = Swapper::builder().provide::<dyn shapes::Desk>(Arc::new(Desk::default()));
    let second = builder.open().unwrap();
    set_current_dir(&two).unwrap();
    assert_eq!(second.reload().unwrap().to_string(), "alpha: unchanged");
    assert_eq!(live_build(&second), id(2));
    for swapper in [swapper, second] {
        assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
    }
}

#[test]
fn a_link_that_is_switched_leads_to_the_other_directory() {
    alone("directories::switched_link");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn switched_link() {
    let (_root, [one, two]) = two_directories();
    let now = one.join("now");
    symlink("plugins", &now).unwrap();
    let swapper = open("now");
    assert_eq!(
        (swapper.plugin_dir(), live_build(&swapper)),
        (now.clone(), id(0))
    );
    set_current_dir("/").unwrap();
    let next = one.join("next");
    symlink(two.join("plugins"), &next).unwrap();
    fs::rename(next, &now).unwrap();
    swapper.reload().unwrap();
    assert_eq!(live_build(&swapper), id(1));
    // The host is found by its link, and by the directory to which the link leads now.
    let host = hosts().into_iter();
    let host = host.filter(|host| host.pid == std::process::id());
    let [host] = &host.collect::<Vec<_>>()[..] else {
        panic!("expected one host")
    };
    assert!(host.serves(&now).unwrap() && host.serves(&two.join("plugins")).unwrap());
    assert!(!host.serves(&one.join("plugins")).unwrap());
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
}

#[test]
fn a_runtime_directory_is_the_one_that_was_given() {
    alone("directories::relative_runtime");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn relative_runtime() {
    let (_root, [one, two]) = two_directories();
    for (variable, value) in [("HOTSWAP_RUNTIME_DIR", "hosts"), ("TMPDIR", "temporary")] {
        create_dir_all(one.join(value)).unwrap();
        // SAFETY: no other thread of this process reads the environment now.
        unsafe {
            for other in ["HOTSWAP_RUNTIME_DIR", "XDG_RUNTIME_DIR"] {
                remove_var(other);
            }
            set_var(variable, value);
        }
        set_current_dir(&one).unwrap();
        install(&alpha(0), "alpha", &one.join("plugins"));
        let swapper = open("plugins");
        set_current_dir(&two).unwrap();
        install(&alpha(3), "alpha", &one.join("plugins"));
        let report = swapper.reload().unwrap();
        assert_eq!(report.to_string(), "alpha: reloaded");
        let files = || {
            let mut files = Vec::new();
            let mut dirs = vec![one.join(value)];
            while let Some(dir) = dirs.pop() {
                for entry in fs::read_dir(dir).unwrap().flatten() {
                    match entry.file_type().unwrap().is_dir() {
                        true => dirs.push(entry.path()),
                        false => files.push(entry.file_name().into_string().unwrap()),
                    }
                }
            }
            files
        };
        let has = |name: &str| files().iter().any(|file| file.starts_with(name));
        for name in ["host.json", "report.json", "alpha-"] {
            assert!(has(name), "{name}: {:?}", files());
        }
        let report = hosts_of(&one, value);
        assert!(report.contains("\"attempt\":1"), "{report}");
        assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
        drop(swapper);
        assert!(!two.join(value).exists());
    }
}

/// Returns the report of the only host that has its directory there.
fn hosts_of(dir: &Path, runtime: &str) -> String {
    let mut dirs = vec![dir.join(runtime)];
    while let Some(dir) = dirs.pop() {
        if let Ok(report) = fs::read_to_string(dir.join("report.json")) {
            return report;
        }
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        dirs.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir()),
        );
    }
    panic!("no host has reported")
}
