//! A program whose plugins are replaced while it runs.

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use hotswap_host::prelude::*;
use hotswap_host::signal;

fn main() -> ExitCode {
    if let Err(error) = serve() {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn serve() -> Result<(), Box<dyn Error>> {
    // Which builds were loaded and which have left memory, and what plugins log. RUST_LOG sets the level.
    hotswap_log::start()?;
    // `cargo hotswap run` says where the plugins are; without it they are in `plugins/` beside the program.
    let swapper = Swapper::builder().open()?;
    let _listener = signal::reload_on(signal::USUAL, &swapper)?;
    // Always the newest version of the function.
    let greet: Function<fn(&str) -> String> = swapper.function("{{plugin}}", "greet")?;
    loop {
        match greet.call(somebody()) {
            Ok(greeting) => println!("{greeting}"),
            // A panic in the plugin ends the call, not the host.
            Err(error) => println!("no greeting: {error}"),
        }
        thread::sleep(Duration::from_secs(2));
    }
}

/// Returns the name to greet.
fn somebody() -> &'static str {
    "world"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_has_a_name() {
        assert!(!somebody().is_empty());
    }
}
