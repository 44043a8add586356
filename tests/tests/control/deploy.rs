//! Deployments: what is uploaded, what becomes live, and what a deployment on several hosts leaves behind.
use crate::stream::until;
use crate::support::{Controlled, Ran, checked};
use hotswap_control::api::{DeployRequest, FailureKind, ReloadRequest};
use hotswap_control::{Client, ClientError};
use hotswap_host::{Builder, ReloadEventKind, runtime};
use hotswap_operate::{AuditRecord, AuditResult, History};
use hotswap_signature::{Keys, Manifest, PublicKey, RequireSignatures, Signature};
use hotswap_tests::fixture::{self, Build};
use minisign::KeyPair;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Options with which a host has to be healthy for a moment only.
const SHORT: [&str; 3] = ["--watch", "50ms", "--interval=0.01"];

/// A host with a history.
struct Place {
    host: Controlled,
    history: Arc<History>,
    state: TempDir,
}

impl Place {
    fn new() -> Self {
        Place::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let state = tempfile::tempdir().unwrap();
        let history = History::open(state.path()).unwrap();
        let host = Controlled::with_history(history.clone(), settings);
        Place {
            host,
            history,
            state,
        }
    }

    /// A host in which each reload fails in its rollback window.
    fn failing(reason: &'static str, meanwhile: impl Fn() + Send + Sync + 'static) -> Self {
        Place::with(|builder| {
            builder.observe(move |event| {
                if let ReloadEventKind::Completed(report) = &event.kind
                    && let Some(window) = &report.window
                {
                    meanwhile();
                    window.report_failure(reason);
                }
            })
        })
    }

    /// Returns the orders of the live build.
    fn orders(&self) -> String {
        orders(&self.host)
    }

    fn close(self) {
        self.host.close();
    }

    /// Ends the host, and starts another one with the same directories.
    fn restarted(self) -> Self {
        let Place {
            mut host,
            history,
            state,
        } = self;
        host.serving = None;
        let dir = host.stage.close_keeping_dir();
        drop(history);
        let history = History::open(state.path()).unwrap();
        Place {
            host: Controlled::in_dir(dir, history.clone(), |builder| builder),
            history,
            state,
        }
    }
}

fn orders(host: &Controlled) -> String {
    let orders = host.stage.swapper.invoke("checked", "orders", &[]);
    orders.unwrap().as_str().unwrap().to_owned()
}

/// A file with a build, outside of all plugin directories.
fn artifact(orders: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fixture::install(&checked(orders), "checked", dir.path());
    let file = dir.path().join(fixture::file_name("checked"));
    (dir, file)
}

fn deploy(artifact: &Path, places: &[&Place], args: &[&str]) -> Ran {
    let mut command = fixture::hotswap();
    command.arg("deploy").arg(artifact).args(args);
    for place in places {
        command.arg("--host").arg(place.host.socket());
    }
    let output = command
        .args(["--color", "never"])
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// A host in a process of its own, with a history.
struct Process {
    child: Child,
    /// The host prints to it.
    output: BufReader<ChildStdout>,
    dir: TempDir,
    state: TempDir,
}

impl Process {
    fn new(failure: Option<&str>) -> Self {
        let (dir, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fixture::install(&checked("first"), "checked", dir.path());
        Process::start(dir, state, failure)
    }

    fn start(dir: TempDir, state: TempDir, failure: Option<&str>) -> Self {
        let mut command = fixture::host();
        command
            .arg(dir.path())
            .env("HOTSWAP_TEST_STATE", state.path());
        if let Some(failure) = failure {
            command.env("HOTSWAP_TEST_FAILURE", failure);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "open\n");
        Process {
            child,
            output,
            dir,
            state,
        }
    }

    fn client(&self) -> Client {
        let mut hosts = runtime::hosts().into_iter();
        let host = hosts.find(|host| host.pid == self.child.id());
        Client::of_host(&host.expect("the host is running"))
    }

    /// Asserts that the host runs the build with these orders, and will not revert.
    fn runs(&self, orders: &str) {
        let status = self.client().status().unwrap();
        let build = fixture::build_id(&checked(orders)).to_string();
        assert_eq!(status.plugins[0].build_id, build);
        assert_eq!(status.window, None);
    }

    /// Returns the result and the text of the newest entry of the history that has this text.
    fn told(&self, wanted: &str) -> (String, String) {
        let attempts = self.client().history(20).unwrap();
        let told = attempts
            .iter()
            .map(|it| (it.result.clone(), format!("{}: {}", it.cause, it.detail)));
        let found = told.into_iter().find(|(_, text)| text.contains(wanted));
        found.unwrap_or_else(|| panic!("{wanted}: {attempts:?}"))
    }

    /// Ends the host, and starts another one with the same directories.
    fn restarted(mut self) -> Self {
        self.end();
        let Process { dir, state, .. } = self;
        Process::start(dir, state, None)
    }

    /// The host ends with its input.
    fn end(&mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
    }
}

#[test]
fn the_third_of_three_hosts_reverts_and_all_are_on_the_old_build() {
    let (_dir, file) = artifact("second");
    let hosts = [None, None, Some("the disk is full")].map(Process::new);
    let mut command = fixture::hotswap();
    command.arg("deploy").arg(&file).args(SHORT);
    command.args(["--reason", "release 7", "--deployment", "ci/7"]);
    for host in &hosts {
        command.args(["--host", &host.child.id().to_string()]);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("the deployment has failed on "), "{told}");
    assert!(told.contains("the disk is full"), "{told}");
    for host in &hosts {
        host.runs("first");
        // A reload finds nothing to do.
        let report = host.client().reload(&ReloadRequest::default()).unwrap();
        assert_eq!(report.text, "checked: unchanged");
    }
    for host in &hosts[..2] {
        let (result, back) = host.told("the deployment has failed on");
        assert_eq!(result, "permanent");
        assert!(back.contains("(deployment ci/7): ") && back.contains("the disk is full"));
        assert_eq!(host.told(": release 7").0, "permanent");
    }
    let (result, text) = hosts[2].told(": release 7");
    assert_eq!(result, "reverted");
    assert!(text.contains("the disk is full"), "{text}");
    for host in hosts {
        let mut host = host.restarted();
        host.runs("first");
        host.end();
    }
}

#[test]
fn what_is_deployed_stays_until_the_file_in_the_directory_changes() {
    let (_dir, file) = artifact("second");
    let place = Place::new();
    let before = std::fs::read_dir(place.host.stage.dir()).unwrap().count();
    let ran = deploy(&file, &[&place], &[&SHORT[..], &["--json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["deployed"], true);
    assert_eq!(told["hosts"][0]["result"], "permanent");
    let build = fixture::build_id(&checked("second")).to_string();
    assert_eq!(told["builds"]["checked"], build);
    assert!(told["deployment"].as_str().unwrap().starts_with("deploy-"));
    assert_eq!(place.orders(), "second");
    let status = place.host.client().status().unwrap();
    assert!(status.plugins[0].deployed);
    // Nothing has been written to the plugin directory, and the store has the build.
    let after = std::fs::read_dir(place.host.stage.dir()).unwrap().count();
    assert_eq!(before, after);
    assert!(place.history.build(&build).is_ok());
    // The audit has who has sent it, and that it was deployed.
    let records = place.history.audit(10).unwrap();
    let told: Vec<_> = records.iter().rev().collect();
    let [upload, begun, done] = &*told else {
        panic!("{told:?}")
    };
    assert_eq!(
        (&*upload.what, upload.result),
        ("upload", AuditResult::Done)
    );
    assert_eq!(upload.outcome, format!("checked {build}"));
    let name = upload.details.as_ref().unwrap();
    assert_eq!(name, r#"{"name":"libchecked.so"}"#);
    assert!(upload.who.starts_with("process "), "{}", upload.who);
    assert_eq!((&*begun.what, begun.result), ("deploy", AuditResult::Begun));
    assert_eq!((&*done.what, done.result), ("deploy", AuditResult::Done));

    // Deployed again, nothing changes.
    let ran = deploy(&file, &[&place], &[&SHORT[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["hosts"][0]["result"], "unchanged", "{ran:?}");

    // The file in the directory is the one that was there, so it does not count.
    let report = place.host.stage.swapper.reload().unwrap();
    assert_eq!(report.to_string(), "checked: unchanged");
    let place = place.restarted();
    assert_eq!(place.orders(), "second");
    assert!(place.host.client().status().unwrap().plugins[0].deployed);
    let report = place.host.stage.swapper.reload().unwrap();
    assert_eq!(report.to_string(), "checked: unchanged");

    // The deployed build in the directory is nothing new, and another one is.
    place.host.stage.swap("checked", &checked("second"));
    assert!(place.host.client().status().unwrap().plugins[0].deployed);
    place.host.stage.swap("checked", &checked("third"));
    assert_eq!(place.orders(), "third");
    assert!(!place.host.client().status().unwrap().plugins[0].deployed);
    // Back on the deployed set, with the file as it is.
    place.host.ok(&["rollback", "--reason", "slow"]);
    assert_eq!(place.orders(), "second");
    place.close();
}

#[test]
fn a_plugin_that_no_directory_has_is_deployed_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    fixture::install(&Build::First.bytes("guest"), "guest", dir.path());
    let file = dir.path().join(fixture::file_name("guest"));
    let place = Place::new();
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("guest: loaded"), "{ran:?}");
    let report = place.host.stage.swapper.reload().unwrap();
    assert!(!report.changed(), "{report}");
    let place = place.restarted();
    let names: Vec<_> = place.host.client().status().unwrap().plugins;
    assert_eq!(names.len(), 2, "{names:?}");
    place.host.ok(&["rollback"]);
    assert_eq!(place.host.client().status().unwrap().plugins.len(), 1);
    let report = place.host.stage.swapper.reload().unwrap();
    assert!(!report.changed(), "{report}");
    place.close();
}

#[test]
fn plugins_that_the_host_does_not_allow_or_holds_fast_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fixture::install(&Build::First.bytes("guest"), "guest", dir.path());
    let guest = dir.path().join(fixture::file_name("guest"));
    let place = Place::with(|builder| builder.allow(["checked"]).sticky("checked"));
    let ran = deploy(&guest, &[&place], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("guest"), "{ran:?}");
    let (_dir, file) = artifact("second");
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("sticky"), "{ran:?}");
    place.host.ok(&["freeze", "--reason", "the night"]);
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("refuses all changes"), "{ran:?}");
    assert!(!ran.stderr.contains("Uploading"), "{ran:?}");
    assert_eq!(place.orders(), "first");
    place.close();
}

#[test]
fn a_host_that_refuses_stops_the_deployment() {
    let (_dir, file) = artifact("fail smoke");
    let places = [Place::new(), Place::new()];
    let ran = deploy(&file, &[&places[0], &places[1]], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("smoke"), "{ran:?}");
    let ran = deploy(
        &file,
        &[&places[0], &places[1]],
        &[&SHORT[..], &["--json", "-q"]].concat(),
    );
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["hosts"][0]["result"], "refused");
    assert_eq!(told["hosts"][1]["result"], "untouched");
    assert!(told["error"].as_str().unwrap().contains("smoke"), "{told}");
    for place in places {
        assert_eq!(place.orders(), "first");
        place.close();
    }
}

#[test]
fn a_dry_run_sends_the_builds_and_changes_nothing() {
    let (_dir, file) = artifact("second");
    let place = Place::new();
    let ran = deploy(&file, &[&place], &["--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains(": compatible"), "{ran:?}");
    assert_eq!(place.host.client().status().unwrap().generation, 1);
    place.close();
}

#[test]
fn hosts_that_cannot_go_back_have_a_code_of_their_own() {
    let (_dir, file) = artifact("second");
    let one = Place::new();
    // Somebody reloads the first host while the second one fails.
    let (swapper, dir) = (
        one.host.stage.swapper.clone(),
        one.host.stage.dir().to_owned(),
    );
    let two = Place::failing("too slow", move || {
        fixture::install(&checked("third"), "checked", &dir);
        std::thread::scope(|scope| {
            let reload = scope.spawn(|| swapper.reload().map(drop));
            reload.join().unwrap().unwrap();
        });
    });
    let ran = deploy(&file, &[&one, &two], &SHORT);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.stderr.contains("not rolled back: "), "{ran:?}");
    assert!(ran.stderr.contains("another build of checked"), "{ran:?}");
    assert_eq!((&*one.orders(), &*two.orders()), ("third", "first"));
    two.close();
    one.close();
}

#[test]
fn files_that_are_no_plugins_are_refused_before_anything_is_sent() {
    let place = Place::new();
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("libchecked.so.tar.gz");
    std::fs::write(&archive, b"\x1f\x8b\x08\x00an archive").unwrap();
    let ran = deploy(&archive, &[&place], &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("is not a library"), "{ran:?}");
    let (_one, one) = artifact("second");
    let (_two, two) = artifact("third");
    let ran = deploy(&one, &[&place], &[two.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("builds of one plugin, checked"));
    let nobody = fixture::hotswap()
        .arg("deploy")
        .arg(&one)
        .args(["--host", "/nowhere/control.sock"])
        .output();
    assert_eq!(nobody.unwrap().status.code(), Some(5));
    place.close();
}

#[test]
fn bad_uploads_are_refused() {
    let place = Place::new();
    let client = place.host.client();
    let refused = |answer: Result<_, ClientError>| match answer {
        Err(ClientError::Failure(failure)) => (failure.kind, failure.message),
        other => panic!("{other:?}"),
    };
    // Half of one leaves a record, and nothing else.
    let mut half = UnixStream::connect(place.host.socket()).unwrap();
    let head = "POST /v1/uploads HTTP/1.1\r\nHost: host\r\nContent-Length: 5000\r\n\r\n\x7fELF";
    half.write_all(head.as_bytes()).unwrap();
    drop(half);
    hotswap_tests::until("the upload is recorded", || {
        let records = place.history.audit(1).unwrap();
        let is_it = |record: &AuditRecord| {
            (&*record.what, record.result) == ("upload", AuditResult::Invalid)
        };
        records.first().is_some_and(is_it)
    });
    let record = place.history.audit(1).unwrap().remove(0);
    assert!(record.outcome.contains("the upload"), "{}", record.outcome);

    assert!(!place.state.path().join("uploads").exists());
    // One whose client leaves before the answer is taken, and recorded.
    let whole = checked("third");
    let mut gone = UnixStream::connect(place.host.socket()).unwrap();
    let head = "POST /v1/uploads HTTP/1.1\r\nHost: host\r\nContent-Length:";
    write!(gone, "{head} {}\r\n\r\n", whole.len()).unwrap();
    gone.write_all(&whole).unwrap();
    drop(gone);
    let id = fixture::build_id(&whole).to_string();
    hotswap_tests::until("the whole upload is recorded", || {
        let record = place.history.audit(1).unwrap().remove(0);
        record.result == AuditResult::Done && record.outcome.contains(&id)
    });

    let build = checked("second");
    for name in ["../libchecked.so", "/etc/passwd", "..", "a\\b", "a\nb", ""] {
        let found = refused(client.upload(name, &build, None));
        assert_eq!(found.0, FailureKind::Request, "{name:?}: {}", found.1);
    }
    for bytes in [
        &b"PK\x03\x04 a zip"[..],
        b"\x1f\x8b\x08\x00",
        b"",
        &build[..9000],
    ] {
        let (kind, text) = refused(client.upload("x.so", bytes, None));
        assert_eq!(kind, FailureKind::Refused, "{text}");
        assert!(text.contains("x.so "), "{text}");
        let record = place.history.audit(1).unwrap().remove(0);
        assert_eq!(
            (&*record.what, record.result),
            ("upload", AuditResult::Refused)
        );
        assert_eq!(record.outcome, text);
    }
    let long = "s".repeat(20_000);
    let found = refused(client.upload("x.so", &build, Some(&long)));
    assert_eq!(found.0, FailureKind::Request);

    // One that says that it is too large is refused before it is sent.
    let mut large = UnixStream::connect(place.host.socket()).unwrap();
    let head = "POST /v1/uploads HTTP/1.1\r\nHost: host\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n";
    large.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = large.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("at most 512 MiB"), "{answer}");

    // Builds that were not uploaded cannot be deployed, also if the host runs them.
    let mut request = DeployRequest::default();
    let found = |answer: Result<_, ClientError>| match answer {
        Err(ClientError::Failure(failure)) => failure.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(found(client.deploy(&request)), FailureKind::Request);
    request.builds = vec!["no build".into()];
    assert_eq!(found(client.deploy(&request)), FailureKind::Request);
    request.builds = vec![fixture::build_id(&checked("first")).to_string()];
    assert_eq!(found(client.deploy(&request)), FailureKind::Refused);

    // The same one may come twice.
    let first = client.upload("x.so", &build, None).unwrap();
    assert_eq!(client.upload("y.so", &build, None).unwrap(), first);
    assert_eq!(first.plugin, "checked");
    place.close();

    let without = Controlled::new();
    let found = refused(without.client().upload("x.so", &build, None));
    assert_eq!(found.0, FailureKind::NotFound);
    assert!(found.1.contains("no history"), "{}", found.1);
    without.close();
}

#[test]
fn a_host_that_requires_signatures_gets_them_with_the_builds() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let public: PublicKey = pair.pk.to_base64().parse().unwrap();
    let sign = |bytes: &[u8]| {
        let signed = minisign::sign(None, &pair.sk, bytes, Some("a comment"), None);
        signed.unwrap().into_string()
    };
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let signatures = RequireSignatures::by(Keys::from(public));
    let dir = tempfile::tempdir().unwrap();
    fixture::install(&checked("first"), "checked", dir.path());
    let installed = dir.path().join(fixture::file_name("checked"));
    std::fs::write(Signature::path(&installed), sign(&checked("first"))).unwrap();
    let place = Place {
        host: Controlled::in_dir(dir, history.clone(), |builder| builder.examiner(signatures)),
        history,
        state,
    };
    let (_dir, file) = artifact("second");
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("sent without a signature"), "{ran:?}");
    let beside = format!("{}.minisig", file.display());
    std::fs::write(&beside, sign(&checked("first"))).unwrap();
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("does not fit"), "{ran:?}");
    assert_eq!(place.orders(), "first");
    let signature = sign(&checked("second"));
    std::fs::write(&beside, &signature).unwrap();
    let ran = deploy(&file, &[&place], &SHORT);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(place.orders(), "second");
    let build = fixture::build_id(&checked("second"));
    let kept = place.history.evidence(build).unwrap();
    assert_eq!(kept, signature.as_bytes());
    place.close();
}

#[test]
fn a_deployment_brings_the_manifest_of_its_set_along() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let public: PublicKey = pair.pk.to_base64().parse().unwrap();
    // Writes a file with its signature.
    let signed = |file: &Path, bytes: &[u8]| {
        let signature = minisign::sign(None, &pair.sk, bytes, Some("a comment"), None);
        std::fs::write(file, bytes).unwrap();
        std::fs::write(Signature::path(file), signature.unwrap().into_string()).unwrap();
    };
    let list = |file: &Path, version: u64, orders: &str| {
        let builds = [("checked".into(), fixture::build_id(&checked(orders)))];
        let manifest = Manifest::new(version, 4_000_000_000, &builds.into());
        signed(file, &serde_json::to_vec(&manifest).unwrap());
    };
    let state = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (own, memory) = (dir.path().join("set.json"), state.path().join("version"));
    signed(
        &dir.path().join(fixture::file_name("checked")),
        &checked("first"),
    );
    list(&own, 1, "first");
    let history = History::open(state.path()).unwrap();
    let policy = RequireSignatures::by(Keys::from(public)).manifest(own, &memory);
    let place = Place {
        host: Controlled::in_dir(dir, history.clone(), |builder| builder.examiner(policy)),
        history,
        state,
    };
    let sent = tempfile::tempdir().unwrap();
    let file = sent.path().join(fixture::file_name("checked"));
    let set = sent.path().join("next.json");
    signed(&file, &checked("second"));
    let with = |more: &[&str]| {
        let manifest = ["--manifest", set.to_str().unwrap()];
        deploy(&file, &[&place], &[&SHORT[..], &manifest, more].concat())
    };
    let refused = |ran: Ran, code: i32, text: &str| {
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
        assert_eq!(place.orders(), "first");
    };
    // The manifest on the disk of the host is that of another set.
    let text = "but the manifest of version 1 has build";
    refused(deploy(&file, &[&place], &SHORT), 1, text);
    list(&set, 2, "third");
    refused(with(&[]), 1, "but the manifest of version 2 has build");
    list(&set, 2, "second");
    let text = std::fs::read_to_string(&set).unwrap();
    std::fs::write(&set, text.replace(":2,", ":9,")).unwrap();
    refused(
        with(&[]),
        1,
        "the manifest next.json: the signature by the key",
    );
    std::fs::remove_file(Signature::path(&set)).unwrap();
    refused(with(&[]), 6, "has no signature beside it");
    list(&set, 2, "second");
    let ran = with(&["--dry-run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let version = || std::fs::read_to_string(&memory).unwrap();
    assert!(version().starts_with("1 "), "{}", version());

    let ran = with(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(place.orders(), "second");
    assert!(version().starts_with("2 "), "{}", version());
    // An older signed manifest cannot be sent again in its place, nor can another one with the same version.
    signed(&file, &checked("third"));
    for (number, text) in [
        (1, "version 1, but version 2 was accepted before"),
        (2, "another manifest of version 2 was accepted before"),
    ] {
        list(&set, number, "third");
        let ran = with(&[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains(text), "{ran:?}");
        assert_eq!(place.orders(), "second");
    }
    place.close();
}

#[test]
fn a_deployment_that_is_interrupted_takes_back_what_it_has_begun() {
    let (_dir, file) = artifact("second");
    let (one, two) = (Place::new(), Place::new());
    let events = |place: &Place| place.host.client().events(None).unwrap();
    let (mut of_one, mut of_two) = (events(&one), events(&two));
    let mut command = fixture::hotswap();
    command.arg("deploy").arg(&file).args(["--watch", "1h"]);
    for place in [&one, &two] {
        command.arg("--host").arg(place.host.socket());
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = command.spawn().unwrap();
    // An operator knows that the first host is healthy.
    until(&mut of_one, "completed");
    one.host.ok(&["confirm"]);
    until(&mut of_two, "completed");
    let pid = command.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(command.wait().unwrap().code(), Some(130));
    assert_eq!((&*one.orders(), &*two.orders()), ("first", "first"));
    one.close();
    two.close();
}
