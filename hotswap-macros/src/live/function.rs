//! `#[live]` on a function.
use super::Options;
use super::register::{Live, register};
use crate::bounds;
use crate::call::{Call, check_count};
use crate::described::{Callee, described};
use crate::support::Errors;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ItemFn;

/// Returns the function as it is, and the statics that list it.
pub fn expand(options: TokenStream, item: &ItemFn) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options = Options::parse(options, false, &mut errors);
    let call = check(item, &mut errors);
    errors.finish()?;
    let root = &options.root;
    let (b, use_boundary) = (&root.boundary(), root.use_boundary());
    let bounds = bounds::of_call(b, &call);
    let function = described(b, &Callee::Function, &call);
    let live = Live {
        root,
        attrs: &item.attrs,
        kind: "function",
        name: call.name(),
        signature: format!("fn{}", call.written("")),
        version: None,
        was: &[],
        history: None,
        items: quote! {
            #use_boundary
            struct Listed;
            impl Listed #bounds {
                const FUNCTION: #b::FunctionDesc = #function;
            }
        },
        code: quote!(Function(&Listed::FUNCTION)),
        hash: quote!(Listed::FUNCTION.hash),
    };
    Ok(register(&live, item.to_token_stream()))
}

fn check<'a>(item: &'a ItemFn, errors: &mut Errors) -> Call<'a> {
    if let Some(receiver) = item.sig.receiver() {
        errors.at(
            receiver,
            "a live function has no `self`: remove it, or write `#[invoke]` on a method of a plugin",
        );
    }
    if let Some(token) = &item.sig.asyncness {
        errors.at(
            token,
            "a live function is not `async`: start the work here, or write `#[invoke]` on an `async` method of a plugin",
        );
    }
    check_count(&item.sig, errors);
    Call::without_receiver(&item.sig, errors)
}
