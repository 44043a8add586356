//! The errors of secret keys.

use std::path::PathBuf;

use hotswap_host::{PluginName, shown};

/// A secret key that cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// A key would be overwritten.
    #[error(
        "`{}` exists already, and a key that is overwritten is lost; choose another file, or pass --force",
        shown::path(file)
    )]
    KeyExists {
        /// The file.
        file: PathBuf,
    },
    /// The secret key would be written where the public key goes.
    #[error(
        "`{}` is the name of a public key, which is written beside the secret key; name the secret key otherwise, as in \
         `{}`",
        shown::path(file),
        shown::path(&file.with_extension("key"))
    )]
    NameOfPublicKey {
        /// The file.
        file: PathBuf,
    },
    /// A file is not a secret key.
    #[error(
        "`{}` is not a secret key of minisign, or is damaged; make one with `cargo hotswap keygen`",
        shown::path(file)
    )]
    NotASecretKey {
        /// The file.
        file: PathBuf,
    },
    /// A password does not belong to a key.
    #[error(
        "the password is not that of the secret key `{}`; try again, or make another key with `cargo hotswap keygen`",
        shown::path(file)
    )]
    WrongPassword {
        /// The secret key.
        file: PathBuf,
    },
    /// The two passwords for a new key differ.
    #[error("the two passwords differ, so no key was made; try again")]
    PasswordsDiffer,
    /// A password is empty.
    #[error("the password is empty; for a key without one, pass --no-password to `keygen`")]
    EmptyPassword,
    /// A password is longer than minisign accepts.
    #[error("the password is longer than {limit} bytes, which minisign does not accept")]
    LongPassword {
        /// The largest length.
        limit: usize,
    },
    /// There is no terminal on which a password could be asked for.
    #[error("there is no terminal to ask for the password; pass --password-file")]
    NoTerminal {
        /// The reason.
        source: std::io::Error,
    },
    /// A password cannot be read.
    #[error("cannot read the password from {from}")]
    Password {
        /// The terminal, stdin, or the file.
        from: String,
        /// The reason.
        source: std::io::Error,
    },
    /// Two artifacts of a set are the same plugin.
    #[error(
        "`{}` and `{}` are both the plugin {plugin}; name each plugin of the set once",
        shown::path(first),
        shown::path(second)
    )]
    Twice {
        /// The plugin.
        plugin: PluginName,
        /// One artifact.
        first: PathBuf,
        /// The other artifact.
        second: PathBuf,
    },
    /// The machine does not give what a key or a signature needs, such as random numbers or memory.
    #[error("cannot {action}")]
    Failed {
        /// The action that the command tried.
        action: &'static str,
        /// The reason.
        source: minisign::PError,
    },
}
