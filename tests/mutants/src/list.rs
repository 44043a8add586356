//! The mutants, as cargo-mutants lists them.
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// What is looked at, relative to the checkout.
const FILES: [&str; 3] = [
    "hotswap-host/src/resolve.rs",
    "hotswap-host/src/swapper/**/*.rs",
    "hotswap-host/src/live/**/*.rs",
];

/// A kind of mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// The body of a function is a fixed value.
    FnValue,
    /// Another operator.
    BinaryOperator,
    /// No operator.
    UnaryOperator,
    /// A `match` without this arm.
    MatchArm,
    /// A guard that is always true or false.
    MatchArmGuard,
    /// A field that is left to the rest.
    StructField,
}

/// A small mistake.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its place in the list.
    pub id: usize,
    /// Where it is, and what.
    pub name: String,
    /// The file, relative to the checkout.
    pub file: String,
    /// What kind of mistake.
    pub genre: Genre,
    /// What is replaced, in bytes.
    pub span: Range<usize>,
    /// By what.
    pub replacement: String,
    /// What the function that it is in returns.
    pub return_type: String,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    file: String,
    function: Option<Function>,
    span: Span,
    replacement: String,
    genre: Genre,
}

#[derive(Deserialize)]
struct Function {
    return_type: String,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// As an offset in bytes. Columns are counted in characters, from 1.
    fn offset(&self, text: &str) -> usize {
        let before = text.split_inclusive('\n').take(self.line - 1);
        let start: usize = before.map(str::len).sum();
        let columns = text[start..].char_indices().nth(self.column - 1);
        columns.map_or(text.len(), |(at, _)| start + at)
    }
}

/// Lists the mutants of the checkout at `root`, without those of the tests' own functions.
///
/// # Errors
/// cargo-mutants fails, or a file cannot be read.
pub fn list(root: &Path) -> io::Result<Vec<Mutant>> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json", "--package", "hotswap-host"]);
    command.args(["--exclude", "**/tests.rs", "--exclude-re", r"\btests::"]);
    FILES
        .iter()
        .for_each(|file| _ = command.args(["--file", file]));
    let output = command.current_dir(root).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr)));
    }
    let listed: Vec<Listed> = serde_json::from_slice(&output.stdout)?;
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for mutant in &listed {
        if !texts.contains_key(&mutant.file) {
            let text = std::fs::read_to_string(root.join(&mutant.file))?;
            texts.insert(mutant.file.clone(), text);
        }
    }
    let mutants = listed.into_iter().enumerate().map(|(id, listed)| {
        let text = &texts[&listed.file];
        Mutant {
            id,
            name: listed.name,
            genre: listed.genre,
            span: listed.span.start.offset(text)..listed.span.end.offset(text),
            replacement: listed.replacement,
            return_type: listed.function.map_or_else(String::new, |f| f.return_type),
            file: listed.file,
        }
    });
    Ok(mutants.collect())
}
