//! [`LogOptions`], which say what is logged, and where.
use crate::LogError;
use crate::filter;
use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;

/// What is logged, and where.
///
/// ```
/// use hotswap_log::{Console, LogOptions};
///
/// let mut options = LogOptions::default();
/// options.filter = "warn,greeter=debug".into();
/// options.console = Console::Plain;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogOptions {
    /// The level, `error`, `warn`, `info`, `debug`, `trace`, or `off`, or several
    /// [directives](tracing_subscriber::EnvFilter#directives), as in `info,greeter=debug`. What no directive names is logged
    /// from `error` on. By default, it is `info`.
    pub filter: String,
    /// What is written to stderr. By default, it is [`Console::Auto`].
    pub console: Console,
    /// The file. By default, there is none.
    pub file: Option<LogFile>,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            filter: "info".into(),
            console: Console::default(),
            file: None,
        }
    }
}

impl fmt::Display for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, console {}", self.filter, self.console)?;
        let Some(file) = &self.file else {
            return Ok(());
        };
        write!(f, ", file {}", file.path.display())?;
        match file.rotation {
            Rotation::Never => Ok(()),
            rotation => write!(f, " ({rotation}, {} older ones stay)", file.keep),
        }
    }
}

/// A file, and when another one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFile {
    /// The path of the file. With a rotation, the time at which a file begins is appended to it.
    pub path: PathBuf,
    /// When another file begins. By default, it is [`Rotation::Never`].
    pub rotation: Rotation,
    /// The number of older files that stay when another one begins, at least one. By default, it is seven.
    pub keep: usize,
}

impl LogFile {
    /// Returns a file that is not rotated.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        LogFile {
            path: path.into(),
            rotation: Rotation::default(),
            keep: 7,
        }
    }
}

/// Defines an enum whose variants have a word each.
macro_rules! words {
    ($(#[$attribute:meta])* $Name:ident, $of:literal, $($(#[$variant:meta])* $Variant:ident = $word:literal),*) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Name {
            $($(#[$variant])* $Variant,)*
        }

        impl FromStr for $Name {
            type Err = LogError;

            fn from_str(text: &str) -> Result<Self, LogError> {
                match text {
                    $($word => Ok($Name::$Variant),)*
                    _ => Err(LogError::Value {
                        of: $of,
                        value: text.into(),
                        write: filter::one_of(&[$($word),*]),
                    }),
                }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($Name::$Variant => $word,)*
                })
            }
        }
    };
}

words! {
    /// What is written to stderr.
    ///
    /// Each value has a word, which [`FromStr`] reads and [`Display`](fmt::Display) writes.
    Console, "setting of the console",
    /// `auto`: with colours if stderr is a terminal and the variable `NO_COLOR` is not set, otherwise without.
    #[default]
    Auto = "auto",
    /// `color`: with colours.
    Color = "color",
    /// `plain`: without colours.
    Plain = "plain",
    /// `off`: nothing.
    Off = "off"
}

impl Console {
    /// Returns true if there are colours, and `None` if nothing is written.
    pub(crate) fn has_colors(self) -> Option<bool> {
        let unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Console::Auto => Some(std::io::stderr().is_terminal() && !unwanted()),
            Console::Color => Some(true),
            Console::Plain => Some(false),
            Console::Off => None,
        }
    }
}

words! {
    /// When another file begins, by the clock of UTC.
    ///
    /// Each value has a word, which [`FromStr`] reads and [`Display`](fmt::Display) writes.
    Rotation, "rotation",
    /// `never`.
    #[default]
    Never = "never",
    /// `minutely`: each minute in which something is logged.
    Minutely = "minutely",
    /// `hourly`: each hour in which something is logged.
    Hourly = "hourly",
    /// `daily`: each day on which something is logged.
    Daily = "daily",
    /// `weekly`: each week in which something is logged. A week begins on Sunday.
    Weekly = "weekly"
}

const FILTER: &str = "RUST_LOG";
const CONSOLE: &str = "HOTSWAP_LOG_CONSOLE";
const FILE: &str = "HOTSWAP_LOG_FILE";
const ROTATION: &str = "HOTSWAP_LOG_ROTATION";
const KEEP: &str = "HOTSWAP_LOG_KEEP";

impl LogOptions {
    /// Returns the options that the environment sets, with the defaults for all others. Empty variables count as unset.
    ///
    /// A process with more rights than the user who started it gets the defaults.
    ///
    /// # Errors
    /// A value cannot be used. The error names the variable, and says what to write.
    pub fn from_env() -> Result<Self, LogError> {
        if hotswap_host::runtime::is_privileged() {
            return Ok(LogOptions::default());
        }
        LogOptions::from_variables(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn from_variables(
        variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, LogError> {
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let mut options = LogOptions::default();
        if let Some(filter) = text(FILTER) {
            filter::parse(&filter).map_err(in_variable(FILTER))?;
            options.filter = filter;
        }
        if let Some(console) = text(CONSOLE) {
            options.console = console.parse().map_err(in_variable(CONSOLE))?;
        }
        options.file = variable(FILE).map(LogFile::new);
        for name in [ROTATION, KEEP] {
            match (text(name), &mut options.file) {
                (None, _) => {}
                (Some(_), None) => return Err(LogError::NoFile { name }),
                (Some(value), Some(file)) if name == ROTATION => {
                    file.rotation = value.parse().map_err(in_variable(name))?;
                }
                (Some(value), Some(file)) => {
                    file.keep = number_of_files(&value).map_err(in_variable(name))?;
                }
            }
        }
        Ok(options)
    }
}

fn in_variable(name: &'static str) -> impl FnOnce(LogError) -> LogError {
    move |error| LogError::Variable {
        name,
        source: Box::new(error),
    }
}

fn number_of_files(text: &str) -> Result<usize, LogError> {
    let number = text.parse().ok();
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| no_files(text))
}

/// Returns the error for a number of files that would leave nothing.
pub(crate) fn no_files(value: impl ToString) -> LogError {
    LogError::Value {
        of: "number of older files",
        value: value.to_string(),
        write: "a whole number from 1 on".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn options(variables: &[(&str, &str)]) -> Result<LogOptions, String> {
        let variable = |name: &str| {
            let mut found = variables.iter().filter(|(of, _)| *of == name);
            found.next().map(|(_, value)| OsString::from(value))
        };
        LogOptions::from_variables(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_sets_all_of_it() {
        assert_eq!(options(&[]), Ok(LogOptions::default()));
        let mut file = LogFile::new("/var/log/web.log");
        file.rotation = Rotation::Daily;
        file.keep = 3;
        let expected = LogOptions {
            filter: "warn,greeter=trace".into(),
            console: Console::Plain,
            file: Some(file),
        };
        let all = options(&[
            (FILTER, "warn,greeter=trace"),
            (CONSOLE, "plain"),
            (FILE, "/var/log/web.log"),
            (ROTATION, "daily"),
            (KEEP, "3"),
        ]);
        assert_eq!(all, Ok(expected));
    }

    #[test]
    fn a_bad_value_is_an_error_that_says_what_to_write() {
        let error = |name, value| options(&[(FILE, "web.log"), (name, value)]).unwrap_err();
        for (name, value, expected) in [
            (
                CONSOLE,
                "colourful",
                "the variable HOTSWAP_LOG_CONSOLE cannot be used: `colourful` is no setting of the console; write one of auto, \
                 color, plain, off",
            ),
            (
                ROTATION,
                "yearly",
                "the variable HOTSWAP_LOG_ROTATION cannot be used: `yearly` is no rotation; write one of never, minutely, \
                 hourly, daily, weekly",
            ),
            (
                KEEP,
                "0",
                "the variable HOTSWAP_LOG_KEEP cannot be used: `0` is no number of older files; write a whole number from 1 on",
            ),
            (
                FILTER,
                "inof",
                "the variable RUST_LOG cannot be used: `inof` is no level; write one of error, warn, info, debug, trace, off, \
                 or `inof=trace` for a module of this name",
            ),
        ] {
            assert_eq!(error(name, value), expected);
        }
        assert_eq!(
            options(&[(ROTATION, "daily")]).unwrap_err(),
            "HOTSWAP_LOG_ROTATION is set, but no file is rotated; set HOTSWAP_LOG_FILE, too, or unset HOTSWAP_LOG_ROTATION"
        );
    }
}
