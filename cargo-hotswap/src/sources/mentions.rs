//! Finds the files that a Rust source mentions, by its text alone: modules and included files. It works for sources
//! that do not compile, and for files that do not exist yet. Some of the results are not files at all.

use std::path::{Path, PathBuf};

use super::file_names::normal;

/// Returns the paths that the source `file` with this text may mean. `package` is the directory of its package.
pub(super) fn candidates(text: &str, file: &Path, package: Option<&Path>) -> Vec<PathBuf> {
    let directory = file.parent().unwrap_or(file);
    let mut found = vec![];
    for literal in included(text).chain(paths(text)) {
        let from_package = package.map(|package| package.join(literal.trim_start_matches('/')));
        let named = [Some(directory.join(&literal)), from_package];
        // If a directory is a link, these are two different paths.
        found.extend(named.iter().flatten().map(|path| normal(path)));
        found.extend(named.into_iter().flatten());
    }
    for module in modules(text) {
        for directory in [directory.to_owned(), file.with_extension("")] {
            found.push(directory.join(format!("{module}.rs")));
            found.push(directory.join(module).join("mod.rs"));
        }
    }
    found
}

/// Returns the literals in each `include!`, `include_str!`, and `include_bytes!`, joined as `concat!` does.
fn included(text: &str) -> impl Iterator<Item = String> {
    let after = |name: &'static str| text.match_indices(name).map(move |(at, _)| at + name.len());
    ["include!", "include_str!", "include_bytes!"]
        .into_iter()
        .flat_map(after)
        .filter_map(|at| {
            let rest = &text[at..];
            let arguments = within_brackets(&rest[..limit(rest)]);
            // The name of a variable is not part of a path.
            let literals = literals(arguments).filter(|literal| !literal.starts_with("CARGO_"));
            let joined: String = literals.collect();
            (!joined.is_empty()).then_some(joined)
        })
}

/// Returns the literal after each `path =`.
fn paths(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("path").filter_map(|(at, word)| {
        let rest = text[at + word.len()..]
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        rest.starts_with('"')
            .then(|| literals(&rest[..limit(rest)]).next())?
    })
}

/// Returns the name in each `mod name;`.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("mod ").filter_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        let name = &rest[..end];
        (!name.is_empty() && rest[end..].trim_start().starts_with(';')).then_some(name)
    })
}

/// Returns the text between the bracket at the beginning of `text` and the one that closes it, or the end.
fn within_brackets(text: &str) -> &str {
    let (mut depth, mut is_literal) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            '"' => is_literal = !is_literal,
            '(' | '[' | '{' if !is_literal => depth += 1,
            ')' | ']' | '}' if !is_literal => depth -= 1,
            _ => {}
        }
        if depth == 0 && !character.is_whitespace() {
            return &text[..at];
        }
    }
    text
}

/// Returns the string literals in `text`.
fn literals(text: &str) -> impl Iterator<Item = String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// Returns how much of `text` is looked at, since the end of a macro or of a literal may be missing.
fn limit(text: &str) -> usize {
    let mut end = text.len().min(300);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_included_files_are_found_in_what_does_not_compile() {
        let text = r#"
            mod first;
            pub(crate) mod second ;
            mod inline { }
            #[path = "odd/third.rs"] mod third;
            const LENGTH: usize = include_str!("../data.txt").len() + "more".len();
            const OTHER: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/more/", "data.txt"));
            fn broken( { "unclosed
        "#;
        let found = candidates(text, Path::new("/p/src/lib.rs"), Some(Path::new("/p")));
        for path in [
            "/p/src/first.rs",
            "/p/src/first/mod.rs",
            "/p/src/lib/first.rs",
            "/p/src/second.rs",
            "/p/src/odd/third.rs",
            "/p/src/../data.txt",
            "/p/more/data.txt",
        ] {
            assert!(
                found.iter().any(|found| found == Path::new(path)),
                "{path}: {found:#?}"
            );
        }
        assert!(!found.iter().any(|found| found.ends_with("inline.rs")));
    }
}
