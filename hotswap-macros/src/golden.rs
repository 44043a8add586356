//! The expansions of the items in `tests/golden`, as a person would read them.
//!
//! `TRYBUILD=overwrite cargo test -p hotswap-macros` accepts the present expansions, as it does for the UI tests.
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::path::Path;
use syn::{Attribute, Item, Meta};

#[test]
fn shared() {
    check("shared");
}

#[test]
fn interface() {
    check("interface");
}

#[test]
fn extension() {
    check("extension");
}

#[test]
fn import() {
    check("import");
}

#[test]
fn live() {
    check("live");
}

#[test]
fn live_data() {
    check("live_data");
}

#[test]
fn plugin() {
    check("plugin");
}

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let source = std::fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
    let items: TokenStream = syn::parse_file(&source)
        .unwrap()
        .items
        .into_iter()
        .map(expand)
        .collect();
    let found = prettyplease::unparse(&syn::parse2(items).unwrap());
    let golden = folder.join(name).with_extension("expanded.rs");
    if std::env::var("TRYBUILD").is_ok_and(|mode| mode == "overwrite") {
        std::fs::write(golden, found).unwrap();
    } else {
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(
            found == expected,
            "the expansion is no longer that of {}: compare with\n{found}",
            golden.display()
        );
    }
}

/// Expands an item with the macro in front of it.
fn expand(mut item: Item) -> TokenStream {
    let attrs: &mut Vec<Attribute> = match &mut item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        other => panic!("no macro for {}", other.to_token_stream()),
    };
    let attr = attrs.remove(0);
    let options = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let name = attr.path().get_ident().unwrap().to_string();
    match name.as_str() {
        "shared" => crate::shared::expand(options, quote!(#item)),
        "interface" => crate::interface::expand(options, quote!(#item)),
        "live_data" => crate::live_data::expand(options, quote!(#item)),
        "extension" => crate::extension::expand(options, quote!(#item)),
        "live" => crate::live::expand(options, quote!(#item)),
        "plugin" => crate::plugin::expand(options, quote!(#item)),
        _ => crate::import::expand(quote!(#item)),
    }
    .unwrap()
}
