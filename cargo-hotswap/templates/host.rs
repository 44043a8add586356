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
    // There may be none yet.
    let swapper = Swapper::builder().allow_empty(true).open()?;
    let _listener = signal::reload_on(signal::USUAL, &swapper)?;
    loop {
        for plugin in swapper.listing().plugins {
            let name = [Value::from(somebody())];
            match swapper.invoke(plugin.name.as_str(), "greet", &name) {
                Ok(greeting) => println!("{} says: {greeting}", plugin.name),
                Err(error) => println!("{} does not greet: {error}", plugin.name),
            }
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
