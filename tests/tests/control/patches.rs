//! The patches of a plugin, listed and changed through the endpoint and by the commands.
use crate::support::{Controlled, checked};
use hotswap_control::ClientError;
use hotswap_control::api::{FailureKind, PatchesRequest};
use hotswap_host::Function;
use hotswap_host::prelude::*;
use hotswap_operate::{EntryResult, History};

type Add = fn(u32) -> u32;

/// Makes the plugin answer with this number more, and says who did.
fn patch(host: &Controlled, more: u32, by: &str) {
    let patch = host.stage.swapper.patch("checked").by(by);
    let patch = patch.after::<Add, _>("add", move |sum: u32, _: u32| sum + more);
    patch.apply().unwrap();
}

fn add(host: &Controlled) -> Function<Add> {
    host.stage.swapper.function("checked", "add").unwrap()
}

#[test]
fn patches_are_listed_rolled_back_done_again_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder);
    let client = host.client();
    assert!(client.all_patches().unwrap().is_empty());
    patch(&host, 10, "the night shift");
    patch(&host, 100, "the day shift");
    assert_eq!(add(&host).call(0).unwrap(), 110);
    let found = client.patches("checked").unwrap();
    assert_eq!((&*found.plugin, found.version), ("checked", 2));
    let listed: Vec<_> = found.patches.iter().collect();
    assert_eq!(listed[0].by, "the night shift");
    assert_eq!(listed[1].changes, ["after add"]);
    assert_eq!((listed[1].number, listed[1].calls), (2, 1));
    assert_eq!(client.all_patches().unwrap(), [found]);

    let mut request = PatchesRequest::default();
    request.reason = Some("too much".into());
    request.deployment = Some("n7".parse().unwrap());
    let found = client.rollback_patches("checked", &request).unwrap();
    assert_eq!((found.version, found.undone.len()), (1, 1));
    assert_eq!(add(&host).call(0).unwrap(), 10);
    assert_eq!(client.redo_patches("checked", &request).unwrap().version, 2);
    assert_eq!(add(&host).call(0).unwrap(), 110);
    request.count = Some(0);
    let found = client.rollback_patches("checked", &request).unwrap();
    assert_eq!(found.version, 2, "nothing was rolled back");
    request.count = None;
    let found = client.reset_patches("checked", &request).unwrap();
    assert_eq!((found.version, found.undone.len()), (0, 0));
    assert_eq!(add(&host).call(0).unwrap(), 0);

    // The history has each change, with who asked for it and why.
    let entries = history.entries(10).unwrap();
    let noted = entries.iter().filter(|it| it.result == EntryResult::Noted);
    let noted: Vec<_> = noted.collect();
    assert_eq!(noted.len(), 3, "{noted:?}");
    for entry in &noted {
        assert!(entry.cause.ends_with(" (deployment n7): too much"));
    }
    let expected = "checked: it is at version 0 of its patches";
    assert_eq!(noted[0].detail, expected);
    host.close();
}

#[test]
fn more_than_there_are_and_what_is_unknown_is_refused() {
    let host = Controlled::new();
    patch(&host, 10, "");
    let refused = |answer: Result<_, ClientError>| match answer {
        Err(ClientError::Failure(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    };
    let mut request = PatchesRequest::default();
    let (kind, text) = refused(host.client().redo_patches("checked", &request));
    assert_eq!(kind, FailureKind::Refused);
    assert_eq!(
        text,
        "checked has 0 patches to do again, and 1 were asked for"
    );
    let (kind, text) = refused(host.client().rollback_patches("chekced", &request));
    assert_eq!(kind, FailureKind::NotFound);
    assert!(text.ends_with("did you mean checked?"), "{text}");
    request.count = Some(7);
    let found = refused(host.client().rollback_patches("checked", &request));
    assert_eq!(found.0, FailureKind::Refused);
    let found = refused(host.client().reset_patches("checked", &request));
    assert_eq!(found.0, FailureKind::Request);
    let json = "Content-Type: application/json";
    let path = "/v1/plugins/checked/patches/rollback";
    let (code, _) = host.curl(&["--header", json, "--data", r#"{"count": -1}"#, path]);
    assert_eq!(code, "400");
    assert_eq!(host.client().patches("checked").unwrap().version, 1);
    host.close();
}

#[test]
fn the_commands_show_the_sources_of_closures() {
    let host = Controlled::new();
    patch(&host, 10, "");
    let ran = host.ran(&["patches", "--source"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("write `patch!"), "{ran:?}");
    let more = 100;
    let closure = hotswap_host::patch!(move |sum: u32, _: u32| sum + more);
    let patch = host.stage.swapper.patch("checked");
    patch.after::<Add, _>("add", closure).apply().unwrap();
    assert_eq!(add(&host).call(0).unwrap(), 110);
    let shown = host.ok(&["patches", "checked", "--source"]).stdout;
    let (head, closure) = shown.split_once('\n').unwrap();
    assert!(head.starts_with("// patch 2 of checked::add, "), "{head}");
    assert!(head.contains("control/patches.rs:"), "{head}");
    assert_eq!(closure, "move |sum: u32, _: u32| sum + more\n");
    let (code, trees) = host.json(&["patches", "--ast"]);
    assert_eq!((code, trees[0]["patch"].as_u64()), (Some(0), Some(2)));
    assert!(trees[0]["tree"]["closure"].is_object(), "{trees}");
    assert!(trees.get(1).is_none());
    host.close();
}

#[test]
fn the_commands_show_and_change_them() {
    let host = Controlled::new();
    assert_eq!(host.ok(&["patches"]).stdout, "no patches\n");
    let ran = host.ran(&["patch", "rollback"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    patch(&host, 10, "the night shift");
    patch(&host, 100, "");
    add(&host).call(0).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+ s ago", "N s ago");
    let shown = host.ok(&["patches"]).stdout;
    settings.bind(|| insta::assert_snapshot!("patches", shown));

    let why = ["--reason", "too much", "--deployment", "n7"];
    let rollback = [&["patch", "rollback"][..], &why].concat();
    assert_eq!(
        host.ok(&rollback).stdout,
        "checked is at version 1 of its patches\n"
    );
    let shown = host.ok(&["patches", "checked"]).stdout;
    settings.bind(|| insta::assert_snapshot!("patches-rolled-back", shown));
    let (code, told) = host.json(&["patch", "redo", "1", "--json"]);
    assert_eq!((code, told["version"].as_u64()), (Some(0), Some(2)));
    let ran = host.ran(&["patch", "rollback", "3"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("has 2 patches to roll back"), "{ran:?}");
    let (_, told) = host.json(&["patches", "--json"]);
    assert_eq!(told[0]["patches"][0]["by"], "the night shift");
    host.ok(&["patch", "reset", "--plugin", "checked"]);
    assert_eq!(host.ok(&["patches"]).stdout, "no patches\n");

    for (args, code) in [
        (&["patches", "chekced"][..], 3),
        (&["patch", "rollback", "--plugin", "chekced"], 3),
        (&["patch", "rollback", "many"], 2),
        (&["patch", "rollbck"], 2),
        (&["patch", "checked::add", "rollback"], 2),
    ] {
        let ran = host.ran(args);
        assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
    }
    // A reload drops what does not fit, as ever.
    host.stage.swap("checked", &checked("second"));
    host.close();
}
