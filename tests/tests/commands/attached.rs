//! Tests `run --attach`: hosts that run already, on this machine and behind an address, and that end meanwhile.
use crate::project::Project;
use crate::running::Running;
use hotswap_control::{Control, Serving, Tcp};
use hotswap_host::Value;
use hotswap_operate::History;
use hotswap_signature::{Keys, PublicKey, RequireSignatures, Signature};
use hotswap_tests::{Pki, Stage, fixture, process};
use minisign::KeyPair;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const WORLD: &str = "demos/hello/world/src/lib.rs";

/// Arguments that make the host `hello` hum all the time.
const OFTEN: [&str; 3] = ["--", "--interval", "20"];

fn run<'a>(before: &[&'a str], out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run"][..], before, &["--out-dir", out], more].concat()
}

#[test]
fn a_host_without_an_endpoint_is_asked_by_its_signal_and_found_again() {
    let project = Project::of_the_checkout();
    let out = project.root.join("built");
    let out = out.to_str().unwrap();
    let host = run(&["--no-watch", "demos/hello"], out, &OFTEN);
    let attach = run(&["--attach", "demos/hello"], out, &[]);
    let refused = |args: &[&str], text: &str| {
        let ran = project.ran("", args);
        assert_eq!(ran.code, Some(5), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(text), "{args:?}: {}", ran.stderr);
    };
    refused(&attach, "no running host has the plugin directory");
    let first = project.start("", &host);
    first.until(", reload 0): hum");

    let attached = project.start("", &attach);
    attached.until("Attached to hello (pid ");
    attached.until("the host runs what is built");
    project.edit(WORLD, "\"hum \"", "\"la \"");
    attached.until("Reloaded world: reloaded");
    attached.until("Took saved → noticed ");
    first.until(", reload 1): la");

    let second = project.start("", &host);
    second.until(", reload 0): la");
    refused(&attach, "several hosts are running: hello (pid ");
    let of_this = [&attach[..], &["--reason", "why"]].concat();
    refused(
        &[&of_this[..], &["--host", "nobody"]].concat(),
        "no running host `nobody`",
    );
    end(second);

    end(first);
    attached.until("waiting until it is there again");
    project.edit(WORLD, "\"la \"", "\"so \"");
    attached.until("the host gets the build when it is there again");
    let third = project.start("", &host);
    third.until(", reload 0): so");
    attached.until("Attached again to hello (pid ");
    refused(
        &of_this,
        "has no control endpoint, and a signal cannot say more",
    );
    project.edit(WORLD, "\"so \"", "\"do \"");
    third.until(", reload 1): do");

    attached.signal(libc::SIGINT);
    attached.until("Detached from hello (pid ");
    assert_eq!(attached.end(), Some(130));
    third.forget();
    third.until(", reload 1): do");
    // The plugins of another workspace are not mixed with those of this one.
    fs::write(Path::new(out).join(".hotswap-lock"), "/another/workspace").unwrap();
    let attach = ["run", "--attach", "demos/hello", "--host", "hello"];
    refused(
        &attach,
        "loads the plugins of the workspace `/another/workspace`",
    );
    end(third);
}

fn end(hello: Running) {
    hello.signal(libc::SIGTERM);
    assert_eq!(hello.end(), Some(0));
}

/// A host in this process, with the plugin of `hello`.
struct Host {
    stage: Stage,
    history: Arc<History>,
    _state: TempDir,
}

impl Host {
    /// Opens the host with the plugins in this directory.
    fn open(dir: TempDir, examiner: Option<RequireSignatures>) -> Self {
        let state = tempfile::tempdir().unwrap();
        let history = History::open(state.path()).unwrap();
        let stage = Stage::try_in(dir, |builder| {
            let builder = builder.journal(history.clone());
            match examiner {
                Some(examiner) => builder.examiner(examiner),
                None => builder,
            }
        });
        Host {
            stage: stage.unwrap(),
            history,
            _state: state,
        }
    }

    fn serve(&self, settings: impl FnOnce(Control) -> Control) -> Serving {
        let control = Control::new().history(self.history.clone());
        settings(control).serve(&self.stage.swapper).unwrap()
    }

    fn socket(&self) -> PathBuf {
        process::host_dir_of(self.stage.dir()).join("control.sock")
    }

    fn hums(&self) -> String {
        let hum = self.stage.swapper.invoke("world", "hum", &[Value::Int(1)]);
        hum.unwrap().as_str().unwrap().to_owned()
    }

    /// Returns the names and the contents of all files in the plugin directory.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = fs::read_dir(self.stage.dir()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect()
    }
}

#[test]
fn each_edit_is_brought_to_hosts_with_an_endpoint() {
    let project = Project::of_the_checkout();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    project.ok("", &["build", "demos/hello", "--out-dir", out]);
    let [first, second] = [(); 2].map(|()| {
        let copy = tempfile::tempdir().unwrap();
        let file = fixture::file_name("world");
        fs::copy(dir.path().join(&file), copy.path().join(&file)).unwrap();
        copy
    });
    it_is_reloaded_through_its_endpoint(&project, dir);
    project.edit(WORLD, "\"la \"", "\"hum \"");
    let out = project.root.join("built");
    let out = out.to_str().unwrap();
    builds_are_deployed_to_an_address(&project, out, first);
    project.edit(WORLD, "\"do \"", "\"hum \"");
    a_refusal_is_shown_and_the_next_edit_is_tried(&project, out, second);
}

/// The host loads its plugins from the directory of the build.
fn it_is_reloaded_through_its_endpoint(project: &Project, dir: TempDir) {
    let out = dir.path().to_str().unwrap().to_owned();
    let host = Host::open(dir, None);
    let serving = host.serve(|control| control);
    let socket = host.socket();
    let at = ["--host", socket.to_str().unwrap()];
    let hotswap = |args: &[&str]| {
        let mut command = project.hotswap("", args);
        // The host of this process has its files there.
        let hosts = socket.ancestors().nth(2).unwrap();
        command.env("HOTSWAP_RUNTIME_DIR", hosts);
        command
    };
    let why = [&at[..], &["--reason", "a better word"]].concat();
    let attached = Running::start(&mut hotswap(&run(&["--attach", "demos/hello"], &out, &why)));
    attached.until(", through its control endpoint");
    attached.until("the host runs what is built");
    project.edit(WORLD, "\"hum \"", "\"la \"");
    attached.until("Reloaded world: reloaded");
    attached.until("Took saved → noticed ");
    assert_eq!(host.hums(), "la ");
    let cause = &host.history.entries(1).unwrap()[0].cause;
    assert!(cause.ends_with(": a better word"), "{cause}");
    attached.signal(libc::SIGTERM);
    attached.until("Detached from ");
    assert_eq!(attached.end(), Some(143));
    assert_eq!(host.hums(), "la ");

    // It has none of the plugins of another demo.
    let other = [&["run", "--attach", "demos/slink"], &at[..]].concat();
    let ran = project.redacted(&hotswap(&other).output().unwrap());
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    let text = "has none of the plugins of `slink`, but world";
    assert!(ran.stderr.contains(text), "{}", ran.stderr);
    drop(serving);
    host.stage.close();
}

/// Nothing is written into the plugin directory of the host.
fn builds_are_deployed_to_an_address(project: &Project, out: &str, dir: TempDir) {
    let host = Host::open(dir, None);
    let files = host.files();
    let pki = Pki::new();
    let token = |id: &str, role: &str| {
        let tokens = pki.path("tokens");
        let make = [
            "token",
            id,
            "--role",
            role,
            "--file",
            tokens.to_str().unwrap(),
        ];
        let token = pki.path(id);
        fs::write(&token, project.ok("", &make).stdout).unwrap();
        token.to_str().unwrap().to_owned()
    };
    let (own, ci) = (token("own", "administer"), token("ci", "operate"));
    let tcp = |address: SocketAddr| {
        let tcp = Tcp::new(address, pki.path("host.pem"), pki.path("host.key"));
        tcp.tokens(pki.path("tokens"))
    };
    let serving = host.serve(|control| control.tcp(tcp("127.0.0.1:0".parse().unwrap())));
    let address = serving.address().unwrap();
    let (url, ca) = (format!("https://{address}"), pki.path("ca.pem"));
    let at = ["--host", &url, "--ca", ca.to_str().unwrap()];
    let with = |token: &[&str]| {
        let args = [&at[..], token, &["--reason", "a look"]].concat();
        let args = run(&["--attach", "demos/hello"], out, &args);
        let args = args.into_iter().map(str::to_owned);
        args.collect::<Vec<_>>()
    };
    let with_own = with(&["--token-file", &own]);
    let args: Vec<_> = with_own.iter().map(String::as_str).collect();
    let attached = project.start("", &args);
    attached.until(", to which builds are deployed");
    attached.until("the host runs what is built");

    project.edit(WORLD, "\"hum \"", "\"la \"");
    attached.until("Uploading world ");
    attached.until("Reloaded world: reloaded");
    attached.until("Took saved → noticed ");
    assert_eq!(host.hums(), "la ");
    let cause = &host.history.entries(1).unwrap()[0].cause;
    assert!(cause.contains("token own from 127.0.0.1"), "{cause}");
    assert!(cause.ends_with(": a look"), "{cause}");

    project.edit(WORLD, "\"la \"", "missing(\"la \")");
    attached.until("error[E0425]: cannot find function `missing` in this scope");
    attached.until("the host keeps the plugins that it has");
    assert_eq!(host.hums(), "la ");

    // The endpoint ends, as it does with its host.
    drop(serving);
    attached.until("waiting until it is there again");
    project.edit(WORLD, "missing(\"la \")", "\"so \"");
    attached.until("the host gets the build when it is there again");
    let serving = host.serve(|control| control.tcp(tcp(address)));
    attached.until("Attached again to https://");
    attached.until("Reloaded world: reloaded");
    assert_eq!(host.hums(), "so ");

    attached.signal(libc::SIGINT);
    attached.until("Detached from https://");
    assert_eq!(attached.end(), Some(130));
    assert_eq!(host.hums(), "so ");
    project.edit(WORLD, "\"so \"", "\"do \"");
    for (token, text) in [
        (&["--token-file", &*ci][..], "needs the role administer"),
        (&[], "this host wants a token"),
    ] {
        let args = with(token);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let ran = project.ran("", &args);
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
    assert_eq!(host.hums(), "so ");
    assert_eq!(host.files(), files);
    drop(serving);
    host.stage.close();
}

fn a_refusal_is_shown_and_the_next_edit_is_tried(project: &Project, out: &str, dir: TempDir) {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let public: PublicKey = pair.pk.to_base64().parse().unwrap();
    let file = dir.path().join(fixture::file_name("world"));
    let bytes = fs::read(&file).unwrap();
    let signed = minisign::sign(None, &pair.sk, &bytes[..], Some("a comment"), None);
    fs::write(Signature::path(&file), signed.unwrap().into_string()).unwrap();
    let host = Host::open(dir, Some(RequireSignatures::by(Keys::from(public))));
    let serving = host.serve(|control| control);
    let socket = host.socket();
    let at = ["--host", socket.to_str().unwrap()];
    let attached = project.start("", &run(&["--attach", "demos/hello"], out, &at));
    attached.until(", to which builds are deployed");
    attached.until("the host runs what is built");
    project.edit(WORLD, "\"hum \"", "\"la \"");
    attached.until("the host refused the new plugins, and keeps those that it has");
    attached.until("sent without a signature");
    attached.until("it will be asked to reload again after the next change");
    assert_eq!(host.hums(), "hum ");
    // What the host runs already needs no deployment.
    project.edit(WORLD, "\"la \"", "\"hum \"");
    attached.until("the host runs what is built");
    attached.signal(libc::SIGINT);
    assert_eq!(attached.end(), Some(130));
    drop(serving);
    host.stage.close();
}
