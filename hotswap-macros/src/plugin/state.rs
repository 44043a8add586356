//! `#[plugin]`: the generated code that saves and restores the state.
use super::Plugin;
use super::hooks::{early, is_result, params};
use crate::support::{name_span, respan};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type};

/// Returns the type of the state, if there is one.
fn ty<'a>(plugin: &Plugin<'a>) -> Option<&'a Type> {
    plugin.hooks.save?;
    params(plugin.hooks.restore?).next()
}

/// Returns the bound on the type of the state. The compiler reports an unmet bound here, and assumes it in the
/// implementation. So a type that cannot be saved is one error, on its own tokens.
pub fn bound(plugin: &Plugin<'_>) -> Option<TokenStream> {
    let ty = ty(plugin)?;
    // The compiler points at the whole bound, from its first token to its last.
    let end = name_span(ty);
    let root = respan(&plugin.options.root.to_token_stream(), end);
    Some(quote_spanned!(end=> #ty: #root::LiveType))
}

/// Returns the part of the implementation of `Plugin` that handles the state.
pub fn state(plugin: &Plugin<'_>) -> Option<TokenStream> {
    let (ty, root) = (ty(plugin)?, &plugin.options.root);
    let question = |output: &ReturnType, span: Span| {
        let question = is_result(output).then(|| quote_spanned!(span=> ?));
        question.unwrap_or_default()
    };
    // On the tokens of the type that `save` returns, which may be another one.
    let saved = plugin.hooks.save.map(|save| {
        let span = match &save.sig.output {
            ReturnType::Type(_, ty) => name_span(ty),
            ReturnType::Default => save.sig.ident.span(),
        };
        // Marked as generated code, for which the compiler suggests no changes.
        let span = Span::mixed_site().located_at(span);
        let question = question(&save.sig.output, span);
        // `self` is the one of the surrounding function.
        let this = quote!(self);
        quote_spanned!(span=> { let saved = Self::save(#this)#question; saved })
    });
    let restored = plugin.hooks.restore.map(|restore| {
        let question = question(&restore.sig.output, Span::call_site());
        let this = early(restore);
        quote!(Self::restore(#this, state.restore::<#ty>()?)#question)
    });
    Some(quote! {
        const STATE: ::core::option::Option<&'static #root::contract::state::StateDesc> =
            ::core::option::Option::Some(const { &#root::state::describe::<#ty>() });
        const STATE_HISTORY: &'static str = <#ty as #root::LiveType>::HISTORY;
        fn save(&self, version: u32) -> #root::Result<#root::LiveData> {
            let state: #ty = #saved;
            #root::state::save_as(&state, version)
        }
        fn restore(this: #root::Early<'_, Self>, state: &#root::live_data::LiveDataView<'_>) -> #root::Result<()> {
            #restored;
            ::core::result::Result::Ok(())
        }
    })
}
