//! The binary of `cargo hotswap`; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_hotswap::main_with(std::env::args_os())
}
