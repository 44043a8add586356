//! Limits how much of a file is looked at.

/// The number of bytes that may still be looked at. The tables of a crafted file may have any number of entries, each
/// of which covers the whole file. Those of a linker cover each byte at most a few times.
pub(super) struct Budget(usize);

/// The number of times that each byte of a file may be looked at.
const TIMES: usize = 4;

impl Budget {
    /// Returns the budget for one look at these bytes.
    pub(super) fn of(file: &[u8]) -> Self {
        Budget(file.len().saturating_mul(TIMES))
    }

    /// Returns true if `part` may be looked at, too.
    pub(super) fn covers(&mut self, part: &[u8]) -> bool {
        // An empty part has a cost, too.
        match self.0.checked_sub(part.len().max(1)) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
