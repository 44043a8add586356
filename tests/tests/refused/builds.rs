//! Tests plugins and a host whose builds do not fit each other.
use crate::support::{alone, probe, refused, refused_with};
use hotswap_host::artifact::ArtifactProblem as Problem;
use hotswap_host::artifact::{ArtifactError, OpenFailure};
use hotswap_host::prelude::*;
use hotswap_host::{PluginError, PluginErrorKind};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build};
use insta::assert_snapshot;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs this library as the probe.
fn installed(library: &[u8]) -> impl Fn(&Path) {
    move |dir| fixture::install(library, "probe", dir)
}

#[test]
fn another_version_of_the_contract() {
    let (error, text) = refused(installed(&Build::OldContract.bytes("probe")));
    assert!(matches!(
        error,
        ReloadError::Artifact(ArtifactError {
            problem: Problem::AnotherContract {
                found: 0,
                needed: hotswap_plugin::contract::VERSION
            },
            ..
        })
    ));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so uses version 0 of the plugin contract, but this host requires version 6; update `hotswap-plugin` in the plugin's Cargo.toml to the version of the host's `hotswap-host` and build it again");
}

#[test]
fn another_compiler_where_the_host_insists_on_its_own() {
    let library = Build::Nightly.bytes("probe");
    let (error, text) = refused_with(installed(&library), |builder| {
        builder.require_same_toolchain(true)
    });
    let Some(PluginErrorKind::Toolchain { found, expected }) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(error.plugin().unwrap(), "probe");
    assert_eq!(*expected, fixture::artifact(&probe()).metadata.rustc);
    assert_eq!(*found, fixture::artifact(&library).metadata.rustc);
    let text = text
        .replace(found.as_str(), "<nightly>")
        .replace(expected.as_str(), "<stable>");
    assert_snapshot!(text, @"probe (<dir>/libprobe.so) was built by <nightly>, but the host requires <stable>; build it again with that compiler");
}

#[test]
fn a_plugin_in_which_panics_abort() {
    let (error, text) = refused(installed(&Build::Aborting.bytes("probe")));
    assert!(matches!(
        error,
        ReloadError::Artifact(ArtifactError {
            problem: Problem::PanicAbort { .. },
            ..
        })
    ));
    assert_snapshot!(text, @r#"probe: <dir>/libprobe.so is built with panic = "abort" (profile debug), so a panic in it would end the host; write `panic = "unwind"` under `[profile.dev]` in the workspace's Cargo.toml"#);
}

#[test]
fn a_host_in_which_panics_abort() {
    let host = fixture::aborting_executable("opener");
    let dir = tempfile::tempdir().unwrap();
    let runtime = tempfile::tempdir().unwrap();
    let output = Command::new(host)
        .arg(dir.path())
        .env("HOTSWAP_RUNTIME_DIR", runtime.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"this host was built with `panic = "abort"`, so any panic in a plugin would end it; set `panic = "unwind"` in the profile it is built with"#);
    assert_eq!(runtime.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_plugin_that_is_a_host() {
    let _alone = alone();
    let stage = Stage::open(&[("nest", &Build::Nest.bytes("nest"))]);
    let open: Function<fn(PathBuf) -> hotswap_plugin::Result<()>> =
        stage.swapper.function("nest", "open").unwrap();
    let error = open.call(stage.dir().to_owned()).unwrap_err();
    assert_snapshot!(error, @"a plugin cannot be a host: open the swapper in the program, which loads all plugins");
    stage.close();
}

#[test]
fn a_library_that_is_missing() {
    let (error, text) = refused(installed(&Build::Needy.bytes("probe")));
    assert!(matches!(
        error,
        ReloadError::Plugin(PluginError {
            plugin,
            kind: PluginErrorKind::Open(OpenFailure::MissingLibrary { library }),
            ..
        }) if plugin == "probe" && library == "libnowhere.so"
    ));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so cannot be opened: it needs the library libnowhere.so, which was not found; install it, or add its directory to LD_LIBRARY_PATH");
}

#[test]
fn a_symbol_that_is_missing() {
    let (error, text) = refused(installed(&Build::Orphan.bytes("probe")));
    assert!(matches!(
        error,
        ReloadError::Plugin(PluginError {
            plugin,
            kind: PluginErrorKind::Open(OpenFailure::MissingSymbol { symbol }),
            ..
        }) if plugin == "probe" && symbol == "nobody_defines_this"
    ));
    assert_snapshot!(text, @"probe: <dir>/libprobe.so cannot be opened: it needs the symbol nobody_defines_this, which no library defines; link the library that has it into the plugin");
}
