//! Generates the bindings.

fn main() {
    relib_interface::module::generate(
        hum_relib_interface::EXPORTS,
        "hum_relib_interface::exports::Exports",
        hum_relib_interface::IMPORTS,
        "hum_relib_interface::imports::Imports",
    );
}
