//! Requests that are refused. The host goes on as it is.
use crate::stream::until;
use crate::support::{Controlled, checked};
use hotswap_control::ClientError;
use hotswap_control::api::{FailureKind, ReloadRequest};
use serde_json::json;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> (FailureKind, String) {
    match answer {
        Err(ClientError::Failure(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_and_values_that_are_wrong() {
    let host = Controlled::new();
    let client = host.client();
    let found = refused(client.plugin("chekced"));
    let text = "no plugin chekced is loaded: did you mean checked?";
    assert_eq!(found, (FailureKind::NotFound, text.into()));
    let found = refused(client.drain("../status", &Default::default()));
    assert_eq!(found.0, FailureKind::NotFound);

    let mut request = ReloadRequest::default();
    request.options.insert("prob".into(), json!(true));
    let (kind, text) = refused(client.reload(&request));
    assert_eq!(kind, FailureKind::Request);
    assert!(text.contains("prob"), "{text}");
    let mut request = ReloadRequest::default();
    request.options.insert("smoke".into(), json!("perhaps"));
    assert_eq!(refused(client.reload(&request)).0, FailureKind::Request);
    let mut request = ReloadRequest::default();
    request.files = vec!["libchecked.so".into()];
    assert_eq!(refused(client.check(&request)).0, FailureKind::Request);
    assert_eq!(host.stage.swapper.generation(), 1);
    host.close();
}

#[test]
fn requests_of_the_wrong_kind() {
    let host = Controlled::new();
    let code = |args: &[&str]| {
        let (code, answer) = host.curl(args);
        assert!(answer["message"].is_string(), "{answer}");
        code
    };
    assert_eq!(code(&["/v1/statsu"]), "404");
    assert_eq!(code(&["/v1/plugins/%ff/holders"]), "400");
    assert_eq!(code(&["--request", "DELETE", "/v1/status"]), "405");
    assert_eq!(code(&["--data", "{}", "/v1/reload"]), "400");
    let json = "Content-Type: application/json";
    for body in [
        "{",
        "[]",
        "{\"plugin\": 7}",
        "{\"reload\": true}",
        "\u{1}\u{2}",
    ] {
        assert_eq!(
            code(&["--header", json, "--data", body, "/v1/reload"]),
            "400"
        );
    }
    let long = format!("{{\"reason\": {:?}}}", "x".repeat(100_000));
    let file = host.stage.dir().join("long.json");
    std::fs::write(&file, long).unwrap();
    let data = format!("@{}", file.display());
    assert_eq!(
        code(&["--header", json, "--data", &data, "/v1/reload"]),
        "400"
    );
    assert_eq!(host.stage.swapper.reloads(), 0);
    host.close();
}

#[test]
fn garbage_and_requests_that_never_end() {
    let host = Controlled::new();
    let mut garbage = UnixStream::connect(host.socket()).unwrap();
    garbage
        .write_all(&[0, 255, 13, 10, 0, 13, 10, 13, 10])
        .unwrap();
    let mut answer = String::new();
    garbage.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    // More connections than are served at the same time. They say nothing, and are closed after a while.
    let mut silent: Vec<_> = (0..100)
        .map(|_| UnixStream::connect(host.socket()).unwrap())
        .collect();
    for stream in &mut silent {
        stream
            .write_all(b"POST /v1/reload HTTP/1.1\r\nHost:")
            .unwrap();
    }
    host.client().status().unwrap();
    drop(silent);
    host.client().status().unwrap();
    host.close();
}

#[test]
fn a_client_that_has_gone_does_not_end_its_reload() {
    let host = Controlled::new();
    let mut events = host.client().events(None).unwrap();
    host.stage.install("checked", &checked("hang smoke"));
    let body = r#"{"options": {"smoke_limit": 0.2}}"#;
    let mut gone = UnixStream::connect(host.socket()).unwrap();
    let head = format!(
        "POST /v1/reload HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    gone.write_all(head.as_bytes()).unwrap();
    gone.write_all(body.as_bytes()).unwrap();
    until(&mut events, "validate");
    drop(gone);
    until(&mut events, "refused");
    assert_eq!(host.client().status().unwrap().generation, 1);
    // The test hangs for ever, so its build does not leave.
}
