//! `#[plugin]`: generate what saves and restores the state.
use super::Plugin;
use super::hooks::{is_result, params};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ReturnType;
use syn::spanned::Spanned;

/// The part of the implementation of `Plugin` that has to do with state; nothing where there is none.
pub fn state(plugin: &Plugin<'_>) -> Option<TokenStream> {
    let (save, restore) = (plugin.hooks.save?, plugin.hooks.restore?);
    let root = &plugin.options.root;
    let ty = params(restore).next()?;
    let question = |output: &ReturnType| is_result(output).then(|| quote!(?));
    let (saves, restores) = (question(&save.sig.output), question(&restore.sig.output));
    // On the tokens of what `save` returns, which may be something else.
    let span = save.sig.output.span();
    let saved = quote_spanned!(span=> let state: #ty = Self::save(self)#saves;);
    // On the tokens of the type, which may not be one that can be saved.
    let desc = quote_spanned!(ty.span()=> #root::contract::state::StateDesc::of::<#ty>());
    Some(quote! {
        const STATE: ::core::option::Option<&'static #root::contract::state::StateDesc> =
            ::core::option::Option::Some(const { &#desc });
        fn save(&self, version: u32) -> #root::Result<#root::LiveData> {
            #saved
            #root::state::save_as(&state, version)
        }
        fn restore(&mut self, state: &#root::LiveData) -> #root::Result<()> {
            Self::restore(self, state.restore::<#ty>()?)#restores;
            ::core::result::Result::Ok(())
        }
    })
}
