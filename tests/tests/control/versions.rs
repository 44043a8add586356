//! A command and a host of different versions. What an earlier one says is in `recorded`.
use crate::peer::Peer;
use crate::recorded::World;
use crate::stream::until;
use crate::support::{Controlled, checked, command_at, ran_at};
use crate::top::Screen;
use hotswap_control::Client;
use hotswap_control::api::{EventKind, HealthLevel};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Adds a field to each object, but not to a table of builds by their plugins, or to the kind of an event.
fn grow(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(grow),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), value) {
                    ("from" | "to", _) => {}
                    ("kind", Value::Object(kind)) => kind.values_mut().for_each(grow),
                    (_, value) => grow(value),
                }
            }
            fields.insert("later".into(), json!({"names": ["x"], "since": 2}));
        }
        _ => {}
    }
}

/// Changes an answer or an event to that of a later version: with more fields, and with words and kinds that are new.
fn later(request: &str, value: &mut Value) {
    grow(value);
    match request {
        "GET /v1/health" => {
            let plugins = value["plugins"].as_array_mut().into_iter().flatten();
            let checks = plugins.filter_map(|plugin| plugin["checks"].as_array_mut());
            checks
                .flatten()
                .for_each(|check| check["level"] = "resting".into());
        }
        "GET /v1/history" => value[0]["result"] = "paused".into(),
        "GET /v1/events" => {
            let kind = &mut value["kind"];
            if kind["step"]["step"] == "validate" {
                *kind = "inspected".into();
            } else if let Some(report) = kind.get("completed") {
                *kind = json!({"finished": {"report": report}});
            }
        }
        _ if value["kind"] == "not_found" => value["kind"] = "moved".into(),
        _ => {}
    }
}

#[test]
fn the_commands_read_the_answers_and_the_events_of_a_later_host() {
    let world = World::new();
    let peer = Peer::between(world.host.socket(), later);
    let socket = peer.socket();
    let ok = |args: &[&str]| {
        let ran = ran_at(&socket, args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran
    };
    // The command waits for the last event of the reload, whose kind it does not know.
    world.host.stage.install("checked", &checked("second"));
    let ran = ok(&["reload", "--no-wait", "--reason", "release 7"]);
    assert!(ran.stdout.contains("checked: reloaded"), "{ran:?}");
    assert!(!ran.stderr.contains("Validate"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Switch"), "{}", ran.stderr);
    ok(&["confirm"]);
    // All events are there, also those of other kinds, by their texts.
    let ran = ok(&["logs"]);
    let last = world.host.client().status().unwrap().last_event;
    assert_eq!(ran.stdout.lines().count() as u64, last, "{}", ran.stdout);
    let ran = ok(&["logs", "--json"]);
    let kinds: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].take())
        .collect();
    assert!(kinds.contains(&"unknown".into()), "{kinds:?}");
    assert!(kinds.contains(&"confirmed".into()), "{kinds:?}");

    let file = world.artifact("third");
    let file = file.to_str().unwrap();
    for (args, expected) in [
        (&["status"][..], "checked"),
        (&["status", "--json"], "\"last_event\""),
        (&["health", "--now"], "patient"),
        (&["health", "--json"], "\"unknown\""),
        (&["history"], "release 7"),
        (&["history", "--json"], "\"paused\""),
        (&["audit"], "release 7"),
        (&["audit", "verify"], "as they were written"),
        (&["check", file], "compatible"),
        (&["drain", "checked"], "out of service"),
        (&["resume", "checked"], "in service"),
        (&["patches"], ""),
        (&["deploy", file, "--watch", "0"], "checked: reloaded"),
        (&["rollback", "2"], "checked: re"),
    ] {
        let ran = ok(args);
        assert!(ran.stdout.contains(expected), "{args:?}: {ran:?}");
    }
    let ran = ran_at(&socket, &["drain", "chekced"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("did you mean checked?"), "{ran:?}");

    let mut screen = Screen::of(&socket, 24, 80);
    screen.shows("checked");
    screen.press("q");
    screen.ends();
    let client = Client::of_socket(&socket);
    let health = client.health().unwrap();
    let levels = health.plugins.iter().flat_map(|plugin| &plugin.checks);
    let levels: Vec<_> = levels.map(|check| check.level).collect();
    assert!(levels.contains(&HealthLevel::Unknown), "{levels:?}");
    world.host.close();
}

#[test]
fn logs_follow_a_later_host() {
    let host = Controlled::new();
    let peer = Peer::between(host.socket(), later);
    let last = host.client().status().unwrap().last_event.to_string();
    let mut command = command_at(&peer.socket(), &["logs", "-f", "--after", &last]);
    let mut command = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(command.stdout.take().unwrap()).lines();
    host.stage.swap("checked", &checked("second"));
    let mut lines = lines.map(Result::unwrap);
    // This event has a kind that the command does not know.
    let found = lines.find(|line| line.contains("checked: reloaded"));
    assert!(found.is_some());
    let pid = command.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(command.wait().unwrap().code(), Some(130));

    let mut events = Client::of_socket(peer.socket()).events(Some(0)).unwrap();
    host.stage.install("checked", &checked("fail smoke"));
    host.stage.swapper.reload().unwrap_err();
    let seen = until(&mut events, "refused");
    let unknown = seen.iter().filter(|event| event.kind == EventKind::Unknown);
    assert!(unknown.count() >= 2, "{seen:?}");
    // None is missing.
    let ids: Vec<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    host.close();
}

/// A host does either all that was asked for, or nothing.
#[test]
fn a_host_refuses_what_only_a_later_command_would_ask_for() {
    let world = World::new();
    let host = &world.host;
    let json = "Content-Type: application/json";
    let refused = |expected: &str, args: &[&str]| {
        let (code, answer) = host.curl(args);
        let text = answer["message"].as_str().unwrap().to_owned();
        assert_eq!(code, expected, "{args:?}: {text}");
        text
    };
    let own = format!("use version {}", env!("CARGO_PKG_VERSION"));
    for path in ["/v2/status", "/v2", "/v0/reload"] {
        let text = refused("404", &[path]);
        assert!(
            text.contains("speaks version 1 of the control API"),
            "{text}"
        );
        assert!(text.contains(&own), "{text}");
    }
    let text = refused("404", &["/v1/forecast"]);
    assert!(
        text.contains("no path /v1/forecast") && text.contains(&own),
        "{text}"
    );
    for path in [
        "/v1/reload",
        "/v1/check",
        "/v1/rollback",
        "/v1/confirm",
        "/v1/freeze",
        "/v1/deploy",
        "/v1/plugins/checked/drain",
        "/v1/plugins/checked/patches/reset",
    ] {
        let text = refused(
            "400",
            &["--header", json, "--data", "{\"later\": true}", path],
        );
        assert!(text.contains("unknown field `later`"), "{path}: {text}");
    }
    for path in [
        "/v1/history?limit=1&later=1",
        "/v1/audit?later",
        "/v1/health?later=",
        "/v1/calls?later=7",
        "/v1/events?after=0&later=7",
    ] {
        let text = refused("400", &[path]);
        assert!(text.contains("unknown field `later`"), "{path}: {text}");
    }
    let options = "{\"options\": {\"later\": true}}";
    let text = refused("400", &["--header", json, "--data", options, "/v1/reload"]);
    assert!(text.contains("later"), "{text}");
    assert_eq!(host.stage.swapper.frozen(), None);
    assert_eq!(host.stage.swapper.generation(), 1);

    world.host.close();
}
