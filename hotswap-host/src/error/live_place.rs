//! The place of a live item, for errors about two items with the same name.
use crate::base::name::PluginName;
use crate::shown::path;
use std::fmt;
use std::path::PathBuf;

/// The place of a live function or a live type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LivePlace {
    /// The plugin.
    pub plugin: PluginName,
    /// The artifact of the plugin.
    pub file: PathBuf,
    /// The module.
    pub module: String,
}

impl fmt::Display for LivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LivePlace {
            plugin,
            file,
            module,
        } = self;
        write!(f, "in module {module} of {plugin} ({})", path(file))
    }
}
