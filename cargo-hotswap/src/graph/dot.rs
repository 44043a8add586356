//! The graph in DOT, the language of Graphviz: `cargo hotswap graph --format dot | dot -Tsvg`.

use std::fmt::{self, Display, Write as _};

use hotswap_host::graph::Graph;
use hotswap_host::shown::is_deceptive;

use super::picture::{Arrow, Kind, Line, Node, Picture};

/// Shows the graph in DOT.
pub(crate) struct Dot<'a>(pub(crate) &'a Graph);

impl Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Picture { boxes, arrows } = Picture::of(self.0);
        writeln!(f, "digraph plugins {{")?;
        writeln!(f, "    node [shape=box];")?;
        for (at, node) in boxes.iter().enumerate() {
            write!(f, "    n{at} [label={}", Quoted(&node.label))?;
            writeln!(f, "{}];", style_of(node))?;
        }
        for arrow in &arrows {
            let Arrow { from, to, .. } = arrow;
            write!(f, "    n{from} -> n{to} [label={}", Quoted(&arrow.label))?;
            writeln!(f, "{}];", style_of_arrow(arrow))?;
        }
        f.write_str("}")
    }
}

fn style_of(node: &Node) -> &'static str {
    match node.kind {
        Kind::Plugin => "",
        Kind::Host => ", shape=ellipse",
        Kind::Absent => ", style=dashed",
        Kind::Missing => ", style=dashed, color=red, fontcolor=red",
    }
}

fn style_of_arrow(arrow: &Arrow) -> String {
    let line = match arrow.line {
        Line::Required => "",
        Line::Optional => ", style=dashed",
        Line::OrderOnly => ", style=dotted",
    };
    let color = if arrow.refused {
        ", color=red, fontcolor=red"
    } else {
        ""
    };
    format!("{line}{color}")
}

/// Shows a string of DOT. In a label, a backslash begins an escape, so each is doubled.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if is_deceptive(c) => f.write_char(' ')?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::Quoted;

    #[test]
    fn no_text_ends_the_string_or_begins_an_escape() {
        let quoted = Quoted("a\"b\\N<b>#35;|]&`\nend\u{1b}[2J\u{202e}; é").to_string();
        assert_eq!(quoted, r##""a\"b\\N<b>#35;|]&` end [2J ; é""##);
    }
}
