//! Shared code of the fuzz targets.
pub mod any;
pub mod echo;
pub mod plugin;
pub mod read;
