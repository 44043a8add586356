//! The statics that list a live function or type, in the library and in its file.
use crate::support::{Root, json};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

/// A live function or type.
pub struct Live<'a> {
    pub root: &'a Root,
    /// The item's own attributes.
    pub attrs: &'a [Attribute],
    /// The kind, as the file names it.
    pub kind: &'static str,
    pub name: String,
    /// The signature as the author wrote it.
    pub signature: String,
    /// The schema version of a type.
    pub version: Option<u32>,
    /// Earlier names of a type.
    pub was: &'a [String],
    /// What a type declares of its earlier versions, as JSON.
    pub history: Option<String>,
    /// Items that `code` and `hash` refer to.
    pub items: TokenStream,
    /// The variant of `LiveCode`.
    pub code: TokenStream,
    /// The hash that both sides compare.
    pub hash: TokenStream,
}

/// Returns the item as its author wrote it, and the statics that list it.
pub fn register(live: &Live<'_>, item: TokenStream) -> TokenStream {
    let Live {
        root,
        attrs,
        kind,
        name,
        signature,
        version,
        was,
        history,
        items,
        code,
        hash,
    } = live;
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let version = version.map(|version| format!(r#","version":{version}"#));
    let was: Vec<_> = was
        .iter()
        .map(|name| format!("\"{}\"", json(name)))
        .collect();
    let was = (!was.is_empty()).then(|| format!(r#","was":[{}]"#, was.join(",")));
    let history = history
        .as_ref()
        .map(|history| format!(r#","history":{history}"#));
    let begin = format!(
        r#"{{"kind":"{kind}","name":"{}","signature":"{}"{}{}{},"module":""#,
        json(name),
        json(signature),
        version.unwrap_or_default(),
        was.unwrap_or_default(),
        history.unwrap_or_default(),
    );
    quote! {
        #item

        #(#cfgs)*
        #[allow(clippy::all, clippy::pedantic)]
        #[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
        const _: () = {
            #items
            #root::__live!(#begin, #name, #signature, #code, #hash);
        };
    }
}
