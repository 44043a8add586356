//! Whether a library root carries `#[plugin]`, found by parsing it.

use std::path::Path;

use syn::{Attribute, Item};

use crate::Error;
use crate::error::io;

/// Whether the file `root` has an item, also in an inline module, annotated with `#[plugin]`, written with or without
/// a path.
///
/// A file that does not parse is judged by its lines: a plugin with a mistake in it stays one, and the compiler says
/// what is wrong.
pub(crate) fn has_plugin(root: &Path) -> Result<bool, Error> {
    let text = match std::fs::read_to_string(root) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io("read", root)(error)),
    };
    // Parsing is the answer; this saves most of it in a workspace of many crates.
    if !text.contains("plugin") {
        return Ok(false);
    }
    Ok(carries_plugin(&text))
}

fn carries_plugin(text: &str) -> bool {
    match syn::parse_file(text) {
        Ok(file) => any_plugin(&file.items),
        Err(_) => text.lines().any(is_plugin_line),
    }
}

/// Whether a line begins with the attribute.
fn is_plugin_line(line: &str) -> bool {
    let Some(attribute) = line.trim_start().strip_prefix("#[") else {
        return false;
    };
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path.rsplit("::")
        .next()
        .is_some_and(|name| name.trim() == "plugin")
}

fn any_plugin(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Impl(item) => annotated(&item.attrs),
        Item::Struct(item) => annotated(&item.attrs),
        Item::Enum(item) => annotated(&item.attrs),
        Item::Mod(item) => item
            .content
            .as_ref()
            .is_some_and(|(_, items)| any_plugin(items)),
        _ => false,
    })
}

fn annotated(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "plugin")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_count_however_they_are_written() {
        assert!(carries_plugin("#[plugin] impl World {}"));
        assert!(carries_plugin("#[plugin(name = \"x\")] impl World {}"));
        assert!(carries_plugin("#[hotswap_plugin::plugin] impl World {}"));
        assert!(carries_plugin("mod inner { #[plugin] impl World {} }"));
    }

    #[test]
    fn text_that_only_looks_like_one_does_not_count() {
        assert!(!carries_plugin("//! #[plugin]\nimpl World {}"));
        assert!(!carries_plugin(
            "const TEXT: &str = \"#[plugin] impl World {}\";"
        ));
        assert!(!carries_plugin("#[doc = \"#[plugin]\"] impl World {}"));
        assert!(!carries_plugin("#[plugins] impl World {}"));
    }

    #[test]
    fn a_mistake_elsewhere_does_not_hide_it() {
        assert!(carries_plugin(
            "#[hotswap_plugin::plugin(name = \"x\")]\nimpl World {}\nmistake"
        ));
        assert!(!carries_plugin(
            "// #[plugin]\n#[plugins]\nimpl World {}\nmistake"
        ));
    }
}
