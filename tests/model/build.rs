//! Sets the cfg that excludes the host's own tests from the shipped files.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=hotswap_model");
}
