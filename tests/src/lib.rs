//! Shared code of the end-to-end tests.
//!
//! [`fixture`] builds the plugins of `fixtures/`, and [`links`] makes chains of them. [`odd`] makes files that are not
//! valid plugins. [`Way`] is a host whose plugins are loaded or linked in. [`model`] says what a reload has to do.
//! [`Stage`] is a host with a plugin directory of its own, and [`Desk`] is the object that this host provides. [`load`]
//! makes calls that never stop, [`records`] keeps the log, and [`process`] asks the operating system about this
//! process. [`Pki`] has the certificates of hosts and of those who ask them.
//!
//! A test waits for an event, and fails if that takes longer than [`LIMIT`].

mod desk;
pub mod fixture;
pub mod links;
pub mod load;
pub mod model;
pub mod odd;
mod pki;
pub mod process;
pub mod records;
mod stage;
mod ways;

pub use desk::Desk;
pub use pki::Pki;
pub use stage::Stage;
pub use ways::Way;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The time that any awaited event may take, on a machine with much else to do.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Returns a number from the environment, with which a run of the tests can be adjusted.
///
/// # Panics
/// Panics if the variable is not a number.
pub fn setting(variable: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{variable}={text}: {error}"))
}

/// Runs an ignored test of this program in a process of its own, and returns the output.
///
/// # Panics
/// Panics if the test fails.
pub fn alone(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    run(&mut command)
}

/// Runs a command, and returns the output.
///
/// # Panics
/// Panics if it fails.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().expect("the program can be run");
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Returns once `done` is true. It polls, for things that do not announce their changes, such as files.
///
/// # Panics
/// Panics if that takes too long. `what` says what was awaited.
pub fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < LIMIT, "waited for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
