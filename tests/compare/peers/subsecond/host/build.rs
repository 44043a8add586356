//! Exports `main`, which subsecond looks up in the running program. `dx` does the same.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol=main");
}
