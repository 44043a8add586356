//! The shipped files are compiled without their own tests.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=hotswap_model");
}
