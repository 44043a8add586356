//! Checks the texts of an artifact, which become parts of log lines, reports, diagrams, and file names.
use super::error::ArtifactProblem;
use super::{History, LiveEntry, Metadata};
use crate::shown::is_deceptive;

/// A kind of text.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// The name of a plugin or of a crate.
    Name,
    /// A Rust identifier.
    Identifier,
    /// The path of a module.
    Module,
    /// A version, a profile, a target, or a commit.
    Word,
    /// Any text on one line.
    Line,
}

/// The maximum length of a name, because it becomes part of a file's name.
const MAX_NAME: usize = 128;

impl Kind {
    pub(super) fn accepts(self, text: &str) -> bool {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        // Marks of other scripts can be part of identifiers, but they are not letters.
        let is_identifier = |c: char| match c.is_ascii() {
            true => c.is_ascii_alphanumeric() || c == '_',
            false => !is_deceptive(c) && !c.is_whitespace(),
        };
        match self {
            Kind::Name => !text.is_empty() && text.len() <= MAX_NAME && text.chars().all(is_name),
            Kind::Identifier => text.chars().all(is_identifier),
            Kind::Module => text
                .chars()
                .all(|c| is_identifier(c) || matches!(c, ':' | '#')),
            Kind::Word => text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c)),
            Kind::Line => !text.contains(is_deceptive),
        }
    }

    fn described(self) -> &'static str {
        match self {
            Kind::Name => "letters, digits, `-` and `_`, at most 128 bytes",
            Kind::Identifier => "an identifier",
            Kind::Module => "the path of a module",
            Kind::Word => "ASCII letters, digits, `-`, `.`, `_` and `+`",
            Kind::Line => "one line without control characters and marks of direction",
        }
    }
}

/// Returns an error if the text is not of this kind.
pub(super) fn check(field: &'static str, text: &str, kind: Kind) -> Result<(), ArtifactProblem> {
    if kind.accepts(text) {
        return Ok(());
    }
    Err(ArtifactProblem::Text {
        field,
        text: text.to_owned(),
        allowed: kind.described(),
    })
}

impl Metadata {
    /// Returns an error if one of the texts is not of its kind.
    pub(super) fn check_texts(&self) -> Result<(), ArtifactProblem> {
        check("name", self.name.as_str(), Kind::Name)?;
        check("version", &self.version, Kind::Word)?;
        check("crate", &self.crate_name, Kind::Name)?;
        check("rustc", &self.rustc, Kind::Line)?;
        check("target", &self.target, Kind::Word)?;
        check("profile", &self.profile, Kind::Word)?;
        for hook in &self.hooks {
            check("hooks", hook, Kind::Identifier)?;
        }
        for function in &self.functions {
            check("functions.name", &function.name, Kind::Identifier)?;
            check("functions.signature", &function.signature, Kind::Line)?;
        }
        for export in &self.exports {
            check("exports.interface", &export.interface, Kind::Identifier)?;
            check("exports.signature", &export.signature, Kind::Line)?;
        }
        for import in &self.imports {
            check("imports.field", &import.field, Kind::Identifier)?;
            if let Some(from) = &import.from {
                check("imports.from", from.as_str(), Kind::Name)?;
            }
            if let Some(interface) = &import.interface {
                check("imports.interface", interface, Kind::Identifier)?;
            }
        }
        if let Some(state) = &self.state {
            check("state", &state.type_name, Kind::Line)?;
            check_history("state.history", state.history.as_ref())?;
        }
        self.live.iter().try_for_each(LiveEntry::check_texts)
    }
}

impl LiveEntry {
    fn check_texts(&self) -> Result<(), ArtifactProblem> {
        check("live.module", &self.module, Kind::Module)?;
        check("live.name", &self.name, Kind::Line)?;
        check("live.signature", &self.signature, Kind::Line)?;
        check_history("live.history", self.history.as_ref())?;
        let mut names = self.was.iter();
        names.try_for_each(|name| check("live.was", name, Kind::Line))
    }
}

fn check_history(field: &'static str, history: Option<&History>) -> Result<(), ArtifactProblem> {
    let mut texts = history.into_iter().flat_map(History::texts);
    texts.try_for_each(|text| check(field, text, Kind::Line))
}

#[cfg(test)]
mod tests;
