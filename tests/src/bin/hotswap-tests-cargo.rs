//! `cargo hotswap` as a binary of this package, so that Cargo builds it before the tests build their plugins with it.
use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_hotswap::main_with(std::env::args_os())
}
