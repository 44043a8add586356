//! What these tests share.
use hotswap_host::prelude::*;
use hotswap_host::{Builder, ReloadOptions, Value};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Returns the plugin with these orders.
pub fn checked(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::Checked.bytes("checked"), orders)
}

/// Returns the plugin with a state, and with these orders.
pub fn stateful(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::CheckedStateful.bytes("checked"), orders)
}

/// Opens a host with this build.
pub fn host(build: &[u8], settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::with(&[("checked", build)], settings)
}

/// Options with a long rollback window, which nothing but the tests close.
pub fn window() -> ReloadOptions {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    options.supersede = false;
    options
}

/// Returns the orders of the live build.
pub fn orders(stage: &Stage) -> String {
    match stage.swapper.invoke("checked", "orders", &[]) {
        Ok(Value::Str(orders)) => orders,
        other => panic!("{other:?}"),
    }
}

/// Adds to the counter of the live build, and returns its value.
pub fn add(stage: &Stage, n: u32) -> u32 {
    let add: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    add.call(n).unwrap()
}

/// Makes the live build panic in a call.
pub fn panic_once(stage: &Stage) {
    let error = stage.swapper.invoke("checked", "boom", &[]).unwrap_err();
    assert!(error.to_string().contains("panicked: boom"), "{error}");
}

/// A host in a process of its own, with a probe.
pub struct Host {
    child: Child,
    pub input: ChildStdin,
    pub output: Lines<BufReader<ChildStdout>>,
    pub plugins: TempDir,
}

impl Host {
    /// Starts a host with this build.
    pub fn new(build: &[u8], options: &[(&str, &str)]) -> Self {
        let plugins = tempfile::tempdir().unwrap();
        fixture::install(build, "checked", plugins.path());
        Host::of(plugins, options)
    }

    /// Starts a host with the plugins in this directory.
    pub fn of(plugins: TempDir, options: &[(&str, impl AsRef<OsStr>)]) -> Self {
        let mut command = fixture::host();
        command.arg(plugins.path()).env("HOTSWAP_PROBE_LIMIT", "60");
        options.iter().for_each(|(name, value)| {
            command.env(name, value);
        });
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut host = Host {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            plugins,
        };
        assert_eq!(host.says(), "open");
        host
    }

    pub fn says(&mut self) -> String {
        self.output.next().expect("the host lives").unwrap()
    }

    /// Reloads this build. Returns what came of it, and what is live.
    pub fn reload(&mut self, build: &[u8]) -> (String, String) {
        fixture::install(build, "checked", self.plugins.path());
        self.reload_all()
    }

    /// Reloads what is in the directory. Returns what came of it, and what is live.
    pub fn reload_all(&mut self) -> (String, String) {
        self.input.write_all(b"\n").unwrap();
        (self.says(), self.says())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
