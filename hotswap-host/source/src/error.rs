//! The error of all that this crate does.
use hotswap_host::artifact::ArtifactProblem;

/// The reason why sources cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file carries none.
    #[error("the file carries no sources; build it with `cargo hotswap build --source`")]
    None,
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
}
