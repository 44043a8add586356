//! What the two languages of diagrams have in common: boxes, and arrows between them.

use hotswap_host::PluginName;
use hotswap_host::artifact::ImportKind;
use hotswap_host::graph::{Graph, Need, NeedState};

/// See the module.
pub(super) struct Picture {
    pub(super) boxes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

pub(super) struct Node {
    pub(super) label: String,
    pub(super) kind: Kind,
}

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plugin,
    Host,
    /// An optional plugin that is not there.
    Absent,
    /// A plugin that is not there.
    Missing,
}

/// From the one who needs to what is needed.
pub(super) struct Arrow {
    /// Indices of boxes.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
    pub(super) line: Line,
    /// Whether a host refuses the plugins for it.
    pub(super) refused: bool,
}

/// How an arrow is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Required,
    Optional,
    OrderOnly,
}

impl Picture {
    /// The plugins in the order in which they are loaded, then what else they need.
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
                // Missing for one, it is missing, even if another can do without.
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
    /// Something that is no plugin of the graph.
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

/// What the host is called. No plugin can have that name: it has a space.
pub(super) const HOST: &str = "the host";

/// `Beta, optional, not there`.
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
