//! `#[live_data]`: parse and check.
use crate::support::{Root, unknown_option};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::{Ident, Item, LitInt};

/// The expansion of the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let item: Item = syn::parse2(item)?;
    let ident: &Ident = match &item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        item => {
            return Err(syn::Error::new_spanned(
                item,
                "`#[live_data]` is for structs and enums",
            ));
        }
    };
    let mut root = Root::default();
    let mut version = 1u32;
    let mut name = ident.unraw().to_string();
    syn::meta::parser(|meta| {
        if root.parse(&meta)? {
        } else if meta.path.is_ident("version") {
            version = meta.value()?.parse::<LitInt>()?.base10_parse()?;
        } else if meta.path.is_ident("name") {
            name = meta.value()?.parse::<syn::LitStr>()?.value();
        } else {
            return Err(unknown_option(
                &meta,
                "`version = 2`, `name = \"…\"`, `migrate(…)`, `default`, `was = \"…\"` and `crate = path`",
            ));
        }
        Ok(())
    })
    .parse2(options)?;
    let serde = quote!(#root::__private::serde);
    let serde_text = serde.to_string();
    Ok(quote! {
        #[derive(#serde::Serialize, #serde::Deserialize)]
        #[serde(crate = #serde_text)]
        #item

        #[automatically_derived]
        impl #root::LiveType for #ident {
            const NAME: &'static str = #name;
            const VERSION: u32 = #version;
        }
    })
}
