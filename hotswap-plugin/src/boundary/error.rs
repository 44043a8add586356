//! `Error`, any error, and its text.

/// Any error. It crosses as a string, with the texts of its sources, and arrives as an error with that text.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of hooks and functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Returns an error's text, followed by those of its sources.
///
/// ```
/// # use std::fmt;
/// # #[derive(Debug)] struct Outer(std::num::ParseIntError);
/// # impl fmt::Display for Outer {
/// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("no port") }
/// # }
/// # impl std::error::Error for Outer {
/// #     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { Some(&self.0) }
/// # }
/// let error = Outer("x".parse::<u16>().unwrap_err());
/// assert_eq!(hotswap_plugin::boundary::chain(&error), "no port: invalid digit found in string");
/// ```
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    crate::telemetry::explained(&text).into_owned()
}
