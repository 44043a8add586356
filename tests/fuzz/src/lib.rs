//! What the fuzz targets share.
pub mod any;
pub mod echo;
pub mod plugin;
pub mod read;
