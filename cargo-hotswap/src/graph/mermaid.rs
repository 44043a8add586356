//! The graph in Mermaid, which forges draw in Markdown.

use std::fmt::{self, Display, Write as _};

use hotswap_host::graph::Graph;
use hotswap_host::shown::is_deceptive;

use super::picture::{Kind, Line, Picture};

/// Shows the graph in Mermaid. Names are used as labels only, since some of them would be keywords as ids.
pub(crate) struct Mermaid<'a>(pub(crate) &'a Graph);

impl Display for Mermaid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Picture { boxes, arrows } = Picture::of(self.0);
        f.write_str("graph TD")?;
        for (at, node) in boxes.iter().enumerate() {
            let label = Quoted(&node.label);
            match node.kind {
                Kind::Plugin => write!(f, "\n    n{at}[{label}]")?,
                Kind::Host => write!(f, "\n    n{at}([{label}])")?,
                Kind::Absent => write!(f, "\n    n{at}[{label}]:::absent")?,
                Kind::Missing => write!(f, "\n    n{at}[{label}]:::missing")?,
            }
        }
        for arrow in &arrows {
            let line = match arrow.line {
                Line::Required => "-->",
                Line::Optional => "-.->",
                Line::OrderOnly => "--o",
            };
            let label = Quoted(&arrow.label);
            write!(f, "\n    n{} {line}|{label}| n{}", arrow.from, arrow.to)?;
        }
        let refused = arrows.iter().enumerate().filter(|(_, arrow)| arrow.refused);
        let refused: Vec<_> = refused.map(|(at, _)| at.to_string()).collect();
        if !refused.is_empty() {
            write!(
                f,
                "\n    linkStyle {} stroke:red,color:red",
                refused.join(",")
            )?;
        }
        for (kind, class) in [
            (Kind::Absent, "absent stroke-dasharray:4"),
            (
                Kind::Missing,
                "missing stroke:red,color:red,stroke-dasharray:4",
            ),
        ] {
            if boxes.iter().any(|node| node.kind == kind) {
                write!(f, "\n    classDef {class}")?;
            }
        }
        Ok(())
    }
}

/// Shows a string of Mermaid. Characters that would end it, or that are markup, become entities, which begin with `#`.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                c if c.is_alphanumeric() || " .,-_+:()".contains(c) => f.write_char(c)?,
                c if is_deceptive(c) => f.write_char(' ')?,
                c => write!(f, "#{};", u32::from(c))?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::Quoted;

    #[test]
    fn no_text_ends_the_string_or_is_markup() {
        let quoted = Quoted("a\"b\\N<b>#35;|]&`\nend\u{1b}[2J\u{202e}; é").to_string();
        assert_eq!(
            quoted,
            "\"a#34;b#92;N#60;b#62;#35;35#59;#124;#93;#38;#96; end #91;2J #59; é\""
        );
    }
}
