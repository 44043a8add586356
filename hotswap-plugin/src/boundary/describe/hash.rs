//! Hashes of descriptions, which the compiler computes.
use abi_stable::std_types::{RSlice, RStr};

/// A hash of 128 bits: low half, high half.
pub type Hash = [u64; 2];

/// Does the same as `RStr::as_str`, in constants.
pub(super) const fn str_of(text: RStr<'static>) -> &'static str {
    // SAFETY: an `RStr` is the address and length of a string that lives as long as its lifetime.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.as_ptr(), text.len())) }
}

/// Does the same as `RSlice::as_slice`, in constants.
pub(super) const fn slice_of<T>(items: RSlice<'static, T>) -> &'static [T] {
    // SAFETY: an `RSlice` is the address and length of a slice that lives as long as its lifetime.
    unsafe { std::slice::from_raw_parts(items.as_ptr(), items.len()) }
}

/// FNV-1a with 128 bits, in constants.
pub(super) struct Hasher(u128);

impl Hasher {
    pub(super) const fn new() -> Self {
        Hasher(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
    const fn byte(self, byte: u8) -> Self {
        Hasher((self.0 ^ byte as u128).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b))
    }
    /// Adds a string. The length goes first, so that two strings in a row have one meaning.
    pub(super) const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        self = self.number(bytes.len() as u64);
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }
    pub(super) const fn number(mut self, number: u64) -> Self {
        let bytes = number.to_le_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self = self.byte(bytes[i]);
            i += 1;
        }
        self
    }
    pub(super) const fn node(self, hash: Hash) -> Self {
        self.number(hash[0]).number(hash[1])
    }
    pub(super) const fn finish(self) -> Hash {
        [self.0 as u64, (self.0 >> 64) as u64]
    }
}
