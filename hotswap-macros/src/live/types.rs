//! `#[live]` on a struct or an enum: `#[live_data]`, and the statics that list the type.
use super::register::{Live, register};
use crate::live_data::{self, TypeOptions};
use crate::support::written;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Fields, Ident, Item, LitStr};

/// Returns the type as live data, and the statics that list it.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let expanded = live_data::expand(options.clone(), item.clone())?;
    let history = live_data::history(options.clone(), item.clone())?;
    let options = TypeOptions::parse(options)?;
    let item: Item = syn::parse2(item)?;
    let (ident, attrs, signature) = parts(&item)?;
    let root = &options.root;
    let was: Vec<_> = options.was.iter().map(LitStr::value).collect();
    let generated = quote!(#root::live::generated);
    let live = Live {
        root,
        attrs,
        kind: "type",
        name: match &options.name {
            Some(name) => name.value(),
            None => ident.unraw().to_string(),
        },
        signature,
        version: Some(options.version()?),
        was: &was,
        history: Some(history),
        items: quote! {
            #[allow(unused_imports)]
            use #generated::Absent as _;
            const TYPE: #root::contract::live::LiveTypeDesc = #generated::describe::<#ident>(
                &[#(#generated::earlier(#was)),*],
                #generated::Probe::<#ident>::MAKE,
                #generated::Probe::<#ident>::HANDLE,
            );
        },
        code: quote!(Type(&TYPE)),
        hash: quote!([0; 2]),
    };
    Ok(register(&live, expanded))
}

/// Returns the name of a type, its attributes, and its definition without them.
fn parts(item: &Item) -> syn::Result<(&Ident, &[Attribute], String)> {
    match item {
        Item::Struct(item) => {
            let signature = format!("struct {}{}", item.ident.unraw(), fields(&item.fields));
            Ok((&item.ident, &item.attrs, signature))
        }
        Item::Enum(item) => {
            let variants = item
                .variants
                .iter()
                .map(|variant| format!("{}{}", variant.ident.unraw(), fields(&variant.fields)));
            let variants = variants.collect::<Vec<_>>().join(", ");
            let signature = format!("enum {} {{ {variants} }}", item.ident.unraw());
            Ok((&item.ident, &item.attrs, signature))
        }
        item => Err(syn::Error::new_spanned(
            item,
            "a live type is a struct or an enum",
        )),
    }
}

fn fields(fields: &Fields) -> String {
    let types = fields.iter().map(|field| match &field.ident {
        Some(name) => format!("{}: {}", name.unraw(), written(&field.ty)),
        None => written(&field.ty),
    });
    let types = types.collect::<Vec<_>>().join(", ");
    match fields {
        Fields::Named(_) => format!(" {{ {types} }}"),
        Fields::Unnamed(_) => format!("({types})"),
        Fields::Unit => String::new(),
    }
}
