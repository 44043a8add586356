//! Names the places in the compiler's messages as the user knows them.

use std::path::Path;

use hotswap_source::Change;

/// The places of a patch that was built in an overlay.
pub(crate) struct Places<'a> {
    /// The overlay, as the compiler names it.
    pub(crate) overlay: &'a Path,
    /// The file with the new function in the overlay.
    pub(crate) file: &'a Path,
    /// The new function.
    pub(crate) change: &'a Change,
    /// The file in which the user has written it.
    pub(crate) text: &'a Path,
}

impl Places<'_> {
    /// Returns a message with the lines of the user's text, and the paths of the workspace.
    pub(crate) fn named(&self, message: &str) -> String {
        let mut in_file = false;
        let lines = message.lines().map(|line| {
            if let Some((before, path, number, column)) = split_place(line) {
                in_file = path == self.file;
                let (path, number) = self.place(path, number);
                return format!("{before}{}:{number}:{column}", path.display());
            }
            match split_number(line) {
                Some((number, rest)) if in_file => {
                    let width = line.len() - rest.len();
                    let (_, number) = self.place(self.file, number);
                    format!("{number:<width$}{rest}")
                }
                _ => line.to_owned(),
            }
        });
        let mut named = lines.collect::<Vec<_>>().join("\n");
        if message.ends_with('\n') {
            named.push('\n');
        }
        named
    }

    /// Returns the path and the line as the user knows them.
    fn place<'p>(&'p self, path: &'p Path, line: usize) -> (&'p Path, usize) {
        let Change {
            lines,
            offset,
            before,
            ..
        } = self.change;
        let known = path.strip_prefix(self.overlay).unwrap_or(path);
        if path != self.file || line < *lines.start() {
            return (known, line);
        }
        if line > *lines.end() {
            return (known, line + before - lines.clone().count());
        }
        match offset {
            Some(offset) => {
                let line = line.checked_add_signed(-offset).unwrap_or(1);
                (self.text, line.max(1))
            }
            // The function with the injected code is only in the overlay, so the path of the overlay is shown.
            None => (path, line),
        }
    }
}

/// Splits `  --> src/lib.rs:7:5` into what is before the path, the path, the line, and the column.
fn split_place(line: &str) -> Option<(&str, &Path, usize, usize)> {
    let begin = line.len() - line.trim_start().len() + "--> ".len();
    let (before, place) = line.split_at_checked(begin)?;
    if !before.ends_with("--> ") && !before.ends_with("::: ") {
        return None;
    }
    let (place, column) = place.rsplit_once(':')?;
    let (path, number) = place.rsplit_once(':')?;
    Some((
        before,
        Path::new(path),
        number.parse().ok()?,
        column.parse().ok()?,
    ))
}

/// Splits the number of a line of source from the rest: `12 |     let x`.
fn split_number(line: &str) -> Option<(usize, &str)> {
    let digits = line.find(|c: char| !c.is_ascii_digit())?;
    let number = line[..digits].parse().ok()?;
    let rest = &line[digits..];
    let mark = rest.trim_start().chars().next()?;
    (rest.starts_with(' ') && "|+-~/\\".contains(mark)).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotswap_source::Sources;

    const MESSAGE: &str = "\
error[E0308]: mismatched types
   --> target/hotswap/patches/world/src/lib.rs:101:5
    |
98  | fn hum(&self) -> u32 {
    |                  --- expected `u32` because of return type
...
101 |     \"hum\"
    |     ^^^^^ expected `u32`, found `&str`
    |
   ::: target/hotswap/patches/world/src/lib.rs:110:1
    |
110 | struct World;
    | ------------
   ::: target/hotswap/patches/world/src/jobs.rs:3:1
    |
3   | mod x;
";

    #[test]
    fn lines_of_the_text_and_paths_of_the_workspace() {
        let lib = format!("{}fn hum(&self) -> u32 {{ 7 }}\n", "\n".repeat(97));
        let sources = Sources::new("world", [("src/lib.rs".to_owned(), lib)]);
        let text = "fn hum(&self) -> u32 {\n\n\n    \"hum\"\n}\n";
        let edited = sources.rewrite("hum", text).unwrap();
        let places = Places {
            overlay: Path::new("target/hotswap/patches/world"),
            file: Path::new("target/hotswap/patches/world/src/lib.rs"),
            change: &edited.changes[0],
            text: Path::new("new.rs"),
        };
        let expected = MESSAGE
            .replace("target/hotswap/patches/world/src/lib.rs:101", "new.rs:4")
            .replace(
                "target/hotswap/patches/world/src/lib.rs:110",
                "src/lib.rs:106",
            )
            .replace("target/hotswap/patches/world/", "")
            .replace("\n98  |", "\n1   |")
            .replace("\n101 |", "\n4   |")
            .replace("\n110 |", "\n106 |");
        assert_eq!(places.named(MESSAGE), expected);
    }
}
