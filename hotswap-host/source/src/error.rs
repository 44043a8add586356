//! The error of all that this crate does.
use crate::Place;
use hotswap_host::artifact::ArtifactProblem;
use hotswap_host::shown;
use std::path::PathBuf;

/// The reason why sources cannot be had, or not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file carries none.
    #[error("the file carries no sources; build it with `cargo hotswap build --source`")]
    None,
    /// No such plugin is loaded.
    #[error(
        "no plugin {plugin} is loaded{}",
        nearest.as_ref().map_or_else(String::new, |nearest| format!(": did you mean {nearest}?"))
    )]
    NotLoaded {
        /// The name.
        plugin: String,
        /// The most similar name of a loaded plugin.
        nearest: Option<String>,
    },
    /// The file has another build than the one that runs.
    #[error(
        "{} is no longer the build of {plugin} that runs, so it does not have its sources; reload, or build it again",
        shown::path(file)
    )]
    Replaced {
        /// The plugin.
        plugin: String,
        /// The file.
        file: PathBuf,
    },
    /// The file is damaged.
    #[error("the file {0}")]
    Artifact(#[from] ArtifactProblem),
    /// The sources are damaged.
    #[error("the sources in the file are damaged: {0}; build it again with `cargo hotswap build`")]
    Damaged(String),
    /// A file of the sources is not Rust that this crate can read.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// The file, relative to the directory of the package.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The parser's message.
        message: String,
    },
    /// There is no such function.
    #[error(
        "{package} has no function `{name}` in its sources: {}",
        match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "macros may have generated it".into(),
        }
    )]
    NoFunction {
        /// The package of the plugin.
        package: String,
        /// The name.
        name: String,
        /// The most similar name that the sources have.
        nearest: Option<String>,
    },
    /// Several functions have this name.
    #[error("several functions are called `{name}`; name one of {}", paths.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The paths of the functions.
        paths: Vec<String>,
    },
    /// A text that is to replace a function is not Rust.
    #[error("line {line}, column {column} of the new text: {message}")]
    Text {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// A text that is to replace a function has none, or several.
    #[error("the new text has {count} functions; write the one that is replaced, and nothing else")]
    NotOneFunction {
        /// The number of functions.
        count: usize,
    },
    /// A text that is to replace a function has another one.
    #[error(
        "the new text is the function `{found}`, which cannot replace `{wanted}`; keep the name"
    )]
    AnotherFunction {
        /// The name in the text.
        found: String,
        /// The path of the function that is replaced.
        wanted: String,
    },
    /// A text that is to replace a function has another signature.
    #[error(
        "the signature of `{path}` would change, and what calls it would not fit any more; change the sources, and reload\n  \
         the sources have: {before}\n  the new text has: {after}"
    )]
    Signature {
        /// The path of the function.
        path: String,
        /// The signature in the sources, without the names of the parameters.
        before: String,
        /// The signature in the text.
        after: String,
    },
    /// This is no place in a function.
    #[error(
        "`{0}` is no place in a function; write `start: CODE`, `end: CODE`, `statement 2: CODE`, or `arm 2: CODE`"
    )]
    Place(String),
    /// The code for a place is not one or more statements.
    #[error("the code is not one or more statements: {0}")]
    Code(String),
    /// The function does not have this place.
    #[error("`{path}` has no place `{place}`; it has {has}")]
    NoPlace {
        /// The path of the function.
        path: String,
        /// The place.
        place: Place,
        /// What it has: `3 statements`.
        has: String,
    },
}
