//! Tests that concern the whole process. A test that ends the process, or takes something away from it, runs in a
//! process of its own.
mod descriptors;
mod directories;
mod exit;
mod fork;
mod log;
mod threads;

use hotswap_tests::alone;
use hotswap_tests::fixture::{Build, variant};

/// Returns the build of the registrar with this number.
fn registrar(number: u8) -> Vec<u8> {
    let library = Build::Registrar.bytes("registrar");
    variant(&library, "registrar 00", &format!("registrar {number:02}"))
}

/// Returns the build of alpha with this number.
fn alpha(number: u8) -> Vec<u8> {
    let library = Build::First.bytes("alpha");
    variant(&library, "alpha 00", &format!("alpha {number:02}"))
}
