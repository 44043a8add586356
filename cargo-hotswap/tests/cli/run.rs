//! `run` around a host: what it is given, signals, exit codes, and builds while it runs. The hosts here load nothing.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;

/// Says what it was given, and runs until its input ends.
const HOST: &str = r#"
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!("{args:?} {}", std::env::var("HOTSWAP_PLUGIN_DIR").unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    std::process::exit(7);
}
"#;

struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    /// Starts `run` and returns once the host runs.
    fn start(fixture: &Fixture, args: &[&str]) -> (Self, String) {
        fixture.write("app/src/main.rs", HOST);
        let mut command = fixture.command("", &[&["run", "app"], args].concat());
        command.env("HOTSWAP_RUNTIME_DIR", fixture.root.join("run"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        let mut running = Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().expect("it is piped")).lines(),
            stderr: BufReader::new(child.stderr.take().expect("it is piped")).lines(),
            child,
        };
        running.until(" Running ");
        let said = running
            .stdout
            .next()
            .expect("the host says something")
            .expect("it is text");
        (
            running,
            said.replace(fixture.root.to_str().expect("the path is text"), "<root>"),
        )
    }

    /// Waits until the command says something.
    fn until(&mut self, wanted: &str) {
        let mut seen = vec![];
        for line in &mut self.stderr {
            let line = line.expect("it is text");
            if line.contains(wanted) {
                return;
            }
            seen.push(line);
        }
        panic!("{wanted:?} is not in {seen:#?}");
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
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
        kill_process(Pid::from_child(&running.child), signal).expect("it runs");
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
    running.until("the host goes on with what it has");
    assert_eq!(built("moon"), before);

    // A file that is not there yet.
    fixture.edit("app/moon/src/lib.rs", "missing()", "later::number()");
    fixture.edit(
        "app/moon/src/lib.rs",
        "pub struct",
        "mod later;\npub struct",
    );
    running.until("file not found for module `later`");
    running.until("the host goes on with what it has");
    fixture.write("app/moon/src/later.rs", "pub fn number() -> u32 { 9 }\n");
    running.until("Built moon");

    drop(running.stdin.take());
    assert_eq!(running.code(), Some(7));
}
