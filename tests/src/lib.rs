//! What the end-to-end tests share.
//!
//! [`fixture`] builds the plugins of `fixtures/`, [`links`] are chains of them, [`odd`] makes libraries that are none,
//! [`Way`] is a host whose plugins are loaded or linked in, [`model`] says what reloads are to do, [`Stage`] is a host with a plugin directory of its own, [`Desk`] what that
//! host provides, [`load`] are calls that never stop, [`records`] what was logged, and [`process`] what the operating
//! system says of this process.
//! A test waits for an event, and fails when it takes longer than [`LIMIT`].

mod desk;
pub mod fixture;
pub mod links;
pub mod load;
pub mod model;
pub mod odd;
pub mod process;
pub mod records;
mod stage;
mod ways;

pub use desk::Desk;
pub use stage::Stage;
pub use ways::Way;

use std::time::{Duration, Instant};

/// How long anything may take that a test waits for, on a machine with much else to do.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A number from the environment, which a run of the tests may set.
///
/// # Panics
/// When it is none.
pub fn setting(variable: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|error| panic!("{variable}={text}: {error}"))
}

/// Returns once `done` is true of something that tells nobody when it changes, such as a file.
///
/// # Panics
/// When it takes too long; `what` says what.
pub fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < LIMIT, "waited for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
