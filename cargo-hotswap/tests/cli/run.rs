//! `run` around a host: what it is given, signals, exit codes, and builds while it runs. The hosts here load nothing.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;

/// Says what it was given, and runs until its input ends.
pub const HOST: &str = r#"
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!("{args:?} {}", std::env::var("HOTSWAP_PLUGIN_DIR").unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    std::process::exit(7);
}
"#;

/// Longer than any build takes.
const LIMIT: Duration = Duration::from_secs(100);

/// The command while its host runs, or before.
pub struct Running {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts `run` and returns once the host runs.
    fn start(fixture: &Fixture, args: &[&str]) -> (Self, String) {
        let mut running = Self::launch(fixture, args, &[]);
        running.until(" Running ");
        let said = running.host_says();
        let root = fixture.root.to_str().expect("the path is text");
        (running, said.replace(root, "<root>"))
    }

    /// Starts `run` with these variables.
    pub fn launch(fixture: &Fixture, args: &[&str], env: &[(&str, &str)]) -> Self {
        fixture.write("app/src/main.rs", HOST);
        // This host never listens, so there is nothing to wait for.
        let watched = !args.contains(&"--no-watch");
        let limit: &[&str] = if watched {
            &["--start-limit=0.01"]
        } else {
            &[]
        };
        let mut command = fixture.command("", &[&["run", "app"], limit, args].concat());
        command.env("HOTSWAP_RUNTIME_DIR", fixture.root.join("run"));
        command.envs(env.iter().copied());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        Self {
            stdin: child.stdin.take(),
            stdout: lines(child.stdout.take().expect("it is piped")),
            stderr: lines(child.stderr.take().expect("it is piped")),
            child,
        }
    }

    /// The next line of the host.
    pub fn host_says(&self) -> String {
        self.stdout
            .recv_timeout(LIMIT)
            .expect("the host says something")
    }

    /// Waits until the command says something, and returns what it said before.
    pub fn until(&mut self, wanted: &str) -> Vec<String> {
        let mut seen = vec![];
        while let Ok(line) = self.stderr.recv_timeout(LIMIT) {
            if line.contains(wanted) {
                return seen;
            }
            seen.push(line);
        }
        panic!("{wanted:?} is not in {seen:#?}");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    pub fn code(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    /// The signal is passed on to the host, which would outlive the command.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let all = BufReader::new(from).lines().map_while(Result::ok);
        all.take_while(|line| sender.send(line.clone()).is_ok())
            .for_each(drop);
    });
    lines
}

#[test]
fn the_host_gets_arguments_and_plugins_and_its_exit_code_is_returned() {
    let fixture = Fixture::new();
    let (mut running, said) = Running::start(&fixture, &["--", "one", "--two"]);
    assert_eq!(said, r#"["one", "--two"] <root>/target/hotswap/debug/app"#);
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
    drop(running.stdin.take());
    assert_eq!(running.code(), Some(7));
}

#[test]
fn signals_reach_the_host() {
    let fixture = Fixture::new();
    let signals = [
        Signal::INT,
        Signal::TERM,
        Signal::HUP,
        Signal::USR1,
        Signal::USR2,
        Signal::QUIT,
    ];
    for (watched, signal) in signals.into_iter().enumerate() {
        let args = if watched % 2 == 0 {
            &[][..]
        } else {
            &["--no-watch"]
        };
        let (running, _) = Running::start(&fixture, args);
        running.signal(signal);
        // It has no handler, so that it ends.
        assert_eq!(running.code(), Some(128 + signal.as_raw()), "{signal:?}");
    }
}

#[test]
fn what_changes_is_built_while_the_host_runs() {
    let fixture = Fixture::new();
    fixture.edit(
        "app/moon/src/lib.rs",
        "40",
        "include_str!(\"../number\").len() as u32",
    );
    fixture.write("app/moon/number", "4");
    let (mut running, _) = Running::start(&fixture, &[]);
    let built = |plugin| fixture.artifact(plugin).build_id;
    let before = [built("world"), built("moon")];

    fixture.edit("app/world/src/lib.rs", "40 +", "41 +");
    running.until("Built world");
    assert_ne!(built("world"), before[0]);

    fixture.write("app/moon/number", "44");
    running.until("Built moon");
    assert_ne!(built("moon"), before[1]);

    let before = built("moon");
    fixture.edit("app/moon/src/lib.rs", "util::number()", "missing()");
    running.until("cannot find function `missing`");
    running.until("the host keeps the plugins that it has");
    assert_eq!(built("moon"), before);

    // A file that is not there yet.
    fixture.edit("app/moon/src/lib.rs", "missing()", "later::number()");
    fixture.edit(
        "app/moon/src/lib.rs",
        "pub struct",
        "mod later;\npub struct",
    );
    running.until("file not found for module `later`");
    running.until("the host keeps the plugins that it has");
    fixture.write("app/moon/src/later.rs", "pub fn number() -> u32 { 9 }\n");
    running.until("Built moon");

    drop(running.stdin.take());
    assert_eq!(running.code(), Some(7));
}
