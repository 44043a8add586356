//! The options of the commands for signatures.

use std::path::PathBuf;

use clap::Args;

/// Where the password of a secret key comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordArgs {
    /// Read the password from the first line of this file, or of stdin for `-` [default: ask on the terminal]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// The options of `keygen`.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// The file for the secret key. The public key goes beside it, with the extension `pub`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Protect the secret key by no password: whoever can read the file can sign
    #[arg(long, conflicts_with = "password_file")]
    pub no_password: bool,
    /// Overwrite existing keys, which are lost
    #[arg(short, long)]
    pub force: bool,
}

/// The options of `sign`.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The artifacts
    #[arg(required = true, value_name = "ARTIFACT")]
    pub artifacts: Vec<PathBuf>,
    /// The file with the secret key, from `cargo hotswap keygen` or `minisign -G`
    #[arg(short, long, value_name = "FILE")]
    pub secret_key: PathBuf,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// The options of `manifest`.
#[derive(Debug, Args)]
pub struct ManifestArgs {
    /// All artifacts of the set
    #[arg(required = true, value_name = "ARTIFACT")]
    pub artifacts: Vec<PathBuf>,
    /// The manifest to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The version of the set [default: the seconds since the beginning of 1970]
    #[arg(long, value_name = "NUMBER")]
    pub set_version: Option<u64>,
    /// The number of days after which no host accepts the set any more
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=36500))]
    pub days: u64,
    /// The file with the secret key, from `cargo hotswap keygen` or `minisign -G`
    #[arg(short, long, value_name = "FILE")]
    pub secret_key: PathBuf,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
}

/// The options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The artifacts
    #[arg(required = true, value_name = "ARTIFACT")]
    pub artifacts: Vec<PathBuf>,
    /// A public key that may have signed them, or a file with one or more keys. May be repeated
    #[arg(short, long = "key", required = true, value_name = "KEY|FILE")]
    pub keys: Vec<String>,
    /// A public key that may not have signed them, or a file with such keys. May be repeated
    #[arg(long, value_name = "KEY|FILE")]
    pub revoked: Vec<String>,
    /// Also check that the artifacts are the set in this manifest, and that it is signed and has not expired
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Print JSON, an artifact a line
    #[arg(long)]
    pub json: bool,
}
