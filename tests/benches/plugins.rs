//! The plugins that are measured: stripped release builds, as they would be deployed.
use hotswap_host::{Builder, UnloadMode};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, hotswap, renamed, run, target, variant};
use std::fs;
use std::path::PathBuf;

/// The name of the adder when it is the only one.
pub const ADDER: &str = "bench-000";

/// Builds the plugins that the rows need.
pub fn build() {
    let packages = ["bench-adder", "bench-caller", "bench-heap", "bench-state"];
    release(
        out(),
        &packages.map(|package| ["--package", package]).concat(),
    );
    let options = ["--package", "bench-heap", "--features", "plain"];
    release(out_plain(), &options);
}

fn release(out: PathBuf, options: &[&str]) {
    let mut command = hotswap();
    command.args(["build", "--quiet", "--release", "--out-dir"]);
    command.arg(out).args(options);
    run(command.env("CARGO_PROFILE_RELEASE_STRIP", "symbols"));
}

fn out() -> PathBuf {
    target().join("bench")
}

fn out_plain() -> PathBuf {
    target().join("bench-plain")
}

fn read(dir: PathBuf, package: &str) -> Vec<u8> {
    let file = dir.join(fixture::file_name(package));
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns a build of the adder. There are a hundred.
pub fn adder(build: usize) -> Vec<u8> {
    let text = format!("adder {build:02}");
    variant(&read(out(), "bench-adder"), "adder 00", &text)
}

/// Returns a build of the adder under another name.
pub fn adder_named(name: &str, build: usize) -> Vec<u8> {
    renamed(&adder(build), ADDER, name)
}

/// Returns a build of the plugin with a large state. There are a hundred.
pub fn stateful(build: usize) -> Vec<u8> {
    let text = format!("state {build:02}");
    variant(&read(out(), "bench-state"), "state 00", &text)
}

/// Returns the plugin that imports the adder.
pub fn caller() -> Vec<u8> {
    read(out(), "bench-caller")
}

/// Returns the plugin that allocates, with the plugins' own allocator.
pub fn heap() -> Vec<u8> {
    read(out(), "bench-heap")
}

/// Returns the plugin that allocates, with the allocator of every other program.
pub fn plain_heap() -> Vec<u8> {
    read(out_plain(), "bench-heap")
}

/// Opens a host with these plugins and the default settings.
pub fn host(plugins: &[(&str, &[u8])]) -> Stage {
    host_with(plugins, |builder| builder)
}

/// Opens a host with these plugins and other settings.
pub fn host_with(plugins: &[(&str, &[u8])], settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::with(plugins, |builder| {
        settings(builder.unload_mode(UnloadMode::Unload))
    })
}
