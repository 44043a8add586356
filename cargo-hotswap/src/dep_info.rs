//! Reads the sources of a library from the dep-info file that Cargo writes beside its output. The file has a line in
//! the form of a makefile rule, with the sources of all path dependencies, the included files, and the files that build
//! scripts have declared.

use std::path::{Path, PathBuf};

/// Returns the files and directories that the dep-info file `path` lists, or nothing if there is no such file. Relative
/// names lie below `base` or, if Cargo is configured so, below a directory above it.
pub(crate) fn read(path: &Path, base: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let absolute = |name: String| {
        let mut places = base.ancestors().map(|base| base.join(&name));
        let found = places.find(|path| path.exists());
        found.unwrap_or_else(|| base.join(name))
    };
    parse(&text).into_iter().map(absolute).collect()
}

fn parse(text: &str) -> Vec<String> {
    let mut names = vec![];
    for line in text.lines() {
        // The rule's target may contain a colon. It ends at a colon and a space, or at the end of the line.
        let Some(list) = line
            .split_once(": ")
            .map(|(_, list)| list)
            .filter(|_| !line.starts_with('#'))
        else {
            continue;
        };
        let mut name = String::new();
        let mut chars = list.chars().peekable();
        while let Some(character) = chars.next() {
            match character {
                '\\' if chars.peek() == Some(&' ') => name.extend(chars.next()),
                ' ' => {
                    names.extend(Some(std::mem::take(&mut name)).filter(|name| !name.is_empty()))
                }
                other => name.push(other),
            }
        }
        names.extend(Some(name).filter(|name| !name.is_empty()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_spaces_stay_whole() {
        let text = "/a\\ b/target/debug/libworld.so: /a\\ b/src/lib.rs /a\\ b/src/text\n";
        assert_eq!(parse(text), ["/a b/src/lib.rs", "/a b/src/text"]);
    }

    #[test]
    fn a_rule_without_anything_names_nothing() {
        assert!(parse("/target/debug/libworld.so:\n").is_empty());
        assert!(parse("").is_empty());
    }
}
