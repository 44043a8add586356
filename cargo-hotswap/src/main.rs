//! The binary of `cargo hotswap`. The library does everything.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_hotswap::main_with(std::env::args_os())
}
