//! Whether a library root carries `#[plugin]`, found by parsing it.

use std::path::Path;

use syn::{Attribute, Item};

use crate::Error;
use crate::error::io;

/// Whether the file `root` has an item, also in an inline module, annotated with `#[plugin]`, written with or without
/// a path. A file that does not parse has none: the compiler will say what is wrong with it.
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
    Ok(syn::parse_file(&text).is_ok_and(|file| any_plugin(&file.items)))
}

fn any_plugin(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Impl(item) => annotated(&item.attrs),
        Item::Struct(item) => annotated(&item.attrs),
        Item::Enum(item) => annotated(&item.attrs),
        Item::Mod(item) => item.content.as_ref().is_some_and(|(_, items)| any_plugin(items)),
        _ => false,
    })
}

fn annotated(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "plugin")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        any_plugin(&syn::parse_file(text).expect("the text parses").items)
    }

    #[test]
    fn attributes_count_however_they_are_written() {
        assert!(found("#[plugin] impl World {}"));
        assert!(found("#[plugin(name = \"x\")] impl World {}"));
        assert!(found("#[hotswap_plugin::plugin] impl World {}"));
        assert!(found("mod inner { #[plugin] impl World {} }"));
    }

    #[test]
    fn text_that_only_looks_like_one_does_not_count() {
        assert!(!found("//! #[plugin]\nimpl World {}"));
        assert!(!found("const TEXT: &str = \"#[plugin] impl World {}\";"));
        assert!(!found("#[doc = \"#[plugin]\"] impl World {}"));
        assert!(!found("#[plugins] impl World {}"));
    }
}
