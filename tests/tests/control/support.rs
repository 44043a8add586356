//! A host with a control endpoint.
use hotswap_control::{Client, Control, Serving};
use hotswap_host::Builder;
use hotswap_operate::History;
use hotswap_tests::fixture::{self, Build};
use hotswap_tests::{Desk, Stage, process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

pub struct Controlled {
    pub serving: Option<Serving>,
    pub stage: Stage,
}

/// Returns the plugin `checked` with these orders.
pub fn checked(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::Checked.bytes("checked"), orders)
}

impl Controlled {
    pub fn new() -> Self {
        Controlled::with(|builder| builder)
    }

    pub fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        Controlled::serving(Control::new(), settings)
    }

    /// Returns a host whose endpoint has its history, too.
    pub fn with_history(history: Arc<History>, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let control = Control::new().history(history.clone());
        Controlled::serving(control, |builder| settings(builder.journal(history)))
    }

    /// Returns a host with a history, and with the plugins in this directory.
    pub fn in_dir(
        dir: TempDir,
        history: Arc<History>,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let control = Control::new().history(history.clone());
        Controlled::serving_in(dir, control, |builder| settings(builder.journal(history)))
    }

    /// Returns a host that this endpoint serves.
    pub fn serving(control: Control, settings: impl FnOnce(Builder) -> Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fixture::install(&checked("first"), "checked", dir.path());
        Controlled::serving_in(dir, control, settings)
    }

    fn serving_in(
        dir: TempDir,
        control: Control,
        settings: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let observer = control.observer();
        let stage = Stage::try_in(dir, |builder| {
            settings(builder.observe(observer))
                .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        });
        let stage = stage.unwrap();
        let serving = control.serve(&stage.swapper).unwrap();
        Controlled {
            serving: Some(serving),
            stage,
        }
    }

    pub fn socket(&self) -> PathBuf {
        process::host_dir_of(self.stage.dir()).join("control.sock")
    }

    pub fn client(&self) -> Client {
        Client::of_socket(self.socket())
    }

    /// Returns the status of the answer to a request by `curl`, and the answer.
    pub fn curl(&self, args: &[&str]) -> (String, serde_json::Value) {
        let text = self.curl_text(args);
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.to_owned(), serde_json::from_str(body).unwrap())
    }

    /// Returns the answer to a request by `curl`, and its status in a line of its own.
    pub fn curl_text(&self, args: &[&str]) -> String {
        let (path, options) = args.split_last().unwrap();
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "\n%{http_code}"])
            .arg("--unix-socket")
            .arg(self.socket())
            .args(options)
            .arg(format!("http://host{path}"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn close(mut self) {
        self.serving = None;
        self.stage.close();
    }
}

/// What a command has printed, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Returns a command that asks the host at this socket.
pub fn command_at(socket: &Path, args: &[&str]) -> Command {
    let mut command = fixture::hotswap();
    command
        .args(args)
        .args(["--color", "never", "--host"])
        .arg(socket)
        .stdin(Stdio::null());
    command
}

/// Runs a command that asks the host at this socket.
pub fn ran_at(socket: &Path, args: &[&str]) -> Ran {
    let output = command_at(socket, args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

impl Controlled {
    pub fn command(&self, args: &[&str]) -> Command {
        command_at(&self.socket(), args)
    }

    pub fn ran(&self, args: &[&str]) -> Ran {
        ran_at(&self.socket(), args)
    }

    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.ran(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
        ran
    }

    pub fn json(&self, args: &[&str]) -> (Option<i32>, Value) {
        let ran = self.ran(args);
        let value = serde_json::from_str(&ran.stdout);
        (ran.code, value.unwrap_or_else(|_| panic!("{ran:?}")))
    }
}
