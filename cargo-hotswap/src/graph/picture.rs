//! The picture that DOT and Mermaid both draw: boxes, and arrows between them.

use hotswap_host::PluginName;
use hotswap_host::artifact::ImportKind;
use hotswap_host::graph::{Graph, Need, NeedState};

/// A graph as boxes and arrows.
pub(super) struct Picture {
    pub(super) boxes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

pub(super) struct Node {
    pub(super) label: String,
    pub(super) kind: Kind,
}

/// The kind of a box.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plugin,
    Host,
    /// An optional plugin that is missing.
    Absent,
    /// A required plugin that is missing.
    Missing,
}

/// An arrow from a plugin to what it needs.
pub(super) struct Arrow {
    /// The index of a box.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
    pub(super) line: Line,
    /// True if a host refuses the plugins because of it.
    pub(super) refused: bool,
}

/// The style of an arrow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Required,
    Optional,
    OrderOnly,
}

impl Picture {
    /// Returns the plugins in the order in which they are loaded, followed by what else they need.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut names: Vec<Option<&PluginName>> = Vec::new();
        let mut boxes = Vec::new();
        for plugin in &graph.plugins {
            names.push(Some(&plugin.name));
            boxes.push(Node {
                label: format!("{} {}", plugin.name, plugin.version),
                kind: Kind::Plugin,
            });
        }
        let mut arrows = Vec::new();
        for (from, plugin) in graph.plugins.iter().enumerate() {
            for need in &plugin.needs {
                let known = names.iter().position(|name| *name == need.from.as_ref());
                let to = known.unwrap_or_else(|| {
                    names.push(need.from.as_ref());
                    boxes.push(Node::beside(need));
                    names.len() - 1
                });
                // If one plugin requires it, it is missing, even if others can do without it.
                if need.state == NeedState::Missing {
                    boxes[to].kind = Kind::Missing;
                }
                arrows.push(Arrow {
                    from,
                    to,
                    label: label(need),
                    line: Line::of(need),
                    refused: need.state.is_refused(),
                });
            }
        }
        Self { boxes, arrows }
    }
}

impl Node {
    /// Returns the box for a need that is not a plugin of the graph.
    fn beside(need: &Need) -> Self {
        match &need.from {
            Some(name) => Self {
                label: name.to_string(),
                kind: Kind::Absent,
            },
            None => Self {
                label: HOST.into(),
                kind: Kind::Host,
            },
        }
    }
}

impl Line {
    fn of(need: &Need) -> Self {
        match need.kind {
            ImportKind::OrderOnly => Self::OrderOnly,
            _ if need.optional => Self::Optional,
            _ => Self::Required,
        }
    }
}

/// The name of the host's box. No plugin can have this name, since it has a space.
pub(super) const HOST: &str = "the host";

/// Returns the label of an arrow, such as `Beta, optional, not there`.
pub(super) fn label(need: &Need) -> String {
    let what = need.interface.as_deref().unwrap_or("order only");
    let optional = need.optional.then_some("optional");
    let state = match need.state {
        NeedState::Absent => Some("not there"),
        NeedState::Missing => Some("missing"),
        NeedState::NotExported => Some("not exported"),
        NeedState::AnotherVersion => Some("another version"),
        NeedState::Replaceable => Some("may be replaced"),
        NeedState::Circular => Some("circle"),
        _ => None,
    };
    let parts: Vec<&str> = [Some(what), optional, state]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
}
