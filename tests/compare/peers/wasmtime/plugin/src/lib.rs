//! The plugin, for wasmtime.

/// The driver edits this number.
const VERSION: u64 = 0;

static mut NAME: [u8; 4096] = [0; 4096];

/// Returns the address of the memory into which the host writes a name.
#[unsafe(no_mangle)]
pub extern "C" fn name() -> *mut u8 {
    (&raw mut NAME).cast()
}

/// Adds two numbers.
#[unsafe(no_mangle)]
pub extern "C" fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// Returns the number of bytes of a name that is hummed so many times. The host has written the name.
#[unsafe(no_mangle)]
pub extern "C" fn hum(length: u32, times: u64) -> u64 {
    u64::from(length).wrapping_mul(times)
}

/// Returns the number in the source.
#[unsafe(no_mangle)]
pub extern "C" fn version() -> u64 {
    VERSION
}
