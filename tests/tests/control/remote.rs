//! The endpoint on a TCP address: who is let in, and who is not.
use crate::support::{Controlled, Ran, checked};
use hotswap_control::api::{FailureKind, ReloadRequest, Role};
use hotswap_control::{Client, ClientError, Control, ControlError, RemoteHost, Tcp, TcpError};
use hotswap_operate::{AuditRecord, AuditResult, History};
use hotswap_tests::{Pki, fixture, until};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The SHA-256 of `look-secret`, `operate-secret`, and so on, as `sha256sum` prints them.
fn line(id: &str, role: &str, expires: &str, token: &str) -> String {
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = sum.stdin.take().unwrap();
    input.write_all(token.as_bytes()).unwrap();
    drop(input);
    let output = sum.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let hash = text.split(' ').next().unwrap();
    format!("{id} {role} {expires} {hash}\n")
}

/// A host that is reached over TCP.
pub struct Remote {
    pub host: Controlled,
    history: Arc<History>,
    pub pki: Pki,
    address: SocketAddr,
    _state: TempDir,
}

/// The answer to a request by `curl`.
#[derive(Debug)]
struct Answer {
    /// The exit code of `curl`.
    code: Option<i32>,
    status: String,
    head: String,
    body: String,
}

impl Remote {
    pub fn new() -> Self {
        Remote::with(|tcp, _| tcp)
    }

    fn with(more: impl FnOnce(Tcp, &Pki) -> Tcp) -> Self {
        let pki = Pki::new();
        let lines = [
            "# id role expires hash\n".to_owned(),
            line("watcher", "look", "never", "look-secret"),
            line("ci", "operate", "2090-01-01", "operate-secret"),
            line("root", "administer", "never", "administer-secret"),
            line("old", "administer", "2020-01-01", "old-secret"),
        ];
        fs::write(pki.path("tokens"), lines.concat()).unwrap();
        fs::set_permissions(pki.path("tokens"), Permissions::from_mode(0o600)).unwrap();
        let tcp = Remote::settings(&pki)
            .tokens(pki.path("tokens"))
            .authorities(pki.path("ca.pem"))
            .certificate("CN=deploy,O=Shop", Role::Operate);
        let tcp = more(tcp, &pki);
        let state = tempfile::tempdir().unwrap();
        let history = History::open(state.path()).unwrap();
        let control = Control::new().history(history.clone()).tcp(tcp);
        let host = Controlled::serving(control, |builder| builder.journal(history.clone()));
        let address = host.serving.as_ref().unwrap().address().unwrap();
        Remote {
            host,
            history,
            pki,
            address,
            _state: state,
        }
    }

    fn settings(pki: &Pki) -> Tcp {
        let address = "127.0.0.1:0".parse().unwrap();
        Tcp::new(address, pki.path("host.pem"), pki.path("host.key"))
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Asks with `curl`, which checks the host's certificate.
    fn curl(&self, args: &[&str]) -> Answer {
        let (path, options) = args.split_last().unwrap();
        let output = Command::new("curl")
            .args([
                "--silent",
                "--dump-header",
                "/dev/stderr",
                "--write-out",
                "\n%{http_code}",
            ])
            .arg("--cacert")
            .arg(self.pki.path("ca.pem"))
            .args(options)
            .arg(format!("{}{path}", self.url()))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        Answer {
            code: output.status.code(),
            status: status.to_owned(),
            head: String::from_utf8_lossy(&output.stderr).to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn with_token(&self, token: &str, args: &[&str]) -> Answer {
        let header = format!("Authorization: Bearer {token}");
        self.curl(&[&["--header", &header][..], args].concat())
    }

    fn with_certificate(&self, name: &str, args: &[&str]) -> Answer {
        let (certificate, key) = (
            self.pki.path(&format!("{name}.pem")),
            self.pki.path(&format!("{name}.key")),
        );
        let options = [
            "--cert",
            certificate.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ];
        self.curl(&[&options[..], args].concat())
    }

    fn remote(&self) -> RemoteHost {
        RemoteHost::new(self.url(), self.pki.path("ca.pem"))
    }

    fn client(&self, token: &str) -> Client {
        Client::of_remote(&self.remote().token(token)).unwrap()
    }

    /// Returns the last record of a request that was denied.
    fn denied(&self) -> AuditRecord {
        let records = self.history.audit(100).unwrap();
        let mut denied = records
            .into_iter()
            .filter(|it| it.result == AuditResult::Denied);
        denied.next().expect("a request was denied")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = fixture::hotswap();
        command
            .args(args)
            .args(["--color", "never", "--host", &self.url(), "--ca"])
            .arg(self.pki.path("ca.pem"))
            .env_remove("HOTSWAP_TOKEN")
            .stdin(Stdio::null());
        command
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[test]
fn each_role_may_do_what_it_may_and_no_more() {
    let remote = Remote::new();
    let post = ["--request", "POST"];
    let reload = [&post[..], &["/v1/reload"]].concat();
    let freeze = [&post[..], &["/v1/freeze"]].concat();
    let unfreeze = [&post[..], &["/v1/unfreeze"]].concat();
    let status = |token: &str, args: &[&str]| remote.with_token(token, args).status;
    for token in ["look-secret", "operate-secret", "administer-secret"] {
        for path in [
            "/v1/status",
            "/v1/audit",
            "/v1/openapi.json",
            "/v1/plugins/checked",
        ] {
            assert_eq!(status(token, &[path]), "200", "{token} {path}");
        }
        assert_eq!(status(token, &["--head", "/v1/status"]), "200");
        assert_eq!(status(token, &["/v1/nothing"]), "404");
    }
    let answer = remote.with_token("look-secret", &reload);
    assert_eq!(answer.status, "403");
    let text =
        "token watcher from 127.0.0.1 has the role look, and `reload` needs the role operate";
    assert!(answer.body.contains(text), "{answer:?}");
    let denied = remote.denied();
    assert_eq!(denied.who, "token watcher from 127.0.0.1");
    assert_eq!((&*denied.what, denied.outcome.as_str()), ("reload", text));
    assert_eq!(status("operate-secret", &reload), "200");
    assert_eq!(status("operate-secret", &freeze), "403");
    assert_eq!(remote.denied().what, "freeze");
    assert_eq!(status("administer-secret", &freeze), "200");
    assert_eq!(status("administer-secret", &unfreeze), "200");

    // Whoever names a file decides what code runs.
    let mut request = ReloadRequest::default();
    request.files = vec!["/tmp/any.so".into()];
    let refused = remote.client("operate-secret").check(&request).unwrap_err();
    assert!(matches!(&refused, ClientError::Failure(it) if it.kind == FailureKind::Forbidden));
    assert_eq!(remote.denied().what, "check");
    let refused = remote
        .client("operate-secret")
        .reload(&request)
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("`files` needs the role administer"),
        "{refused}"
    );
    // On the socket, the same user administers.
    assert_eq!(remote.host.ran(&["freeze"]).code, Some(0));
    remote.host.close();
}

#[test]
fn a_token_that_is_wrong_missing_expired_or_removed_is_refused() {
    let remote = Remote::new();
    let check = |answer: Answer, who: &str| {
        assert_eq!(answer.status, "401", "{answer:?}");
        assert!(
            answer.head.contains("\nwww-authenticate: bearer"),
            "{answer:?}"
        );
        let denied = remote.denied();
        assert_eq!(denied.who, format!("{who} from 127.0.0.1"));
        assert_eq!(denied.what, "GET /v1/status");
        denied.outcome
    };
    check(remote.curl(&["/v1/status"]), "a caller without a token");
    for wrong in ["look-secre", "look-secret2", "", "x"] {
        let answer = remote.with_token(wrong, &["/v1/status"]);
        check(answer, "a caller with a wrong token");
    }
    let answer = remote.curl(&["--user", "look:look-secret", "/v1/status"]);
    check(answer, "a caller with a wrong token");
    let expired = check(
        remote.with_token("old-secret", &["/v1/status"]),
        "token old",
    );
    assert_eq!(expired, "the token old has expired");

    assert_eq!(
        remote.with_token("look-secret", &["/v1/status"]).status,
        "200"
    );
    let lines = fs::read_to_string(remote.pki.path("tokens")).unwrap();
    let kept = lines.lines().filter(|line| !line.starts_with("watcher"));
    let kept: Vec<_> = kept.collect();
    fs::write(remote.pki.path("tokens"), kept.join("\n")).unwrap();
    let answer = remote.with_token("look-secret", &["/v1/status"]);
    check(answer, "a caller with a wrong token");
    assert_eq!(
        remote.with_token("operate-secret", &["/v1/status"]).status,
        "200"
    );

    // If others may write the file, nobody is let in.
    fs::set_permissions(remote.pki.path("tokens"), Permissions::from_mode(0o666)).unwrap();
    assert_eq!(
        remote.with_token("operate-secret", &["/v1/status"]).status,
        "500"
    );
    remote.host.close();
}

#[test]
fn a_certificate_with_a_role_is_let_in_and_others_are_not() {
    let remote = Remote::new();
    remote.pki.issue("deploy", "/O=Shop/CN=deploy");
    remote.pki.issue("other", "/CN=deploy");
    let (from, to) = ("20200101000000Z", "20210101000000Z");
    remote
        .pki
        .issue_from("expired", "/O=Shop/CN=deploy", from, to);
    let reload = ["--request", "POST", "/v1/reload"];
    let answer = remote.with_certificate("deploy", &reload);
    assert_eq!(answer.status, "200", "{answer:?}");
    let last = &remote.history.audit(1).unwrap()[0];
    assert_eq!(last.who, "certificate CN=deploy,O=Shop from 127.0.0.1");
    assert_eq!(last.result, AuditResult::Done);
    let freeze = ["--request", "POST", "/v1/freeze"];
    assert_eq!(remote.with_certificate("deploy", &freeze).status, "403");

    let answer = remote.with_certificate("other", &reload);
    assert_eq!(answer.status, "403", "{answer:?}");
    let denied = remote.denied();
    assert_eq!(denied.who, "certificate CN=deploy from 127.0.0.1");
    assert_eq!(
        denied.outcome,
        "the certificate CN=deploy has no role in this host"
    );

    let answer = remote.with_certificate("expired", &reload);
    assert_eq!(answer.status, "000", "{answer:?}");
    assert_ne!(answer.code, Some(0));
    until("the record of the expired certificate", || {
        remote.denied().outcome.contains("expired")
    });
    assert_eq!(remote.denied().what, "connect");
    // Another authority may say what it likes.
    let other = Pki::new();
    other.issue("deploy", "/O=Shop/CN=deploy");
    for file in ["deploy.pem", "deploy.key"] {
        fs::copy(other.path(file), remote.pki.path(file)).unwrap();
    }
    let answer = remote.with_certificate("deploy", &reload);
    assert_eq!((&*answer.status, answer.code == Some(0)), ("000", false));
    until("the record of the other authority", || {
        !remote.denied().outcome.contains("expired")
    });
    assert_eq!(remote.denied().what, "connect");
    assert_eq!(remote.host.stage.swapper.frozen(), None);
    remote.host.close();
}

/// Starts `openssl s_client` with this input, which stays open.
fn s_client(remote: &Remote, args: &[&str], input: &str) -> std::process::Child {
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-connect",
            &remote.address.to_string(),
            "-CAfile",
        ])
        .arg(remote.pki.path("ca.pem"))
        .args(["-verify_return_error"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended already.
    let _ = client.stdin.as_mut().unwrap().write_all(input.as_bytes());
    client
}

#[test]
fn another_implementation_of_tls_speaks_with_it() {
    let remote = Remote::new();
    let request = "GET /v1/status HTTP/1.1\r\nHost: host\r\nConnection: close\r\n";
    let known = format!("{request}Authorization: bearer look-secret\r\n\r\n");
    let output = s_client(&remote, &[], &known).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    let output = s_client(&remote, &[], &format!("{request}\r\n"));
    let output = output.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("HTTP/1.1 401 Unauthorized"), "{text}");
    // Older versions of TLS are not spoken, and neither is HTTP in the clear.
    let output = s_client(&remote, &["-tls1_2"], &known)
        .wait_with_output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let mut plain = TcpStream::connect(remote.address).unwrap();
    plain.write_all(known.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    remote.host.close();
}

#[test]
fn the_commands_ask_a_host_at_an_address() {
    let remote = Remote::new();
    remote.pki.issue("deploy", "/O=Shop/CN=deploy");
    let token = remote.pki.path("token");
    fs::write(&token, "operate-secret\n").unwrap();
    let token = ["--token-file", token.to_str().unwrap()];
    let status = ran(remote.command(&["status"]).args(token));
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(status.stdout.contains("\nchecked "), "{status:?}");
    let status = ran(remote
        .command(&["status"])
        .env("HOTSWAP_TOKEN", "look-secret"));
    assert_eq!(status.code, Some(0), "{status:?}");

    remote.host.stage.install("checked", &checked("second"));
    let (certificate, key) = (remote.pki.path("deploy.pem"), remote.pki.path("deploy.key"));
    let mut reload = remote.command(&["reload", "--deployment", "r7"]);
    let reload = ran(reload.arg("--cert").arg(certificate).arg("--key").arg(key));
    assert_eq!(
        (reload.code, &*reload.stdout),
        (Some(0), "checked: reloaded\n"),
        "{reload:?}"
    );
    assert!(reload.stderr.contains("Switch "), "{reload:?}");
    let cause = &remote.history.entries(1).unwrap()[0].cause;
    let by = "a request by certificate CN=deploy,O=Shop from 127.0.0.1 (deployment r7)";
    assert_eq!(cause, by);

    let refused = ran(&mut remote.command(&["status"]));
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(
        refused.stderr.contains("this host wants a token"),
        "{refused:?}"
    );
    let refused = ran(remote
        .command(&["reload"])
        .env("HOTSWAP_TOKEN", "look-secret"));
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(
        refused.stderr.contains("needs the role operate"),
        "{refused:?}"
    );
    // This is not the host that the authority knows.
    let other = Pki::new();
    let mut command = fixture::hotswap();
    let other = command
        .args(["status", "--host", &remote.url(), "--ca"])
        .arg(other.path("ca.pem"));
    let refused = ran(other);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("certificate"), "{refused:?}");
    for wrong in [
        &["status", "--host", &remote.url()][..],
        &[
            "status",
            "--host",
            "http://127.0.0.1:7443",
            "--ca",
            "Cargo.toml",
        ],
        &["status", "--ca", "Cargo.toml"],
        &["status", "--host", "web", "--ca", "Cargo.toml"],
    ] {
        let refused = ran(fixture::hotswap().args(wrong));
        assert_eq!(refused.code, Some(2), "{wrong:?}: {refused:?}");
    }
    remote.host.close();
}

#[test]
fn a_token_of_the_command_is_accepted_until_its_line_is_removed() {
    let remote = Remote::new();
    let file = remote.pki.path("tokens");
    let make = |args: &[&str]| {
        let mut command = fixture::hotswap();
        ran(command.args(["token", "--file"]).arg(&file).args(args))
    };
    let made = make(&["night", "--role", "look", "--days", "7", "-q"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let token = made.stdout.trim();
    assert_eq!((token.len(), made.stdout.lines().count()), (64, 1));
    assert!(!fs::read_to_string(&file).unwrap().contains(token));
    assert_eq!(remote.client(token).status().unwrap().generation, 1);
    let client = remote.client(token);
    assert!(!format!("{client:?} {:?}", remote.remote().token(token)).contains(token));
    assert_eq!(make(&["night", "--role", "look"]).code, Some(1));
    assert_eq!(make(&["no spaces", "--role", "look"]).code, Some(2));
    assert_eq!(make(&["day", "--role", "king"]).code, Some(2));

    let lines = fs::read_to_string(&file).unwrap();
    let kept: Vec<_> = lines
        .lines()
        .filter(|line| !line.starts_with("night"))
        .collect();
    fs::write(&file, kept.join("\n")).unwrap();
    let refused = client.status().unwrap_err();
    assert!(matches!(&refused, ClientError::Failure(it) if it.kind == FailureKind::Unauthorized));
    // A file that is made is for its owner alone.
    let new = remote.pki.path("new");
    let mut command = fixture::hotswap();
    let made = ran(command
        .args(["token", "ci", "--role", "operate", "--file"])
        .arg(&new));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(
        fs::metadata(&new).unwrap().permissions().mode() & 0o777,
        0o600
    );
    remote.host.close();
}

#[test]
fn an_address_that_lets_nobody_in_or_has_no_certificate_is_refused() {
    let pki = Pki::new();
    let stage = Controlled::new();
    let refused = |tcp: Tcp| match Control::new().tcp(tcp).serve(&stage.stage.swapper) {
        Err(ControlError::Tcp(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is served"),
    };
    assert!(matches!(refused(Remote::settings(&pki)), TcpError::Nobody));
    let settings = || Remote::settings(&pki).tokens(pki.path("tokens"));
    assert!(matches!(refused(settings()), TcpError::File { .. }));
    fs::write(pki.path("tokens"), "ci operate never abc\n").unwrap();
    let error = refused(settings()).to_string();
    assert!(
        error.contains("line 1: the last word is not a SHA-256"),
        "{error}"
    );
    fs::write(pki.path("tokens"), "").unwrap();
    fs::set_permissions(pki.path("tokens"), Permissions::from_mode(0o620)).unwrap();
    let error = refused(settings()).to_string();
    assert!(error.contains("other users can write"), "{error}");
    fs::set_permissions(pki.path("tokens"), Permissions::from_mode(0o600)).unwrap();
    pki.issue("other", "/CN=other");
    let address = "127.0.0.1:0".parse().unwrap();
    let other = Tcp::new(address, pki.path("host.pem"), pki.path("other.key"));
    let error = refused(other.tokens(pki.path("tokens")));
    assert!(matches!(error, TcpError::Tls(_)), "{error}");
    let nothing = Tcp::new(address, pki.path("serial.txt"), pki.path("host.key"));
    let error = refused(nothing.tokens(pki.path("tokens")));
    assert!(matches!(error, TcpError::File { .. }), "{error}");
    stage.close();
}

#[test]
fn a_certificate_that_was_revoked_is_refused_and_recorded() {
    let remote = Remote::with(|tcp, pki| {
        pki.list_revoked();
        tcp.revoked(pki.path("revoked.pem"))
    });
    remote.pki.issue("deploy", "/O=Shop/CN=deploy");
    remote.pki.issue("spare", "/O=Shop/CN=deploy");
    let status = |name: &str| remote.with_certificate(name, &["/v1/status"]).status;
    assert_eq!((&*status("deploy"), &*status("spare")), ("200", "200"));
    remote.pki.revoke("deploy");
    until("the new list", || status("deploy") == "000");
    until("the record", || {
        let records = remote.history.audit(10).unwrap();
        let mut denied = records.iter().filter(|it| it.result == AuditResult::Denied);
        denied.any(|it| it.what == "connect" && it.outcome.to_lowercase().contains("revoked"))
    });
    assert_eq!(status("spare"), "200");
    // A list that cannot be read changes nothing.
    fs::write(remote.pki.path("revoked.pem"), "no list").unwrap();
    assert_eq!((&*status("deploy"), &*status("spare")), ("000", "200"));
    remote.host.close();
}

/// More files than the usual limit of a process.
fn many_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls only use this value.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

#[test]
fn a_thousand_silent_connections_end_and_keep_nobody_out_of_the_socket() {
    many_files();
    let remote = Remote::new();
    // One client does not end its request, and the others say nothing.
    let slow = s_client(&remote, &[], "POST /v1/reload HTTP/1.1\r\nHost:");
    let mut silent: Vec<_> = (0..1000)
        .map(|_| TcpStream::connect(remote.address).unwrap())
        .collect();
    let answer = remote.host.client().reload(&ReloadRequest::default());
    assert_eq!(answer.unwrap().text, "checked: unchanged");
    // The endpoint closes them one after the other. The last ones have waited for their turn.
    let mut byte = [0];
    assert!(matches!(silent[0].read(&mut byte), Ok(0) | Err(_)));
    drop(silent);
    assert_eq!(
        remote.with_token("look-secret", &["/v1/status"]).status,
        "200"
    );
    let ended = slow.wait_with_output().unwrap();
    assert!(
        ended.stdout.is_empty() || ended.stdout.starts_with(b"HTTP/1.1 408"),
        "{ended:?}"
    );
    assert_eq!(remote.host.stage.swapper.generation(), 1);
    remote.host.close();
}

#[test]
fn many_refused_requests_do_not_fill_the_audit() {
    let remote = Remote::new();
    let client = remote.client("wrong");
    for _ in 0..200 {
        client.status().unwrap_err();
    }
    let records = remote.history.audit(1000).unwrap();
    assert_eq!(records.len(), 60);
    assert_eq!(remote.history.verify_audit().unwrap().broken, None);
    remote.host.close();
}

#[test]
fn a_certificate_that_is_renewed_is_used_without_a_restart() {
    let remote = Remote::new();
    let client = remote.client("look-secret");
    client.status().unwrap();
    let other = Pki::new();
    for file in ["host.pem", "host.key", "ca.pem"] {
        fs::copy(other.path(file), remote.pki.path(file)).unwrap();
    }
    // The client still wants the first authority.
    until("the renewed certificate", || client.status().is_err());
    remote.client("look-secret").status().unwrap();
    remote.host.close();
}
