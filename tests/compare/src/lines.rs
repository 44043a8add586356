//! How much code a user writes.

/// Counts the lines of a Rust source that are neither blank nor comments.
pub fn count(source: &str) -> usize {
    let lines = source.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn blank_lines_and_comments_do_not_count() {
        let source =
            "//! A crate.\n\n/// A function.\nfn f() {\n    // Nothing.\n    g(); // A call.\n}\n";
        assert_eq!(count(source), 3);
    }
}
