//! The entries in a list of live functions and types.
use hotswap_macros::shared;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A live function or type of a generation.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LiveItem {
    /// The path of its module, which begins with its crate's name: `livex_jobs::jobs`.
    pub module: String,
    /// Its name, as its author wrote it.
    pub name: String,
    /// Its kind.
    pub kind: LiveKind,
    /// The plugin whose library has it.
    pub plugin: String,
    /// Its signature as the author wrote it, without the name of a function: `fn(department: &str) -> String`.
    pub signature: String,
    /// The schema version, if it is a type.
    pub version: Option<u32>,
}

/// The kind of a live item.
#[shared(crate = crate)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveKind {
    /// A function.
    Function,
    /// A struct or an enum.
    Type,
}

impl fmt::Display for LiveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LiveKind::Function => "function",
            LiveKind::Type => "type",
        })
    }
}

/// Shows `office: fn roll_call(department: &str) -> String in office::jobs`, or `office: struct Fire { shots: u32 },
/// version 2, in office::jobs`.
impl fmt::Display for LiveItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LiveItem {
            module,
            name,
            plugin,
            signature,
            ..
        } = self;
        write!(f, "{plugin}: ")?;
        match (self.version, signature.strip_prefix("fn")) {
            (None, Some(rest)) => write!(f, "fn {name}{rest} in {module}"),
            (Some(version), _) => write!(f, "{signature}, version {version}, in {module}"),
            (None, None) => write!(f, "{signature} in {module}"),
        }
    }
}
