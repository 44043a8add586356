//! The graph of plugins and what they need, as text, as DOT, and as Mermaid.

mod dot;
mod mermaid;
mod picture;
mod text;

pub(crate) use dot::Dot;
pub(crate) use mermaid::Mermaid;
pub(crate) use text::Text;
