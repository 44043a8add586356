//! Hashes of descriptions, which the compiler computes.

/// A hash of 128 bits: low half, high half.
pub type Hash = [u64; 2];

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
