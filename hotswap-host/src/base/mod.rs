//! What every other module may use, and what uses none of them.
pub(crate) mod name;
pub(crate) mod nearest;
pub(crate) mod paths;
