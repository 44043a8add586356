//! The demo's server as a process.
use crate::builds::Builds;
use hotswap_host::runtime::{RunningHost, hosts};
use hotswap_tests::{LIMIT, fixture, until};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The text with which a host gives up a hand-over of state that would take too long. Nothing has changed then.
const TOO_LATE: &str = "could not be handed over within";
/// The number of times that a swap is tried, for a machine with much else to do.
const ATTEMPTS: u64 = 10;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    host: RunningHost,
    /// The plugin directory and the log of the server.
    dir: TempDir,
}

impl Server {
    /// Starts the server with the first builds, on a free port.
    pub fn start(builds: &Builds) -> Self {
        Server::start_with(builds, &[])
    }

    /// Starts the server with options for its reloads.
    pub fn start_with(builds: &Builds, options: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugins = dir.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        for (name, library) in builds.first() {
            fixture::install(library, name, &plugins);
        }
        let mut child = Command::new(fixture::demo_host("web"))
            .args(["--listen", "127.0.0.1:0"])
            .env("HOTSWAP_PLUGIN_DIR", &plugins)
            .env_remove("RUST_LOG")
            .env_remove("HOTSWAP_LOG_CONSOLE")
            .env_remove("HOTSWAP_LOG_FILE")
            .envs(options.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let said = child.stdout.take().expect("stdout is piped");
        BufReader::new(said).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}: {}", log(&dir)));
        let address = address.parse().unwrap();
        let host = hosts().into_iter().find(|host| host.pid == child.id());
        let host = host.expect("the running host can be found");
        Server {
            child,
            address,
            host,
            dir,
        }
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Puts a plugin into its directory, and asks for a reload that is refused. Returns the error.
    pub fn refuse(&self, plugin: &str, library: &[u8]) -> String {
        fixture::install(library, plugin, &self.dir.path().join("plugins"));
        let before = self.host.report().map(|report| report.attempt);
        self.host.request_reload().unwrap();
        let report = self.host.wait_for_attempt(before, LIMIT).unwrap();
        assert!(!report.ok, "{}", report.text);
        report.text
    }

    /// Returns the lines of the log, as an operator reads them, once one of them has this text.
    pub fn log_with(&self, text: &str) -> Vec<String> {
        until(text, || log(&self.dir).contains(text));
        log(&self.dir).lines().map(str::to_owned).collect()
    }

    /// Puts a plugin into its directory, and reloads by signal, as `cargo hotswap reload` does. Returns the report.
    pub fn swap(&self, plugin: &str, library: &[u8]) -> String {
        fixture::install(library, plugin, &self.dir.path().join("plugins"));
        for _ in 0..ATTEMPTS {
            let before = self.host.report().map(|report| report.attempt);
            self.host.request_reload().unwrap();
            let report = self.host.wait_for_attempt(before, LIMIT).unwrap();
            if report.ok {
                return report.text;
            }
            assert!(report.text.contains(TOO_LATE), "{}", report.text);
        }
        panic!("{plugin} is not replaced: {}", log(&self.dir))
    }

    /// Returns a page, on a connection of its own.
    pub fn get(&self, path: &str) -> String {
        let answer = self.ask(path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        answer
    }

    /// Returns the answer to a request, on a connection of its own.
    pub fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Signs the guestbook, and returns the answer.
    pub fn sign(&self, name: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = name.len();
        let head = format!(
            "POST /guests HTTP/1.1\r\nhost: web\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(name.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks the server to stop.
    pub fn terminate(&self) {
        let pid = self.child.id().cast_signed();
        // SAFETY: `kill` touches no memory. The child was not waited for, so its process id was not reused.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    }

    /// Returns once the server accepts no connection any more.
    pub fn until_closed(&self) {
        until("the server's port to be closed", || {
            TcpStream::connect(self.address).is_err()
        });
    }

    /// Stops the server, and checks that it logged no other errors and leaves nothing behind.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.child.wait().unwrap();
        let log = log(&self.dir);
        assert!(status.success(), "{status}: {log}");
        let mut errors = log.lines().filter(|line| line.contains("ERROR"));
        assert!(errors.all(|line| line.contains(TOO_LATE)), "{log}");
        assert!(log.trim_end().ends_with("stopped"), "{log}");
        assert!(!self.host.is_alive());
    }
}

fn log(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join("log")).unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
