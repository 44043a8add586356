//! `#[live]`: the kinds of items, and the options.
mod function;
mod module;
mod names;
mod register;
mod types;

use crate::support::{Errors, Root, unknown_option};
use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{Item, LitStr};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    match syn::parse2(item.clone()) {
        Ok(Item::Fn(function)) => function::expand(options, &function),
        Ok(Item::Struct(_) | Item::Enum(_)) => types::expand(options, item),
        Ok(Item::Mod(module)) => module::expand(options, module),
        _ => Err(syn::Error::new_spanned(
            item,
            "write `#[live]` on a function, a struct, an enum, or a module `mod jobs { … }` that contains some",
        )),
    }
}

/// Returns the item as the compiler should see it if there are errors.
pub fn without_options(item: TokenStream) -> TokenStream {
    crate::live_data::without_options(item)
}

/// The options in `#[live(…)]` on a function or a module.
struct Options {
    root: Root,
    prefix: Option<LitStr>,
}

impl Options {
    /// Parses the options. `of_module` is true if `prefix` is one of them.
    fn parse(options: TokenStream, of_module: bool, errors: &mut Errors) -> Self {
        let mut to = Options {
            root: Root::default(),
            prefix: None,
        };
        let parser = syn::meta::parser(|meta| {
            if to.root.parse(&meta)? {
                return Ok(());
            }
            if of_module && meta.path.is_ident("prefix") {
                to.prefix = Some(meta.value()?.parse()?);
                return Ok(());
            }
            Err(unknown_option(
                &meta,
                match of_module {
                    true => "`prefix = \"live_\"` and `crate = path`",
                    false => "`crate = path`; the name is that of the function",
                },
            ))
        });
        if let Err(error) = parser.parse2(options) {
            errors.push(error);
        }
        to
    }
}
