//! The sources that an artifact carries.

use std::path::Path;

use cargo_metadata::Package;
use hotswap_source::Sources;

use crate::Error;
use crate::cargo::Calls;
use crate::dep_info;
use crate::error::io;
use crate::workspace::directory;

/// The name that Cargo gives to profiles that inherit from `dev`, in the artifact's metadata.
const DEBUG: &str = "debug";

/// Returns the packed sources of a plugin, if its artifact is to carry them.
///
/// The options of the command come first, then `source` in the section `hotswap` of the plugin's manifest. Otherwise
/// artifacts carry sources in profiles that inherit from `dev`.
pub(crate) fn packed(
    calls: &Calls<'_>,
    plugin: &Package,
    profile: Option<&str>,
    dep_info: &Path,
) -> Result<Option<Vec<u8>>, Error> {
    let options = calls.options;
    let section = plugin.metadata.get("hotswap");
    let wanted = section.and_then(|section| section.get("source"));
    let wanted = wanted.and_then(serde_json::Value::as_bool);
    let is_wanted = match (options.source, options.strip_source) {
        (true, _) => true,
        (_, true) => false,
        _ => wanted.unwrap_or(profile == Some(DEBUG)),
    };
    if !is_wanted {
        return Ok(None);
    }
    let root = directory(plugin);
    let files = dep_info::read(dep_info, &calls.workspace.root);
    let sources =
        Sources::read(&plugin.name, root, &files).map_err(io("read the sources of", root))?;
    Ok(Some(sources.pack()))
}
