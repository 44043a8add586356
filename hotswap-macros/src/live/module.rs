//! `#[live]` on a module: whatever in it begins with the prefix gets the attribute.
use super::Options;
use super::names::{DEFAULT, VARIABLE, begins, refuse};
use crate::support::{Errors, Root};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Item, ItemMod};

/// The module, with the attribute on what is live in it.
pub fn expand(options: TokenStream, mut module: ItemMod) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options = Options::parse(options, true, &mut errors);
    let prefix = Prefix::of(&options, &module.ident, &mut errors);
    if module.content.is_none() {
        errors.at(
            &module,
            "its file cannot be seen from here: write `#[live]` on the items in it, or the module as `mod jobs { … }`",
        );
    }
    errors.finish()?;
    let found = mark(&mut module, &prefix.text, &options.root);
    if found == 0 {
        return Err(syn::Error::new(
            module.ident.span(),
            format!(
                "no function or type in it begins with `{}`{}: rename what is to be live, say which prefix it has, \
                 `#[live(prefix = \"job_\")]`, or write `#[live]` on it",
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

/// The beginning of the names of what is live.
struct Prefix {
    text: String,
    /// Nothing is written in the source.
    by_default: bool,
    /// The command that builds the plugin says it.
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

/// Lets Cargo know that another prefix is another build.
fn track(module: &mut ItemMod) {
    if let Some((_, items)) = &mut module.content {
        items.push(syn::parse_quote! {
            const _: ::core::option::Option<&str> = ::core::option_env!(#VARIABLE);
        });
    }
}

/// Puts the attribute on what is live, in modules within as well, unless it has one already. Returns how many are.
fn mark(module: &mut ItemMod, prefix: &str, root: &Root) -> usize {
    let mut found = 0;
    for item in module.content.iter_mut().flat_map(|(_, items)| items) {
        let (ident, attrs) = match item {
            Item::Fn(item) => (&item.sig.ident, &mut item.attrs),
            Item::Struct(item) => (&item.ident, &mut item.attrs),
            Item::Enum(item) => (&item.ident, &mut item.attrs),
            Item::Mod(item) => {
                // One with the attribute sees to itself.
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
            // The last one: a `cfg` before it takes the item away with it.
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
