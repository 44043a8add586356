//! What can be wrong with live data.
use std::fmt;

/// Why a value could not be saved or restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDataError(String);

impl LiveDataError {
    pub(super) fn new(error: impl fmt::Display) -> Self {
        LiveDataError(error.to_string())
    }
}

impl fmt::Display for LiveDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LiveDataError {}
