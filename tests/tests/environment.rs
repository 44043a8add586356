//! Tests the environment of the process, which a plugin changes while other code reads it.
use hotswap_host::artifact::{Artifact, Caution, cautions};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{Build, file_name, hotswap, library, run, variant};
use hotswap_tests::{Stage, records};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PLUGIN: &str = "env-writer";

/// Makes the tests take turns, since they share one environment.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open() -> Stage {
    Stage::open(&[(PLUGIN, &Build::EnvWriter.bytes(PLUGIN))])
}

fn function<F: hotswap_host::Signature<A>, A>(stage: &Stage, name: &str) -> Function<F> {
    let function = stage.swapper.function(PLUGIN, name);
    function.expect("the plugin has this function")
}

fn value(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Safe code in the plugin and safe code in the host use the environment at the same time.
#[test]
fn a_plugin_changes_it_while_the_host_reads_it() {
    const COUNT: u64 = 3_000;
    let _alone = alone();
    let stage = open();
    let fill: Function<fn(u64, &str)> = function(&stage, "fill");
    let var: Function<fn(&str) -> Option<String>> = function(&stage, "var");
    let home = value("HOME");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert_eq!(value("HOME"), home);
                    std::env::vars_os().count();
                    drop(stage.swapper.pin());
                }
            });
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    assert_eq!(var.call("HOME").expect("the call succeeds"), home);
                }
            });
        }
        // The host changes the environment, too, under the lock that also keeps the plugin out.
        scope.spawn(|| {
            for number in 0..COUNT {
                // SAFETY: all code of this process that reads the environment does so through std, or through the
                // plugin, which takes std's lock.
                unsafe { std::env::set_var(format!("HOST{number}"), "h".repeat(80)) };
            }
        });
        for round in ["a", "b"] {
            let text = round.repeat(80);
            fill.call(COUNT, &text).expect("the call succeeds");
            for number in 0..COUNT {
                let expected = (number % 2 == 0).then_some(&text);
                assert_eq!(value(&format!("K{number}")).as_ref(), expected);
            }
        }
        done.store(true, SeqCst);
    });
    for number in 0..COUNT {
        let name = format!("HOST{number}");
        assert_eq!(value(&name), Some("h".repeat(80)));
        // SAFETY: all threads that read the environment have ended.
        unsafe { std::env::remove_var(name) };
    }
    stage.close();
}

#[test]
fn the_functions_of_c_do_what_they_always_do() {
    let _alone = alone();
    let stage = open();
    let set: Function<fn(&str, &str, bool) -> Option<i32>> = function(&stage, "set_in_c");
    let put: Function<fn(&str) -> Option<i32>> = function(&stage, "put_in_c");
    let unset: Function<fn(&str) -> Option<i32>> = function(&stage, "unset_in_c");
    let get: Function<fn(&str, &str) -> (Option<String>, Option<String>)> =
        function(&stage, "get_in_c");
    let set = |name: &str, value: &str, overwrite| set.call(name, value, overwrite).unwrap();
    let (put, unset) = (
        |text| put.call(text).unwrap(),
        |name| unset.call(name).unwrap(),
    );

    assert_eq!(set("PEN", "1", false), None);
    assert_eq!(set("PEN", "2", false), None);
    assert_eq!(value("PEN").unwrap(), "1");
    assert_eq!(set("PEN", "2", true), None);
    assert_eq!(value("PEN").unwrap(), "2");
    assert_eq!(put("PEN=a=b"), None, "the text that was put changes later");
    assert_eq!(value("PEN").unwrap(), "a=b");
    let both = Some("a=b".to_owned());
    assert_eq!(get.call("PEN", "3").unwrap(), (both.clone(), both));
    assert_eq!(value("PEN").unwrap(), "3");
    assert_eq!(unset("PEN"), None);
    assert_eq!(unset("PEN"), None);
    assert_eq!(value("PEN"), None);
    assert_eq!(get.call("PEN", "4").unwrap(), (None, None));
    assert_eq!(
        put("PEN"),
        None,
        "without an equals sign, the variable is removed"
    );
    assert_eq!(value("PEN"), None);
    for name in ["", "a=b"] {
        assert_eq!(set(name, "1", true), Some(libc::EINVAL));
        assert_eq!(unset(name), Some(libc::EINVAL));
    }

    let before: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    let clear: Function<fn() -> Option<i32>> = function(&stage, "clear_in_c");
    assert_eq!(clear.call().unwrap(), None);
    assert_eq!(std::env::vars_os().count(), 0);
    for (name, value) in &before {
        // SAFETY: the call that reads the environment has returned, and `alone` keeps the other tests out.
        unsafe { std::env::set_var(name, value) };
    }
    stage.close();
}

/// Returns the stderr of a build, and its library.
fn built(package: &str, options: &[&str], flags: &[&str]) -> (String, Vec<u8>) {
    let out = tempfile::tempdir().unwrap();
    let mut command = hotswap();
    command.args(["build", "--package", package, "--out-dir"]);
    command.arg(out.path()).args(options).arg("--").args(flags);
    let said = run(&mut command);
    (said, fs::read(out.path().join(file_name(package))).unwrap())
}

const WARNING: &str = "changes the environment of the whole process (clearenv, putenv, setenv, unsetenv), which other \
                       plugins and C code may be reading; change it before there are plugins, or pass the value as load \
                       data";

#[test]
fn a_build_that_can_change_it_is_warned_of() {
    let _alone = alone();
    let stripped: &[&str] = &["-Cstrip=symbols"];
    for (options, flags) in [
        (&[][..], &[][..]),
        (&[], stripped),
        (&["--release"], &[]),
        (&["--release"], stripped),
    ] {
        let (said, bytes) = built(PLUGIN, options, flags);
        let warning = format!("warning: env-writer {WARNING}\n");
        assert!(said.contains(&warning), "{options:?} {flags:?}: {said}");
        let artifact = Artifact::from_bytes("it".as_ref(), &bytes).unwrap();
        let functions = ["clearenv", "putenv", "setenv", "unsetenv"];
        let functions = functions.map(str::to_owned).to_vec();
        let expected = [Caution::Environment { functions }];
        assert_eq!(cautions(&bytes, &artifact.metadata), expected);
        let (said, _) = built("guest", options, flags);
        assert!(!said.contains("warning"), "{options:?} {flags:?}: {said}");
    }
}

#[test]
fn a_host_warns_once_of_each_build_that_can_change_it() {
    let _alone = alone();
    records::keep();
    let first = variant(
        &Build::EnvWriter.bytes(PLUGIN),
        "edition 0000",
        "edition 0001",
    );
    let second = variant(&first, "edition 0001", "edition 0002");
    let guest = fs::read(library("guest")).unwrap();
    let stage = Stage::open(&[(PLUGIN, &first), ("guest", &guest)]);
    let mut builds = vec![live(&stage)];
    stage.swap(PLUGIN, &second);
    builds.push(live(&stage));
    stage.swap(PLUGIN, &first);
    for build in builds {
        let record = format!("env-writer (build {build}) {WARNING}");
        assert_eq!(records::with(&[&record]).len(), 1, "{record}");
    }
    assert_eq!(records::with(&["guest", "environment"]).len(), 0);
    stage.close();
}

/// Returns the build id of the live build as the log prints it.
fn live(stage: &Stage) -> String {
    let listing = stage.swapper.listing();
    let mut plugins = listing.plugins.iter();
    let plugin = plugins.find(|plugin| plugin.name == PLUGIN);
    plugin.expect("the plugin is live").build_id.short()
}
