//! Values that one version of a type saves and another restores.
mod bytes;
mod fields;
mod foreign;
mod kinds;
mod versions;

use hotswap_plugin::{LiveData, LiveType};
use std::fmt::Debug;

/// What another version of the type makes of a value.
fn again<B: LiveType>(value: &impl LiveType) -> Result<B, String> {
    let data = LiveData::save(value).map_err(|e| e.to_string())?;
    data.restore().map_err(|e| e.to_string())
}

/// The value comes back.
fn same<T: LiveType + PartialEq + Debug>(value: T) {
    assert_eq!(again::<T>(&value).as_ref(), Ok(&value));
}
