//! Records which compiler builds the plugin, for its metadata.
use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version
        .and_then(|o| String::from_utf8(o.stdout).ok())
        .unwrap_or_default();
    println!("cargo::rustc-env=HOTSWAP_RUSTC={}", version.trim());
    println!(
        "cargo::rustc-env=HOTSWAP_TARGET={}",
        env::var("TARGET").unwrap_or_default()
    );
    println!("cargo::rustc-env=HOTSWAP_PROFILE={}", profile());
}

/// The profile's directory name, which also tells custom profiles apart: cargo's own variable `PROFILE` does not.
/// `OUT_DIR` is `<target>[/<triple>]/<profile>/build/<package>-<hash>/out`.
fn profile() -> String {
    let out = env::var("OUT_DIR").unwrap_or_default();
    let named = Path::new(&out)
        .ancestors()
        .find(|p| p.ends_with("build"))
        .and_then(|p| p.parent()?.file_name()?.to_str());
    named
        .map(str::to_owned)
        .or_else(|| env::var("PROFILE").ok())
        .unwrap_or_default()
}
