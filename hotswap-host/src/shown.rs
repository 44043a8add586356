//! Escapes text from artifacts, file names, and compilers before it is displayed. This module has the one rule of what
//! is escaped.
//!
//! An artifact is data, and a terminal must not execute what it says. Names and signatures are checked when an artifact
//! is read. Every other text that comes from a file, a directory, or a compiler goes through [`Shown`] before it
//! becomes part of an error, a log line, or a report; through [`printable`] before a whole text is written to a
//! terminal; and through [`json`] before it is written as JSON.
//!
//! ```
//! use hotswap_host::shown::Shown;
//!
//! assert_eq!(Shown("a\u{1b}[2Jb\nc").to_string(), r"a\u{1b}[2Jb\nc");
//! ```
pub use crate::base::nearest::nearest;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::{self, Display, Write};
use std::path::Path;

/// Returns true if `c` can make a reader or a terminal take a text for another one. These are control characters, line
/// separators, marks that change the direction of writing, and invisible characters.
pub fn is_deceptive(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // The joiners, which some scripts and emoji need, are between these.
        '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        '\u{61c}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// Displays a text on one line, with each [deceptive](is_deceptive) character escaped as in Rust source code: `\n`,
/// `\u{1b}`.
///
/// Nothing else is escaped, so a text that has already been escaped stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct Shown<T>(pub T);

impl<T: Display> Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Displays a path.
pub fn path(path: &Path) -> Shown<std::path::Display<'_>> {
    Shown(path.display())
}

/// Returns `text` on one line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    match text.contains(is_deceptive) {
        true => Shown(text).to_string().into(),
        false => text.into(),
    }
}

struct Escaping<'a, W>(&'a mut W);

impl<W: Write> Write for Escaping<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_deceptive) {
            let (before, from) = rest.split_at(at);
            self.0.write_str(before)?;
            let mut chars = from.chars();
            for c in chars.by_ref().take(1).flat_map(char::escape_default) {
                self.0.write_char(c)?;
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Prepares `text` for a terminal. Lines, tabs, and colours stay, and every other [deceptive](is_deceptive) character
/// is escaped. The only escape sequences that stay are those for colours and weights (SGR).
pub fn printable(text: &str) -> Cow<'_, str> {
    let stays = |c| matches!(c, '\n' | '\t');
    if !text.contains(|c| is_deceptive(c) && !stays(c)) {
        return text.into();
    }
    let mut printable = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| is_deceptive(c) && !stays(c)) {
        let (before, from) = rest.split_at(at);
        printable.push_str(before);
        let colour = colour(from);
        printable.push_str(&from[..colour]);
        rest = &from[colour..];
        if colour == 0 {
            let mut chars = from.chars();
            let escaped = chars.by_ref().take(1).flat_map(char::escape_default);
            printable.extend(escaped);
            rest = chars.as_str();
        }
    }
    printable.push_str(rest);
    printable.into()
}

/// Returns the length of the colour sequence at the beginning of `text`, or zero if there is none.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let end = parameters.find(|c: char| !c.is_ascii_digit() && !matches!(c, ';' | ':'));
    match end {
        Some(end) if parameters[end..].starts_with('m') => "\u{1b}[".len() + end + "m".len(),
        _ => 0,
    }
}

/// Serialises `value` as JSON in which every [deceptive](is_deceptive) character is escaped.
///
/// # Errors
/// The errors of `serde_json`.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(json_text(&serde_json::to_string(value)?))
}

/// Puts JSON on one line, with the same escapes. Such characters occur only in strings.
pub fn json_text(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut rest = json;
    // Reports are long, and almost always graphic ASCII.
    let is_plain = |byte: &u8| (b' '..0x7f).contains(byte);
    while let Some(at) = rest.as_bytes().iter().position(|byte| !is_plain(byte)) {
        let (plain, other) = rest.split_at(at);
        escaped.push_str(plain);
        let mut chars = other.chars();
        match chars.next() {
            Some(c) if is_deceptive(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a text cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            c => escaped.extend(c),
        }
        rest = chars.as_str();
    }
    escaped.push_str(rest);
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Shown, is_deceptive, json, path, printable};
    use std::path::Path;

    /// One character of each kind, with its escape.
    const DECEPTIVE: [(char, &str); 14] = [
        ('\0', r"\u{0}"),
        ('\n', r"\n"),
        ('\r', r"\r"),
        ('\t', r"\t"),
        ('\u{8}', r"\u{8}"),
        ('\u{1b}', r"\u{1b}"),
        ('\u{7f}', r"\u{7f}"),
        ('\u{9b}', r"\u{9b}"),
        ('\u{61c}', r"\u{61c}"),
        ('\u{200e}', r"\u{200e}"),
        ('\u{2028}', r"\u{2028}"),
        ('\u{202e}', r"\u{202e}"),
        ('\u{2066}', r"\u{2066}"),
        ('\u{feff}', r"\u{feff}"),
    ];

    #[test]
    fn one_line_has_no_deceptive_character() {
        for (c, escaped) in DECEPTIVE {
            let shown = Shown(format!("a{c}b")).to_string();
            assert_eq!(shown, format!("a{escaped}b"));
            assert_eq!(Shown(&shown).to_string(), shown, "escaped once");
        }
        for text in [
            "",
            r#"a\b "quoted" 'so'"#,
            "prüfe, 检查, اختبر 🦀 👩\u{200d}🔬",
        ] {
            assert_eq!(Shown(text).to_string(), text);
        }
        assert_eq!(
            path(Path::new("lib\n\u{1b}]52;c;eA==\u{7}.so")).to_string(),
            r"lib\n\u{1b}]52;c;eA==\u{7}.so"
        );
    }

    #[test]
    fn a_terminal_gets_colours_and_no_other_sequence() {
        let coloured = "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: a\n\tb \u{1b}[4:3mc\u{1b}[m";
        assert_eq!(printable(coloured), coloured);
        for (sequence, shown) in [
            ("\u{1b}[2J", r"\u{1b}[2J"),
            ("\u{1b}[?25l", r"\u{1b}[?25l"),
            ("\u{1b}[>4;1m", r"\u{1b}[>4;1m"),
            ("\u{1b}]52;c;eA==\u{7}", r"\u{1b}]52;c;eA==\u{7}"),
            ("\u{1b}]0;title\u{1b}\\", r"\u{1b}]0;title\u{1b}\"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{1b}", r"\u{1b}"),
            ("\u{1b}[1", r"\u{1b}[1"),
            ("\u{1b}c", r"\u{1b}c"),
            ("over\rwritten", r"over\rwritten"),
            ("\u{202e}txt", r"\u{202e}txt"),
        ] {
            assert_eq!(printable(sequence), shown);
            let red = format!("\u{1b}[31m{sequence}\u{1b}[0m");
            assert_eq!(printable(&red), format!("\u{1b}[31m{shown}\u{1b}[0m"));
        }
    }

    #[test]
    fn json_says_the_same_without_the_characters() {
        let text: String = DECEPTIVE.iter().map(|(c, _)| c).collect();
        let text = text + "\u{e0041} \" \\ ü";
        let json = json(&[&text]).unwrap();
        assert!(!json.contains(is_deceptive), "{json}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [text]);
    }
}
