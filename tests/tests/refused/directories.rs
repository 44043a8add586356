//! Tests plugin directories that are missing, empty, or closed.
use crate::copies;
use crate::support::{Serving, alone, probe, redacted, refused, refused_with};
use hotswap_host::artifact::{ArtifactError, ArtifactProblem, FindError};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{Desk, Stage};
use insta::assert_snapshot;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn empty(dir: &Path) {
    fs::remove_file(dir.join(fixture::file_name("probe"))).unwrap();
}

#[test]
fn one_that_is_missing() {
    let (error, text) = refused(|dir| fs::remove_dir_all(dir).unwrap());
    assert!(matches!(
        error,
        ReloadError::Find(FindError::Missing { .. })
    ));
    assert_snapshot!(text, @"the plugin directory <dir> does not exist; create it, or build plugins into it with `cargo hotswap build --out-dir`");
}

#[test]
fn a_file_in_its_place() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plugins");
    fs::write(&file, "").unwrap();
    let error = Swapper::builder().plugin_dir(&file).open().err().unwrap();
    assert!(matches!(
        error,
        ReloadError::Find(FindError::NotADirectory { .. })
    ));
    assert_snapshot!(redacted(&error, dir.path()), @"the plugin directory <dir>/plugins is not a directory; name the directory that the plugins are in");
}

#[test]
fn one_that_is_empty_at_first() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let builder = Swapper::builder().plugin_dir(dir.path());
    let error = builder.open().err().unwrap();
    assert!(matches!(&error, ReloadError::Empty { live, .. } if live.is_empty()));
    assert_snapshot!(redacted(&error, dir.path()), @"the plugin directory <dir> holds no plugins; build them into it with `cargo hotswap build --out-dir`, or let the host run without any: `Builder::allow_empty`");
}

#[test]
fn one_that_is_emptied_later() {
    let _alone = alone();
    let serving = Serving::open(|builder| builder);
    empty(serving.stage.dir());
    let error = serving.refused();
    assert!(matches!(&error, ReloadError::Empty { live, .. } if live.len() == 1));
    assert_snapshot!(redacted(&error, serving.stage.dir()), @"the plugin directory <dir> holds no plugins, and probe would be gone; build them into it with `cargo hotswap build --out-dir`, or let the host run without any: `Builder::allow_empty`");
    serving.restored();
}

/// With `allow_empty`, a host may start before its first plugin is built, and go on after its last one is removed.
#[test]
fn one_that_may_be_empty() {
    let _alone = alone();
    let stage = Stage::with(&[], |builder| builder.allow_empty(true));
    assert!(stage.swapper.listing().plugins.is_empty());
    let none = stage
        .swapper
        .function::<fn() -> String, _>("probe", "build")
        .err()
        .unwrap();
    assert_snapshot!(none, @"no plugin probe is loaded: there is no plugin of a similar name");
    let report = stage.swap("probe", &probe());
    assert_eq!(report.to_string(), "probe: loaded");
    empty(stage.dir());
    let report = stage.swapper.reload().unwrap();
    assert_eq!(report.to_string(), "probe: removed");
    assert_eq!(stage.settle().len(), 1);
    stage.close();
}

#[test]
fn one_that_may_be_empty_and_is_while_the_host_has_a_handle() {
    let _alone = alone();
    let serving = Serving::open(|builder| builder.allow_empty(true));
    empty(serving.stage.dir());
    let error = serving.refused();
    assert!(
        matches!(&error, ReloadError::Handle { plugin, item, .. } if plugin == "probe" && item == "build")
    );
    assert_snapshot!(redacted(&error, serving.stage.dir()), @"the host holds a handle of probe.build: the plugin would be gone; put it back, or drop the handle before the reload");
    serving.restored();
}

#[test]
fn a_plugin_that_is_on_the_list_and_not_there() {
    let (error, text) = refused_with(empty, |builder| builder.allow(["probe"]));
    assert!(matches!(error, ReloadError::Missing { name, .. } if name == "probe"));
    assert_snapshot!(text, @"the plugin probe is on the allow-list, but <dir> holds no artifact of it: build it with `cargo hotswap build -p probe`");
}

/// The host does not look closely at files that are not on its list.
#[test]
fn what_is_not_on_the_list_is_nobodys_concern() {
    let _alone = alone();
    let serving = Serving::open(|builder| builder.allow(["probe"]));
    fs::write(serving.stage.file("other"), "no library at all").unwrap();
    serving.stage.install("guest", &Build::First.bytes("guest"));
    serving.restored();
}

#[test]
fn what_may_not_be_read() {
    // The plugin has to be built outside the child.
    let _ = probe();
    let said = copies::in_child("directories::as_another_user", &[], "");
    let [directory, file] = &said[..] else {
        panic!("{said:?}")
    };
    assert_snapshot!(directory, @"the plugin directory <dir> cannot be read: Permission denied (os error 13)");
    assert_snapshot!(file, @"probe: <dir>/libprobe.so cannot be read: Permission denied (os error 13)");
}

#[test]
#[ignore = "the other process of another test"]
fn as_another_user() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let Some(runtime) = copies::runtime_dir_of_child() else {
        return;
    };
    // The plugin is read before the process gives up its rights.
    let probe = probe();
    let user = 65534;
    // SAFETY: `geteuid` always succeeds and touches no memory.
    let root = unsafe { libc::geteuid() } == 0;
    let dir = runtime.join("plugins");
    let file = dir.join(fixture::file_name("probe"));
    fs::create_dir(&dir).unwrap();
    fixture::install(&probe, "probe", &dir);
    if root {
        for path in [&runtime, &dir, &file] {
            chown(path, Some(user), None).unwrap();
        }
        // SAFETY: `setresuid` touches no memory, and glibc changes the user of all threads.
        assert_eq!(unsafe { libc::setresuid(user, user, user) }, 0);
    }
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let swapper = Swapper::builder()
        .plugin_dir(&dir)
        .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        .open()
        .unwrap();
    let build: Function<fn() -> String> = swapper.function("probe", "build").unwrap();
    for (path, readable) in [(&dir, 0o700), (&file, 0o600)] {
        mode(path, 0);
        let error = swapper.reload().unwrap_err();
        assert!(match &error {
            ReloadError::Find(FindError::Unreadable { .. }) => path == &dir,
            ReloadError::Artifact(ArtifactError {
                plugin: Some(plugin),
                problem: ArtifactProblem::Unreadable { .. },
                ..
            }) => path == &file && *plugin == "probe",
            _ => false,
        });
        copies::say(&redacted(&error, &dir));
        assert_eq!(swapper.generation(), 1);
        build.call().unwrap();
        mode(path, readable);
        assert_eq!(swapper.reload().unwrap().to_string(), "probe: unchanged");
    }
}
