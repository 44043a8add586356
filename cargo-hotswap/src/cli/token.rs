//! The options of `token`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, builder::TypedValueParser};
use hotswap_control::api::Role;

/// The options of `token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The id of the token, which the audit of the host shows
    #[arg(value_name = "ID")]
    pub id: String,
    /// What the token allows
    #[arg(long, value_name = "ROLE", value_parser = role())]
    pub role: Role,
    /// The file of the host's tokens, which is made if it does not exist
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// The number of days for which the token counts
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub days: u32,
}

fn role() -> impl TypedValueParser<Value = Role> {
    let names = Role::ALL.map(Role::name);
    PossibleValuesParser::new(names)
        .map(|name| Role::of(&name).expect("the name is that of a role"))
}
