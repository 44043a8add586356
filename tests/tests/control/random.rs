//! Random requests: the endpoint answers each of them, or closes the connection, and goes on.
//!
//! `HOTSWAP_TEST_CASES` sets their number, and `HOTSWAP_TEST_SEED` chooses them. A request that fails is kept in
//! `tests/control/regressions.txt`, and is sent first from then on.
use crate::support::{Controlled, checked};
use hotswap_operate::{AuditResult, History};
use hotswap_tests::{fixture, setting, until};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "get"];

/// All paths but that of the events, whose answer does not end.
const PATHS: [&str; 22] = [
    "/",
    "/metrics",
    "/v1/status",
    "/v1/health?now=true",
    "/v1/history?limit=3",
    "/v1/history?limit=-1",
    "/v1/audit?limit=18446744073709551615",
    "/v1/audit?limit=99999999999999999999999",
    "/v1/audit/check",
    "/v1/openapi.json",
    "/v1/reload",
    "/v1/check",
    "/v1/rollback",
    "/v1/confirm",
    "/v1/freeze",
    "/v1/unfreeze",
    "/v1/plugins/checked",
    "/v1/plugins/checked/metadata",
    "/v1/plugins/checked/drain",
    "/v1/plugins/checked/resume",
    "/v1/plugins/..%2f..%2f%00/out-of-service",
    "/v1/plugins/%ff%fe/holders",
];

const FIELDS: [&str; 14] = [
    "plugins",
    "options",
    "files",
    "force",
    "reason",
    "deployment",
    "steps",
    "plugin",
    "build",
    "limit",
    "Reason",
    "",
    "__proto__",
    "options\u{0}",
];

const VALUES: [&str; 22] = [
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "-0.0",
    "18446744073709551616",
    "\"\"",
    "\"checked\"",
    "\"../../etc/passwd\"",
    "\"a b\"",
    "\"\\u0000\\u001b[31m\\u202e\"",
    "\"\\ud800\"",
    "[]",
    "[\"checked\"]",
    "[\"chekced\", 7]",
    "[\"/dev/zero\", \"/etc/passwd\"]",
    "{}",
    "{\"smoke\": \"perhaps\"}",
    "{\"drain_limit\": -1}",
    "{\"\": {}}",
    "[[[[[[[[]]]]]]]]",
];

const HEADERS: [&str; 9] = [
    "Host: host",
    "Content-Type: application/json",
    "Content-Type: text/plain",
    "Content-Type: application/json; charset=utf-8",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Content-Length: 18446744073709551615",
    "Authorization: Bearer x",
    "X: \u{1}",
];

/// Returns a body: an object with some fields, or any bytes.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let field = (select(&FIELDS[..]), select(&VALUES[..]));
    let object = vec(field, 0..5).prop_map(|fields| {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| format!("{name:?}: {value}"));
        let fields: Vec<_> = fields.collect();
        format!("{{{}}}", fields.join(", ")).into_bytes()
    });
    prop_oneof![8 => object, 1 => vec(any::<u8>(), 0..200), 1 => Just(vec![b'['; 70_000])]
}

/// Returns a request that is one, or nearly, or not at all.
///
/// Of one that is, there is an answer. Behind any other, the client closes its side, so that the endpoint does not wait.
fn requests() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let head = (select(&METHODS[..]), select(&PATHS[..]));
    let headers = vec(select(&HEADERS[..]), 0..4);
    let request = (head, headers, bodies(), any::<bool>());
    let request = request.prop_map(|((method, path), headers, body, is_plain)| {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if is_plain {
            let json = "Content-Type: application/json\r\n";
            request += &format!("Host: host\r\n{json}Content-Length: {}\r\n", body.len());
        } else {
            headers
                .iter()
                .for_each(|header| request += &format!("{header}\r\n"));
        }
        request += "\r\n";
        // The endpoint does not read all of a body that is too long.
        let is_known = is_plain && body.len() < 60_000 && !["get", "HEAD"].contains(&method);
        ([request.into_bytes(), body].concat(), is_known)
    });
    // A byte is changed, or the end is missing.
    let broken = (request.boxed(), any::<(u16, u8, bool)>());
    let broken = broken.prop_map(|((mut request, is_known), (at, byte, cut))| {
        let at = usize::from(at) % (request.len() * 4);
        match request.get_mut(at) {
            Some(_) if cut => request.truncate(at),
            Some(changed) => *changed = byte,
            None => return (request, is_known),
        }
        (request, false)
    });
    let bytes = vec(any::<u8>(), 0..300).prop_map(|bytes| (bytes, false));
    prop_oneof![12 => broken, 1 => bytes]
}

/// Sends a request, and perhaps says that nothing comes after it. Returns what has come until the endpoint has closed the connection.
fn answer(socket: &Path, request: &[u8], ends: bool) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    // The endpoint may have closed it before it has read all of it.
    let _ = stream.write_all(request);
    if ends {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn random_requests_are_answered_and_recorded_and_change_nothing_else() {
    let seed = setting("HOTSWAP_TEST_SEED", 1);
    let cases = setting("HOTSWAP_TEST_CASES", 400);
    println!("HOTSWAP_TEST_SEED={seed} HOTSWAP_TEST_CASES={cases}");
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder);
    let socket = host.socket();
    let config = Config {
        cases: cases
            .try_into()
            .expect("the number of cases fits into 32 bits"),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/control/regressions.txt",
        ))),
        ..Config::default()
    };
    let told = TestRunner::new(config).run(&requests(), |(request, is_known)| {
        let answer = answer(&socket, &request, !is_known);
        let text = String::from_utf8_lossy(&answer);
        let status = text
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let status = status.unwrap_or("none");
        let expected = [
            "none", "100", "200", "400", "404", "405", "409", "413", "431", "414",
        ];
        prop_assert!(expected.contains(&status), "{}", text);
        prop_assert!(!is_known || status != "none");
        Ok(())
    });
    told.unwrap_or_else(|error| panic!("{error}"));
    // What was begun ends, also where the client has gone.
    until("the ends of all requests", || {
        let records = history.audit(100_000).unwrap();
        let begun = records.iter().filter(|it| it.result == AuditResult::Begun);
        begun.count() == records.iter().filter(|it| it.begun.is_some()).count()
    });
    // It goes on with the build that it had. Requests may have frozen it.
    host.ok(&["unfreeze"]);
    host.ok(&["resume", "checked"]);
    let live = host.client().plugin("checked").unwrap().build_id;
    assert_eq!(live, fixture::build_id(&checked("first")).to_string());
    let check = history.verify_audit().unwrap();
    assert_eq!(check.broken, None);
    let records = history.audit(100_000).unwrap();
    assert!(records.iter().any(|it| it.result == AuditResult::Done));
    assert!(records.iter().any(|it| it.result == AuditResult::Invalid));
    assert!(records.iter().all(|it| it.result != AuditResult::Failed));
    host.close();
}
