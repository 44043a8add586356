//! Version 1 of the API, as files: requests with all fields that commands of this version send, and answers of a host.
//!
//! Both sides are held to them. A later host takes the requests, and has at least the fields of the answers. A later command
//! reads the answers, and sends nothing else. The files in `v1` are written anew with `HOTSWAP_TEST_RECORD=1`. Do that only to add
//! something, and look at the difference: whatever is removed or changed breaks commands and hosts that are in use.
use crate::peer::{self, Peer};
use crate::support::{Controlled, checked, ran_at};
use hotswap_control::Control;
use hotswap_host::prelude::*;
use hotswap_host::{Function, ReloadOptions};
use hotswap_operate::{HealthMonitor, HealthOptions, History};
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{Desk, LIMIT, Stage};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// A request, and the answer to it.
struct Exchange {
    /// The method and the path.
    request: String,
    query: String,
    body: Value,
    answer: Value,
}

type Exchanges = BTreeMap<String, Exchange>;

/// A host with a history and checks of its health. Its rollback windows are closed by requests only.
pub struct World {
    pub host: Controlled,
    pub dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path().join("state")).unwrap();
        let control = Control::new().history(history.clone());
        let patient = fixture::ordered(&Build::Patient.bytes("patient"), "well");
        let plugins = [
            ("checked", &*checked("first")),
            ("patient", patient.as_slice()),
        ];
        let observer = control.observer();
        let stage = Stage::with(&plugins, |builder| {
            builder
                .observe(observer)
                .journal(history)
                .reload_options(window())
                .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        });
        let mut health = HealthOptions::default();
        health.interval = Duration::from_secs(3600);
        health.limit = LIMIT;
        health.degraded_after = LIMIT;
        let monitor = HealthMonitor::builder(&stage.swapper).options(health);
        let control = control.health(monitor.start().unwrap());
        let host = Controlled {
            serving: Some(control.serve(&stage.swapper).unwrap()),
            stage,
        };
        World { host, dir }
    }

    /// Returns a file with this build, outside of the plugin directory.
    pub fn artifact(&self, orders: &str) -> PathBuf {
        fixture::install(&checked(orders), "checked", self.dir.path());
        self.dir.path().join(fixture::file_name("checked"))
    }
}

fn window() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options
}

/// Sends requests to a host, and keeps them with the answers.
struct Recorder<'w> {
    world: &'w World,
    exchanges: Exchanges,
}

impl Recorder<'_> {
    fn get(&mut self, name: &str, path: &str) {
        let (status, answer) = self.world.host.curl(&[path]);
        assert_eq!(status, "200", "{name}: {answer}");
        self.keep(name, "GET", path, Value::Null, answer);
    }

    /// Sends a request, with why and for which deployment it is sent.
    fn post(&mut self, name: &str, path: &str, body: Value) -> Value {
        self.post_for(name, path, body, "200")
    }

    fn post_for(&mut self, name: &str, path: &str, mut body: Value, expected: &str) -> Value {
        body["reason"] = "release 7".into();
        body["deployment"] = "ci/7".into();
        let kind = "Content-Type: application/json";
        let text = body.to_string();
        let args = ["--header", kind, "--data", &text, path];
        let (status, answer) = self.world.host.curl(&args);
        assert_eq!(status, expected, "{name}: {answer}");
        self.keep(name, "POST", path, body, answer.clone());
        answer
    }

    fn keep(&mut self, name: &str, method: &str, path: &str, body: Value, answer: Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let exchange = Exchange {
            request: format!("{method} {path}"),
            query: query.to_owned(),
            body,
            answer,
        };
        self.exchanges.insert(name.to_owned(), exchange);
    }

    /// Keeps all events so far.
    fn events(&mut self) {
        let last = self.world.host.client().status().unwrap().last_event;
        let mut stream = UnixStream::connect(self.world.host.socket()).unwrap();
        let request = b"GET /v1/events?after=0 HTTP/1.0\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut events = Vec::<Value>::new();
        for line in BufReader::new(stream).lines() {
            if let Some(data) = line.unwrap().strip_prefix("data: ") {
                events.push(serde_json::from_str(data).unwrap());
            }
            if events.last().is_some_and(|event| event["id"] == last) {
                break;
            }
        }
        let path = "/v1/events?after=0";
        self.keep("events", "GET", path, Value::Null, events.into());
    }
}

/// Asks a host for what version 1 has.
fn exchanges(world: &World) -> Exchanges {
    let mut recorder = Recorder {
        world,
        exchanges: Exchanges::new(),
    };
    let (host, stage) = (&world.host, &world.host.stage);
    let file = world.artifact("second");
    let reload = |files: &[&Path]| json!({"plugins": null, "options": {"smoke": true}, "files": files, "force": false});
    recorder.post("check", "/v1/check", reload(&[file.as_path()]));
    let data = format!("@{}", file.display());
    let upload = "/v1/uploads?name=libchecked.so";
    let (status, uploaded) = host.curl(&["--data-binary", &data, upload]);
    assert_eq!(status, "200", "{uploaded}");
    recorder.keep("upload", "POST", upload, Value::Null, uploaded.clone());
    let deploy = json!({"builds": [uploaded["build"]], "options": {"smoke": true}, "force": false, "manifest": null});
    recorder.post("check_deploy", "/v1/deploy/check", deploy.clone());
    recorder.post("deploy", "/v1/deploy", deploy);
    let add: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    host.client().calls().unwrap();
    let patch = stage.swapper.patch("checked").by("the night shift");
    let patch = patch.after::<fn(u32) -> u32, _>("add", |sum: u32, _: u32| sum);
    patch.apply().unwrap();
    add.call(1).unwrap();
    recorder.get("status", "/v1/status");
    recorder.get("calls", "/v1/calls?count=true");
    recorder.get("patches", "/v1/patches");
    let back = json!({"count": 1});
    recorder.post(
        "roll_patches_back",
        "/v1/plugins/checked/patches/rollback",
        back.clone(),
    );
    recorder.post("redo_patches", "/v1/plugins/checked/patches/redo", back);
    recorder.get("patches_of", "/v1/plugins/checked/patches");
    let reset = json!({"count": null});
    recorder.post("reset_patches", "/v1/plugins/checked/patches/reset", reset);
    let back = json!({"steps": 1, "plugin": null, "build": null});
    recorder.post("rollback", "/v1/rollback", back);
    stage.install("checked", &checked("third"));
    recorder.post("reload", "/v1/reload", reload(&[]));
    recorder.post("confirm", "/v1/confirm", json!({}));
    recorder.post(
        "out_of_service",
        "/v1/plugins/checked/out-of-service",
        json!({}),
    );
    recorder.post("drain", "/v1/plugins/checked/drain", json!({"limit": 5.0}));
    recorder.get("plugin", "/v1/plugins/checked");
    recorder.post("resume", "/v1/plugins/checked/resume", json!({}));
    recorder.get("holders", "/v1/plugins/checked/holders");
    recorder.post("freeze", "/v1/freeze", json!({}));
    recorder.post_for("refused", "/v1/reload", reload(&[]), "409");
    recorder.post("unfreeze", "/v1/unfreeze", json!({}));
    recorder.get("health", "/v1/health?now=true");
    recorder.get("history", "/v1/history?limit=100");
    recorder.get("audit", "/v1/audit?limit=100");
    recorder.get("check_audit", "/v1/audit/check");
    recorder.events();
    recorder.exchanges
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control/v1")
}

/// Writes the files. Paths of this machine do not go into them.
fn write(world: &World, exchanges: &Exchanges) {
    let executable = std::env::current_exe().unwrap();
    let places = [
        (
            world.host.stage.dir().display().to_string(),
            "/opt/shop/plugins",
        ),
        (world.dir.path().display().to_string(), "/opt/shop/next"),
        (executable.display().to_string(), "/opt/shop/shop"),
    ];
    for (name, exchange) in exchanges {
        let value = json!({
            "request": exchange.request,
            "query": exchange.query,
            "body": exchange.body,
            "answer": exchange.answer,
        });
        let mut text = serde_json::to_string_pretty(&value).unwrap();
        for (place, name) in &places {
            text = text.replace(place, name);
        }
        let file = directory().join(name).with_extension("json");
        fs::write(file, text + "\n").unwrap();
    }
}

/// Reads the files.
fn recorded() -> Exchanges {
    let files = fs::read_dir(directory()).unwrap();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let text_of = |value: &Value| value.as_str().unwrap().to_owned();
        let exchange = Exchange {
            request: text_of(&value["request"]),
            query: text_of(&value["query"]),
            body: value["body"].take(),
            answer: value["answer"].take(),
        };
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, exchange)
    };
    files.map(|file| read(file.unwrap().path())).collect()
}

/// The places of values within a value, each with the types that are there.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn shape(value: &Value) -> Shape {
    fn add(value: &Value, place: &str, shape: &mut Shape) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        shape.entry(place.to_owned()).or_default().insert(kind);
        match value {
            Value::Array(items) => {
                let place = format!("{place}[]");
                items.iter().for_each(|item| add(item, &place, shape));
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    add(value, &format!("{place}.{name}"), shape);
                }
            }
            _ => {}
        }
    }
    let mut shape = Shape::new();
    add(value, "", &mut shape);
    shape
}

/// Asserts that a value has all fields of another one, of the same types.
fn has_all_of(name: &str, value: &Value, recorded: &Value) {
    let present = shape(value);
    for (place, mut types) in shape(recorded) {
        let Some(there) = present.get(&place) else {
            // A window that is confirmed closes a moment earlier or later than its host answers.
            let above = |at: &str| place.starts_with(&format!("{at}."));
            let is_in_null =
                |(at, types): (&String, &BTreeSet<_>)| above(at) && types.contains("null");
            assert!(present.iter().any(is_in_null), "{name}: {place} is gone");
            continue;
        };
        let mut there = there.clone();
        there.remove("null");
        // A field that was always null in the recording may have any type.
        if types.remove("null") && types.is_empty() {
            continue;
        }
        assert!(
            there.is_subset(&types),
            "{name}: {place} was {types:?}, and is {there:?}"
        );
    }
}

#[test]
fn a_host_takes_the_requests_of_version_1_and_its_answers_have_all_that_they_had() {
    let world = World::new();
    let exchanges = exchanges(&world);
    if std::env::var_os("HOTSWAP_TEST_RECORD").is_some() {
        write(&world, &exchanges);
    }
    let recorded = recorded();
    assert_eq!(
        recorded.keys().collect::<Vec<_>>(),
        exchanges.keys().collect::<Vec<_>>()
    );
    for (name, old) in &recorded {
        let new = &exchanges[name];
        assert_eq!(old.request, new.request);
        assert_eq!(
            shape(&old.body),
            shape(&new.body),
            "{name}: record the new field"
        );
        has_all_of(name, &new.answer, &old.answer);
    }
    world.host.close();
}

/// Returns a host that answers as the files say.
fn of_files() -> Peer {
    let recorded = recorded();
    let answers: BTreeMap<_, _> = recorded
        .into_iter()
        .filter(|(name, _)| name != "refused")
        .map(|(_, exchange)| (exchange.request, exchange.answer))
        .collect();
    Peer::new(move |asked, mut client| {
        let Some(answer) = answers.get(&asked.request) else {
            let failure = json!({"kind": "not_found", "message": "this host has no such path"});
            let failure = failure.to_string();
            return peer::send(&mut client, "404", "application/json", failure.as_bytes());
        };
        if asked.request != "GET /v1/events" {
            let answer = answer.to_string();
            return peer::send(&mut client, "200 OK", "application/json", answer.as_bytes());
        }
        peer::begin_events(&mut client)?;
        let after = asked.query.strip_prefix("after=").unwrap_or_default();
        let after: u64 = after.parse().unwrap();
        for event in answer.as_array().unwrap() {
            if event["id"].as_u64() > Some(after) {
                write!(client, "id: {}\ndata: {event}\n\n", event["id"])?;
            }
        }
        // The stream goes on until the client has gone.
        client.read_exact(&mut [0])
    })
}

#[test]
fn the_commands_read_what_a_host_of_version_1_has_said_and_send_it_nothing_else() {
    let recorded = recorded();
    let host = of_files();
    let json_of = |args: &[&str]| {
        let ran = ran_at(&host.socket(), args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        let values = serde_json::Deserializer::from_str(&ran.stdout).into_iter();
        values.collect::<Result<Vec<Value>, _>>().unwrap()
    };
    for (name, args) in [
        ("status", &["status", "--json"][..]),
        ("health", &["health", "--json"]),
        ("history", &["history", "--json"]),
        ("audit", &["audit", "--json"]),
        ("check_audit", &["audit", "verify", "--json"]),
        ("check", &["check", "--json"]),
        ("patches", &["patches", "--json"]),
    ] {
        has_all_of(name, &json_of(args)[0], &recorded[name].answer);
    }
    let status = &recorded["status"].answer;
    let logs = json_of(&["logs", "--json"]);
    let events = recorded["events"].answer.as_array().unwrap().iter();
    let events = events.filter(|event| event["id"].as_u64() <= status["last_event"].as_u64());
    let events: Vec<_> = events.cloned().collect();
    assert_eq!(logs.len(), events.len());
    has_all_of("logs", &logs.into(), &events.into());

    let file = fixture::library("checked");
    let text = |name: &str| recorded[name].answer["text"].as_str().unwrap().to_owned();
    for (args, expected) in [
        (&["status"][..], "checked"),
        (&["health"], "patient"),
        (&["history", "--steps"], "release 7"),
        (&["audit"], "ci/7"),
        (&["audit", "verify"], "as they were written"),
        (&["check", file.to_str().unwrap()], &text("check")),
        (&["reload", "--no-wait", "--force"], &text("reload")),
        (&["rollback"], &text("rollback")),
        (&["confirm"], "is permanent"),
        (&["drain", "checked", "--reason", "slow"], "out of service"),
        (&["resume", "checked", "--deployment", "ci/7"], "in service"),
        (&["freeze"], "refuses"),
        (&["unfreeze"], "accepts"),
        (&["patches"], "the night shift"),
        (&["logs"], "release 7"),
    ] {
        let ran = ran_at(&host.socket(), args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        assert!(ran.stdout.contains(expected), "{args:?}: {ran:?}");
    }
    let fields = |body: &Value| -> BTreeSet<String> {
        let fields = body.as_object().into_iter().flatten();
        fields.map(|(name, _)| name.clone()).collect()
    };
    for asked in host.asked() {
        let mut known = recorded.values();
        let known = known.find(|it| it.request == asked.request);
        let known = known.unwrap_or_else(|| panic!("{} is new", asked.request));
        let body = serde_json::from_slice(&asked.body).unwrap_or_default();
        let (sent, known) = (fields(&body), fields(&known.body));
        assert!(sent.is_subset(&known), "{}: {sent:?}", asked.request);
    }
}
