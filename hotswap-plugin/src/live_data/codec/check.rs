//! The check that a value is restored as it was, for types that only `serde` knows.
//!
//! A value behind `tag`, `untagged`, or `flatten` is restored through a buffer of `serde`, which does not hold every
//! type, and of which the first variant that fits is taken. Other types write what they cannot read. None of this can
//! be seen while a value is written, so it is read once and compared.
use super::{Error, decode, encode, witness};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Refuses a value that cannot be restored, or would be restored as another one.
pub(in crate::live_data) fn comes_back<T: Serialize + DeserializeOwned>(
    value: &T,
) -> Result<(), Error> {
    let bytes = encode(value, Vec::new())?;
    crate::state::while_checking(|| {
        let back: T = decode(&bytes).map_err(Error::not_read_back)?;
        let before = witness::of(value)?;
        if before == witness::of(&back)? {
            return Ok(());
        }
        // A value that differs each time it is written, such as the age of something, cannot be compared.
        if before != witness::of(value)? {
            return Ok(());
        }
        let path = witness::difference(value, &back)?;
        let error = Error::new(
            "would be restored as another value: two variants, or two types, look the same when they are written; \
             put `#[live_data]` on the type in place of `serde`'s derives",
        );
        Err(if path.is_empty() {
            error
        } else {
            error.at(&path)
        })
    })
}

impl Error {
    fn not_read_back(self) -> Self {
        let (path, reason) = self.into_parts();
        let error = Error::new(format!(
            "could be written, but not be restored: {reason}; where that is due to `serde`'s `tag`, `untagged` or \
             `flatten`, put `#[live_data]` on the type in place of `serde`'s derives"
        ));
        if path.is_empty() {
            error
        } else {
            error.at(&path)
        }
    }
}
