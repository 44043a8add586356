//! Fuzzes the host with any bytes in place of a plugin's file.
#![no_main]
use hotswap_fuzz::read::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read(bytes);
});
