//! The functions of the host for subsecond once more, as the library of a patch.

#[path = "../../host/src/addresses.rs"]
mod addresses;
#[path = "../../host/src/functions.rs"]
mod functions;

/// The anchor of a patch, which subsecond looks up and never calls.
#[unsafe(no_mangle)]
pub extern "C" fn main() {}

/// Writes the addresses by which the functions are called.
#[unsafe(no_mangle)]
pub extern "C" fn addresses(out: &mut [u64; 3]) {
    *out = addresses::addresses();
}
