//! Tests the texts of errors that real plugins hardly ever cause. The tests of the host cover the others.
use super::{PluginErrorKind, ReloadError};
use crate::error::CopyError;
use crate::error::LivePlace;
use hotswap_plugin::LiveKind;
use std::io;
use std::path::PathBuf;

fn needed(failure: ReloadError) -> String {
    let error = ReloadError::Needed {
        plugin: "beta".into(),
        failure: Box::new(failure),
        reason: Box::new(ReloadError::Handle {
            plugin: "beta".into(),
            item: "ask".into(),
            message: "the new build has no such function".into(),
        }),
    };
    assert_eq!(error.plugin(), Some("beta".into()));
    error.to_string()
}

#[test]
fn an_optional_plugin_that_cannot_be_left_out() {
    const START: &str =
        "beta is optional, but cannot be left out (the host holds a handle of beta.ask): ";
    let place = |plugin: &str| {
        Box::new(LivePlace {
            plugin: plugin.into(),
            file: format!("/plugins/lib{plugin}.so").into(),
            module: "jobs".into(),
        })
    };
    let failures = [
        (
            ReloadError::Copy(CopyError {
                plugin: "beta".into(),
                file: "/plugins/libbeta.so".into(),
                as_file: "the disk is full".into(),
                in_memory: io::ErrorKind::OutOfMemory.into(),
            }),
            "",
        ),
        (
            PluginErrorKind::Layout("a field is missing".into())
                .of(&"beta".into(), "/plugins/libbeta.so")
                .into(),
            "beta: /plugins/libbeta.so does not fit this host: a field is missing; build plugin and host with the same \
             version of hotswap",
        ),
        (
            ReloadError::LiveDuplicate {
                kind: LiveKind::Function,
                name: "roll_call".into(),
                first: place("alpha"),
                second: place("beta"),
            },
            "two live functions are called roll_call: in module jobs of alpha (/plugins/libalpha.so), and in module jobs of \
             beta (/plugins/libbeta.so); rename one of them",
        ),
    ];
    for (failure, text) in failures {
        let alone = failure.to_string();
        assert!(alone.contains(text), "{alone}");
        assert!(alone.contains("/plugins/libbeta.so"), "{alone}");
        assert_eq!(needed(failure), format!("{START}{alone}"));
    }
}

/// The text appears in the log as `reload failed: …`.
#[test]
fn no_name_of_a_file_or_a_library_forges_a_line() {
    use crate::artifact::{Artifact, OpenFailure};
    use crate::shown::is_deceptive;
    let hostile = "lib\n2026-01-01 INFO hotswap: all is well\u{1b}[2J\u{202e}\u{9b}3J";
    let file = PathBuf::from(format!("/plugins/{hostile}.so"));
    // This is the name that the file implies.
    let damaged = Artifact::from_bytes(&file, b"no library").unwrap_err();
    let name = damaged.plugin_or_implied();
    let texts = [
        format!("{name:>9} is no plugin"),
        ReloadError::Artifact(damaged).to_string(),
        ReloadError::Duplicate {
            name: name.clone(),
            first: file.clone(),
            second: file.clone(),
        }
        .to_string(),
        ReloadError::Cycle {
            chain: vec![name.clone(), name.clone()],
        }
        .to_string(),
        PluginErrorKind::Open(OpenFailure::from_loader_text(&format!(
            "{hostile}: cannot open shared object file: No such file or directory"
        )))
        .of(&name, &file)
        .to_string(),
        PluginErrorKind::Open(OpenFailure::from_loader_text(hostile))
            .of(&name, file)
            .to_string(),
    ];
    for text in texts {
        assert!(!text.contains(is_deceptive), "{text:?}");
        assert!(text.contains(r"\n2026-01-01 INFO"), "{text}");
    }
}
