//! Where a live item is, in errors about two of one name.
use crate::base::name::PluginName;
use crate::shown::path;
use std::fmt;
use std::path::PathBuf;

/// Where a live function or type is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LivePlace {
    /// The plugin.
    pub plugin: PluginName,
    /// The artifact it is in.
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
