//! The authors of the items in a generation.
use crate::base::name::PluginName;
use std::fmt;

/// The author of an item in a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author<'a> {
    Host,
    Plugin(&'a PluginName),
}

impl<'a> Author<'a> {
    /// Returns the author for which [`plugin`](Self::plugin) returned this.
    pub(super) fn of(plugin: &'a Option<PluginName>) -> Self {
        plugin.as_ref().map_or(Author::Host, Author::Plugin)
    }

    /// Returns the plugin, if the author is one.
    pub(super) fn plugin(self) -> Option<PluginName> {
        match self {
            Author::Host => None,
            Author::Plugin(name) => Some(name.clone()),
        }
    }
}

impl fmt::Display for Author<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Author::Host => f.write_str("the host"),
            Author::Plugin(name) => name.fmt(f),
        }
    }
}
