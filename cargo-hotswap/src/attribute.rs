//! Finds `#[plugin]` in a library root, and the name in it, by parsing the file.

use std::path::Path;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Token};

use crate::Error;
use crate::error::io;

/// The contents of a `#[plugin]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plugin {
    /// The plugin's name, if it is not that of the package.
    pub(crate) name: Option<String>,
}

/// Returns the first `#[plugin]` in the file `root`, also in an inline module, written with or without a path.
///
/// In a file that does not parse, lines decide: a plugin with a mistake in it stays a plugin, and the compiler reports
/// the mistake.
pub(crate) fn plugin(root: &Path) -> Result<Option<Plugin>, Error> {
    let text = match std::fs::read_to_string(root) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("read", root)(error)),
    };
    // The parser decides. This check saves most of its work in a workspace of many crates.
    if !text.contains("plugin") {
        return Ok(None);
    }
    Ok(plugin_in(&text))
}

/// Returns true if the file `root` can be read, parses, and is not empty. Only such a file can show that it has no
/// plugin.
pub(crate) fn is_whole(root: &Path) -> bool {
    std::fs::read_to_string(root).is_ok_and(|text| {
        syn::parse_file(&text).is_ok_and(|file| !file.items.is_empty() || !file.attrs.is_empty())
    })
}

fn plugin_in(text: &str) -> Option<Plugin> {
    match syn::parse_file(text) {
        Ok(file) => first_plugin(&file.items),
        Err(_) => text.lines().any(is_plugin_line).then(Plugin::default),
    }
}

/// Returns true if the line begins with the attribute.
fn is_plugin_line(line: &str) -> bool {
    let Some(attribute) = line.trim_start().strip_prefix("#[") else {
        return false;
    };
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path.rsplit("::")
        .next()
        .is_some_and(|name| name.trim() == "plugin")
}

fn first_plugin(items: &[Item]) -> Option<Plugin> {
    items.iter().find_map(|item| match item {
        Item::Impl(item) => annotated(&item.attrs),
        Item::Struct(item) => annotated(&item.attrs),
        Item::Enum(item) => annotated(&item.attrs),
        Item::Mod(item) => first_plugin(&item.content.as_ref()?.1),
        _ => None,
    })
}

fn annotated(attributes: &[Attribute]) -> Option<Plugin> {
    let is_plugin = |attribute: &&Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|segment| segment.ident == "plugin")
    };
    let attribute = attributes.iter().find(is_plugin)?;
    let options = Punctuated::<Meta, Token![,]>::parse_terminated;
    let options = attribute.parse_args_with(options).unwrap_or_default();
    Some(Plugin {
        name: options.iter().find_map(name),
    })
}

/// Returns the text of `name = "…"`.
fn name(option: &Meta) -> Option<String> {
    match option {
        Meta::NameValue(option) if option.path.is_ident("name") => match &option.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries_plugin(text: &str) -> bool {
        plugin_in(text).is_some()
    }

    #[test]
    fn a_plugin_may_be_called_otherwise_than_its_package() {
        let named = |text| plugin_in(text).expect("it is one").name;
        let text = "#[plugin(exports(A, b::C), crate = x::y, reloadable = false, name = \"w-o\")] impl World {}";
        assert_eq!(named(text).as_deref(), Some("w-o"));
        assert_eq!(named("#[plugin(exports(A))] impl World {}"), None);
        assert_eq!(named("#[plugin] impl World {}"), None);
        assert_eq!(named("#[plugin(name = 7)] impl World {}"), None);
        assert_eq!(named("#[plugin(name = \"x\")] impl World {} mistake"), None);
    }

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
