//! [`Sourced`], a closure with its source, and [`PatchSource`], the source of a closure as the list of patches has it.
use serde::Serialize;

/// A closure with its source, which [`patch!`](crate::patch!) makes. It is a closure for all operations of a
/// [`Patch`](crate::Patch).
pub struct Sourced<C> {
    pub(super) closure: C,
    pub(super) source: ClosureSource,
}

/// The source of a closure.
#[derive(Clone, Copy)]
pub struct ClosureSource {
    text: &'static str,
    file: &'static str,
    line: u32,
}

impl<C> Sourced<C> {
    /// Keeps the source of a closure.
    #[doc(hidden)]
    pub fn new(closure: C, text: &'static str, file: &'static str, line: u32) -> Self {
        Sourced {
            closure,
            source: ClosureSource { text, file, line },
        }
    }
}

/// The source of a closure that is a part of a [patch](crate::Patch), if [`patch!`](crate::patch!) has kept it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PatchSource {
    /// The function that is patched.
    pub function: String,
    /// The tokens of the closure. Comments and line breaks are not kept.
    pub text: String,
    /// The file of the host's sources, as the compiler was given it.
    pub file: String,
    /// The line on which [`patch!`](crate::patch!) is, counted from 1.
    pub line: u32,
}

impl ClosureSource {
    /// Describes the source of a closure for a function.
    pub(super) fn of(&self, function: &str) -> PatchSource {
        PatchSource {
            function: function.to_owned(),
            text: self.text.to_owned(),
            file: self.file.to_owned(),
            line: self.line,
        }
    }
}

/// Keeps the source of a closure, for those who [list](crate::Patches::list) the patches.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// use hotswap_host::patch;
///
/// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
/// let version = swapper
///     .patch("world")
///     .rewrite::<fn(u32) -> String, _>("hum", patch!(|times: u32| format!("{times} hums")))
///     .apply()?;
/// println!("{}", version.sources[0].text);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! patch {
    ($closure:expr $(,)?) => {
        $crate::Sourced::new($closure, stringify!($closure), file!(), line!())
    };
}
