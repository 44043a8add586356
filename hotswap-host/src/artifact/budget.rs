//! How much of a file is looked at.

/// The bytes that may still be looked at. The tables of a crafted file may have any number of entries, each of which covers the
/// whole file; those of a linker cover each byte a few times at most.
pub(super) struct Budget(usize);

/// So often each byte of a file may be looked at.
const TIMES: usize = 4;

impl Budget {
    /// The budget for one look at these bytes.
    pub(super) fn of(file: &[u8]) -> Self {
        Budget(file.len().saturating_mul(TIMES))
    }

    /// Whether `part` may be looked at, too.
    pub(super) fn covers(&mut self, part: &[u8]) -> bool {
        // An empty part costs, too.
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
