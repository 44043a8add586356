//! `#[plugin]`: the parser.
mod check;
mod generate;
mod health;
mod hooks;
mod patch;
mod smoke;
mod state;

use crate::call::Call;
use crate::support::{Errors, Root, unknown_option};
use health::is_health;
use hooks::{Hooks, is_invoke};
use patch::{Patched, is_patch};
use proc_macro2::TokenStream;
use quote::ToTokens;
use smoke::{SmokeTime, is_smoke};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItem, ImplItemFn, ItemImpl, LitBool, LitStr, Path, Token, Type};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let options = Options::parse(options, &mut errors);
    let item: ItemImpl = syn::parse2(item.clone()).map_err(|_| {
        let text = "write `#[plugin]` on an `impl World { … }` with the plugin's functions";
        syn::Error::new_spanned(item, text)
    })?;
    let plugin = Plugin::parse(&options, &item, &mut errors);
    errors.finish()?;
    Ok(generate::plugin(
        &plugin,
        without_invoke(item.to_token_stream()),
    ))
}

/// Returns the item as the compiler should see it.
pub fn without_invoke(item: TokenStream) -> TokenStream {
    let Ok(mut item) = syn::parse2::<ItemImpl>(item.clone()) else {
        return item;
    };
    for item in &mut item.items {
        if let ImplItem::Fn(method) = item {
            method.attrs.retain(|attr| !is_called(attr));
        }
    }
    item.into_token_stream()
}

/// Returns true if the attribute marks a function that the host calls by its name.
fn is_called(attr: &Attribute) -> bool {
    is_invoke(attr) || is_patch(attr) || is_smoke(attr) || is_health(attr)
}

/// The options in `#[plugin(…)]`.
struct Options {
    root: Root,
    name: Option<LitStr>,
    version: Option<LitStr>,
    exports: Vec<Path>,
    reloadable: Option<LitBool>,
    allocator: bool,
}

impl Options {
    fn parse(options: TokenStream, errors: &mut Errors) -> Self {
        let mut to = Options {
            root: Root::default(),
            name: None,
            version: None,
            exports: Vec::new(),
            reloadable: None,
            allocator: true,
        };
        let parser = syn::meta::parser(|meta| {
            if to.root.parse(&meta)? {
            } else if meta.path.is_ident("name") {
                to.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("version") {
                to.version = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("reloadable") {
                to.reloadable = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("allocator") {
                to.allocator = meta.value()?.parse::<LitBool>()?.value;
            } else if meta.path.is_ident("exports") {
                let exports;
                syn::parenthesized!(exports in meta.input);
                to.exports = Punctuated::<Path, Token![,]>::parse_terminated(&exports)?
                    .into_iter()
                    .collect();
            } else {
                let known = "`name = \"…\"`, `version = \"…\"`, `exports(Trait, …)`, `reloadable = false`, \
                             `allocator = false` and `crate = path`";
                return Err(unknown_option(&meta, known));
            }
            Ok(())
        });
        if let Err(error) = parser.parse2(options) {
            errors.push(error);
        }
        for (text, what, more) in [(&to.name, "name", "-_"), (&to.version, "version", "-_.+")] {
            let valid = |text: &str| {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|char| char.is_ascii_alphanumeric() || more.contains(char))
            };
            if let Some(text) = text.as_ref().filter(|text| !valid(&text.value())) {
                errors.at(
                    text,
                    format!("a {what} has ASCII letters, digits, and any of `{more}`"),
                );
            }
        }
        to
    }
}

/// A plugin that has been checked.
struct Plugin<'a> {
    options: &'a Options,
    ty: &'a Type,
    hooks: Hooks<'a>,
    /// The functions with `#[invoke]`, `#[patch]`, `#[smoke]`, or `#[health]`.
    functions: Vec<Call<'a>>,
    /// For each of them, the time at which it runs if it is a smoke test.
    smoke: Vec<Option<SmokeTime>>,
    /// For each of them, whether it is a health check.
    health: Vec<bool>,
    /// For each of them, the function that it stands for if it is a patch.
    patches: Vec<Option<Patched>>,
}

impl<'a> Plugin<'a> {
    fn parse(options: &'a Options, item: &'a ItemImpl, errors: &mut Errors) -> Self {
        check::item(item, errors);
        let methods = || {
            item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(method) => Some(method),
                _ => None,
            })
        };
        let hooks = Hooks::parse(methods(), !options.exports.is_empty(), errors);
        if let (Some(option), Some(hook)) = (&options.reloadable, hooks.reloadable) {
            errors.at(
                option,
                "`reloadable` is also a function of this plugin: keep one of the two",
            );
            errors.at(
                &hook.sig.ident,
                "`reloadable` is also an option of this plugin: keep one of the two",
            );
        }
        let called = |method: &&ImplItemFn| {
            let mut attrs = method.attrs.iter();
            attrs.any(is_called)
        };
        let (mut functions, mut smoke, mut health) = (Vec::new(), Vec::new(), Vec::new());
        let mut patches = Vec::new();
        for method in methods().filter(called) {
            smoke.push(SmokeTime::of(method, errors));
            health.push(health::check(method, errors));
            patches.push(Patched::of(method, errors));
            functions.push(check::function(method, errors));
        }
        Patched::check_all(&patches, errors);
        Plugin {
            options,
            ty: &item.self_ty,
            hooks,
            functions,
            smoke,
            health,
            patches,
        }
    }
}
