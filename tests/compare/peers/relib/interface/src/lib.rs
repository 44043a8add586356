//! What the host and the plugin of the comparison for relib share.

pub mod exports;
pub mod imports;

/// The source of [`exports`].
pub const EXPORTS: &str = include_str!("exports.rs");
/// The source of [`imports`].
pub const IMPORTS: &str = include_str!("imports.rs");
