//! What can be asked, and what comes of it.
use crate::support::{Controlled, checked};
use hotswap_control::ClientError;
use hotswap_control::api::{
    DrainRequest, FailureKind, ReasonRequest, ReloadRequest, RollbackRequest,
};
use hotswap_host::ReloadOptions;
use hotswap_host::artifact::Note;
use hotswap_host::prelude::*;
use hotswap_source::{SourceError, Sources};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::until;
use serde_json::json;
use std::time::Duration;

/// Options with a long rollback window, which only requests close.
fn window() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options
}

#[test]
fn the_state_of_the_host() {
    let host = Controlled::new();
    let status = host.client().status().unwrap();
    assert_eq!((status.api, status.generation, status.reloads), (1, 1, 0));
    assert_eq!(status.host.pid, std::process::id());
    assert_eq!(status.host.plugin_dir, host.stage.dir().to_str().unwrap());
    let [plugin] = &*status.plugins else {
        panic!("{:?}", status.plugins)
    };
    let build = fixture::build_id(&checked("first")).to_string();
    assert_eq!((&*plugin.name, &plugin.build_id), ("checked", &build));
    assert_eq!(plugin.in_flight.len(), 1);
    assert!(plugin.in_flight[0].live);
    let last = status.last_attempt.unwrap();
    assert_eq!(
        (last.attempt, last.ok, &*last.cause),
        (0, true, "the start of the host")
    );

    let (code, answer) = host.curl(&["/v1/status"]);
    assert_eq!(code, "200");
    assert_eq!(answer["plugins"][0]["build_id"], json!(build));
    assert_eq!(host.client().plugin("checked").unwrap().build_id, build);
    let metadata = host.client().metadata("checked").unwrap();
    let functions = metadata["functions"].as_array().unwrap();
    assert!(functions.iter().any(|function| function["name"] == "add"));
    host.close();
}

#[test]
fn a_reload_with_options_and_a_reason() {
    let host = Controlled::new();
    host.stage.install("checked", &checked("second"));
    let mut request = ReloadRequest::default();
    request.reason = Some("release 7".into());
    request.plugins = Some(vec!["checked".into()]);
    request.options.insert("smoke".into(), json!(false));
    let report = host.client().reload(&request).unwrap();
    assert_eq!(report.text, "checked: reloaded");
    assert!(report.changed && !report.provisional);
    let steps: Vec<_> = report.steps.iter().map(|step| &*step.step).collect();
    assert!(!steps.contains(&"smoke"), "{steps:?}");
    let last = host.client().status().unwrap().last_attempt.unwrap();
    let by = format!("a request by process {} of user", std::process::id());
    assert!(last.cause.starts_with(&by), "{}", last.cause);
    assert!(last.cause.ends_with(": release 7"), "{}", last.cause);

    // `curl` needs no body for the defaults.
    let (code, answer) = host.curl(&["--request", "POST", "/v1/reload"]);
    assert_eq!(
        (&*code, &answer["text"]),
        ("200", &json!("checked: unchanged"))
    );
    host.close();
}

#[test]
fn a_dry_run_changes_nothing() {
    let host = Controlled::new();
    let elsewhere = tempfile::tempdir().unwrap();
    fixture::install(&checked("second"), "checked", elsewhere.path());
    let file = elsewhere.path().join(fixture::file_name("checked"));
    let mut request = ReloadRequest::default();
    request.files = vec![file.to_str().unwrap().into()];
    let verdict = host.client().check(&request).unwrap();
    assert_eq!(verdict.compatibility, "compatible");
    assert_eq!(verdict.plugins[0].outcome, "reloaded");
    assert_eq!(host.client().status().unwrap().generation, 1);
    host.close();
}

#[test]
fn a_window_is_decided() {
    let host = Controlled::with(|builder| builder.reload_options(window()));
    let client = host.client();
    let refused = client.rollback(&RollbackRequest::default()).unwrap_err();
    assert!(matches!(&refused, ClientError::Failure(it) if it.kind == FailureKind::Refused));

    host.stage.install("checked", &checked("second"));
    let report = client.reload(&ReloadRequest::default()).unwrap();
    assert!(report.provisional);
    let open = client.status().unwrap().window.unwrap();
    assert!(open.left > 60.0, "{open:?}");
    assert_eq!(open.kept, ["checked"]);
    let mut back = RollbackRequest::default();
    back.reason = Some("it is slow".into());
    let report = client.rollback(&back).unwrap();
    assert_eq!(report.text, "checked: reverted");
    let status = client.status().unwrap();
    assert_eq!(status.window, None);
    let cause = status.last_attempt.unwrap().cause;
    assert!(cause.ends_with(": it is slow"), "{cause}");

    host.stage.install("checked", &checked("third"));
    client.reload(&ReloadRequest::default()).unwrap();
    client.confirm(&ReasonRequest::default()).unwrap();
    until("the window to close", || {
        client.status().unwrap().window.is_none()
    });
    host.close();
}

#[test]
fn a_plugin_goes_out_of_service_and_comes_back() {
    let host = Controlled::new();
    let client = host.client();
    let add: Function<fn(u32) -> u32> = host.stage.swapper.function("checked", "add").unwrap();
    assert!(add.call(1).is_ok());
    let mut look = ReasonRequest::default();
    look.reason = Some("a look".into());
    let out = client.take_out_of_service("checked", &look).unwrap();
    let reason = out.out_of_service.unwrap().reason;
    assert!(reason.ends_with(": a look"), "{reason}");
    match add.call(1) {
        Err(CallError::OutOfService { reason: told, .. }) => assert_eq!(told, reason),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        client
            .resume("checked", &ReasonRequest::default())
            .unwrap()
            .out_of_service,
        None
    );
    assert!(add.call(1).is_ok());

    let mut request = DrainRequest::default();
    request.limit = Some(5.0);
    let drained = client.drain("checked", &request).unwrap();
    assert!(drained.out_of_service.is_some());
    assert!(client.holders("checked").unwrap().held_by.is_empty());
    client.resume("checked", &ReasonRequest::default()).unwrap();
    host.close();
}

/// The description and the paths come from the same place, so what is left to test is that they are there.
#[test]
fn the_description_lists_all_paths() {
    let host = Controlled::new();
    let (code, document) = host.curl(&["/v1/openapi.json"]);
    assert_eq!(code, "200");
    assert_eq!(document, hotswap_control::openapi());
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/v1/status",
        "/v1/reload",
        "/v1/events",
        "/v1/plugins/{plugin}/drain",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for schema in [
        "Status",
        "Report",
        "Verdict",
        "Event",
        "Failure",
        "ReloadRequest",
    ] {
        assert!(schemas.contains_key(schema), "{schema}");
    }
    host.close();
}

/// Returns a build of the plugin that carries the sources.
fn with_sources(orders: &str) -> Vec<u8> {
    let original = Build::Checked.bytes("checked");
    let sources = Note::sources(&original).unwrap();
    let mut build = checked(orders);
    let (note, _) = Note::take_from(&mut build).unwrap();
    note.append_with(&mut build, sources);
    build
}

/// The sources of what runs can be read from the file that was loaded, as long as that is still there.
#[test]
fn the_sources_of_the_live_build() {
    let host = Controlled::new();
    let read = |plugin: &str| Sources::of_plugin(&host.stage.swapper, plugin);
    assert!(matches!(read("checked"), Err(SourceError::None)));
    assert!(matches!(
        read("chekced"),
        Err(SourceError::NotLoaded { nearest: Some(nearest), .. }) if nearest == "checked"
    ));
    host.stage.install("checked", &with_sources("second"));
    assert!(matches!(read("checked"), Err(SourceError::Replaced { .. })));
    host.stage.swapper.reload().unwrap();
    let add = read("checked").unwrap().function("add").unwrap();
    assert!(add.text.contains("fn add("), "{}", add.text);
    host.close();
}
