//! `#[live]` on a module: items in it whose names begin with the prefix get the attribute.
use super::Options;
use super::names::{DEFAULT, VARIABLE, begins, refuse};
use crate::support::{Errors, Root};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Item, ItemMod};

/// Returns the module, with the attribute on its live items.
pub fn expand(options: TokenStream, mut module: ItemMod) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options = Options::parse(options, true, &mut errors);
    let prefix = Prefix::of(&options, &module.ident, &mut errors);
    if module.content.is_none() {
        errors.at(
            &module,
            "the macro cannot see the module's file: write `#[live]` on the items in it, or write the module inline, as `mod jobs { … }`",
        );
    }
    errors.finish()?;
    let found = mark(&mut module, &prefix.text, &options.root);
    if found == 0 {
        return Err(syn::Error::new(
            module.ident.span(),
            format!(
                "no function or type in the module begins with `{}`{}: rename the items that should be live, set the prefix with \
                 `#[live(prefix = \"job_\")]`, or write `#[live]` on the items",
                prefix.text,
                if prefix.given {
                    ", as `--live-prefix` says"
                } else {
                    ""
                },
            ),
        ));
    }
    if prefix.by_default {
        track(&mut module);
    }
    Ok(module.into_token_stream())
}

/// The prefix of the names of live items.
struct Prefix {
    text: String,
    /// True if the source does not set the prefix.
    by_default: bool,
    /// True if the build command sets the prefix.
    given: bool,
}

impl Prefix {
    fn of(options: &Options, module: &Ident, errors: &mut Errors) -> Self {
        if let Some(written) = &options.prefix {
            if let Some(wrong) = refuse(&written.value()) {
                errors.at(written, wrong);
            }
            return Prefix {
                text: written.value(),
                by_default: false,
                given: false,
            };
        }
        let given = std::env::var(VARIABLE).ok();
        let text = given.clone().unwrap_or_else(|| DEFAULT.to_owned());
        if let Some(wrong) = refuse(&text) {
            errors.at(
                module,
                format!("{VARIABLE} is {text:?} in the environment: {wrong}"),
            );
        }
        Prefix {
            text,
            by_default: true,
            given: given.is_some(),
        }
    }
}

/// Makes Cargo build again when the prefix changes.
fn track(module: &mut ItemMod) {
    if let Some((_, items)) = &mut module.content {
        items.push(syn::parse_quote! {
            const _: ::core::option::Option<&str> = ::core::option_env!(#VARIABLE);
        });
    }
}

/// Puts the attribute on the live items, also in inner modules, unless they have it already. Returns the number of live
/// items.
fn mark(module: &mut ItemMod, prefix: &str, root: &Root) -> usize {
    let mut found = 0;
    for item in module.content.iter_mut().flat_map(|(_, items)| items) {
        let (ident, attrs) = match item {
            Item::Fn(item) => (&item.sig.ident, &mut item.attrs),
            Item::Struct(item) => (&item.ident, &mut item.attrs),
            Item::Enum(item) => (&item.ident, &mut item.attrs),
            Item::Mod(item) => {
                // An inner module with the attribute expands its own.
                found += match item.attrs.iter().any(is_live) {
                    true => 1,
                    false => mark(item, prefix, root),
                };
                continue;
            }
            _ => continue,
        };
        if attrs.iter().any(is_live) {
            found += 1;
        } else if begins(&ident.unraw().to_string(), prefix) {
            found += 1;
            // The attribute goes last, so that a `cfg` before it removes the item together with it.
            attrs.push(syn::parse_quote!(#[#root::live(crate = #root)]));
        }
    }
    found
}

fn is_live(attr: &Attribute) -> bool {
    let path = attr.path();
    path.segments
        .last()
        .is_some_and(|last| last.ident == "live")
}
