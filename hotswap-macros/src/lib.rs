//! The macros of `hotswap_plugin`, which exports them: use them from there.
//!
//! Each macro lies in a file of its own, which parses its input, checks it and generates code, in this order. All
//! mistakes in one use are reported together, each on the tokens at fault.
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod bounds;
mod call;
#[cfg(test)]
mod golden;
mod import;
mod interface;
mod plugin;
mod shared;
mod support;

use proc_macro::TokenStream;

/// Lets a struct or an enum cross between plugins, and between a plugin and its host.
#[proc_macro_attribute]
pub fn shared(options: TokenStream, item: TokenStream) -> TokenStream {
    or_error(
        item.clone().into(),
        shared::expand(options.into(), item.into()),
    )
}

/// Makes a plugin of a type.
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, item: TokenStream) -> TokenStream {
    or_error(
        plugin::without_invoke(item.clone().into()),
        plugin::expand(options.into(), item.into()),
    )
}

/// Makes an interface of a trait.
#[proc_macro_attribute]
pub fn interface(options: TokenStream, item: TokenStream) -> TokenStream {
    or_error(
        item.clone().into(),
        interface::expand(options.into(), item.into()),
    )
}

/// Makes a struct of imports.
#[proc_macro_derive(Import, attributes(import))]
pub fn import(item: TokenStream) -> TokenStream {
    import::expand(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// The expansion, or all errors and the item as it was, so that it can still be used by the code around it.
fn or_error(
    item: proc_macro2::TokenStream,
    expanded: syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let expanded = expanded.unwrap_or_else(|errors| {
        let errors = errors.into_compile_error();
        quote::quote! {
            #errors
            #[allow(unused)]
            #item
        }
    });
    expanded.into()
}
