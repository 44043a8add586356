//! Takes the place of `carried` without the feature `source`: artifacts carry no sources.

use std::path::Path;

use cargo_metadata::Package;

use crate::Error;
use crate::cargo::Calls;

pub(crate) fn packed(
    _: &Calls<'_>,
    _: &Package,
    _: Option<&str>,
    _: &Path,
) -> Result<Option<Vec<u8>>, Error> {
    Ok(None)
}
