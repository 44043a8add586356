//! Names and paths, which every other module may use.
pub mod fail_point;
pub(crate) mod histogram;
pub(crate) mod interned;
pub(crate) mod lock_order;
pub(crate) mod name;
pub(crate) mod nearest;
pub(crate) mod paths;
pub(crate) mod seconds;
pub(crate) mod size;
pub(crate) mod time;
