//! `#[plugin]`: the generated code.
use super::hooks::{early, is_result, params};
use super::patch::Patched;
use super::{Options, Plugin, state};
use crate::bounds;
use crate::described::{Callee, described};
use crate::support::{is_reference, json, respan};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ImplItemFn, Path, Type};

/// Returns the `impl` as its author wrote it, the implementation of `Plugin`, and the entry points of the library.
pub fn plugin(plugin: &Plugin<'_>, item: TokenStream) -> TokenStream {
    let Plugin {
        options,
        ty,
        hooks,
        functions,
        ..
    } = plugin;
    let (root, b) = (&options.root, &options.root.boundary());
    let use_boundary = root.use_boundary();
    let name = text_or(&options.name, quote!(::core::env!("CARGO_PKG_NAME")));
    let version = text_or(&options.version, quote!(::core::env!("CARGO_PKG_VERSION")));
    let bounds = bounds::of_calls(b, functions, state::bound(plugin));
    let descriptions = functions
        .iter()
        .map(|function| described(b, &Callee::Method(ty), function));
    let exports = options.exports.iter().map(|path| {
        // On the tokens of the trait, which the type may not implement.
        let (span, b) = (path.span(), respan(b, path.span()));
        quote_spanned!(span=> #b::ExportDesc::new::<dyn #path, #ty>())
    });
    let (imports_item, imports) = imports_item(plugin);
    let construct = construct(plugin);
    let reloadable = reloadable(plugin);
    let fallible = [
        (
            hooks.on_load,
            quote!(on_load),
            quote!(data: &#root::LoadData<'_>),
            quote!(data),
        ),
        (
            hooks.on_init,
            quote!(on_init),
            quote!(vault: &#root::Vault<'_>),
            quote!(vault),
        ),
    ];
    let fallible = fallible.into_iter().filter_map(|(hook, name, param, arg)| {
        let hook = hook?;
        let unused = params(hook).next().is_none().then(|| quote!(let _ = #arg;));
        let arg = params(hook).next().map(|_| quote!(, #arg));
        let this = early(hook);
        let run = or_ok(hook, quote!(Self::#name(#this #arg)));
        Some(quote! {
            fn #name(this: #root::Early<'_, Self>, #param) -> #root::Result<()> {
                #unused
                #run
            }
        })
    });
    let on_start = hooks.on_start.map(|hook| {
        let run = or_ok(hook, quote!(Self::on_start(self)));
        quote!(fn on_start(&self) -> #root::Result<()> { #run })
    });
    let plain = [
        (hooks.on_stop, quote!(on_stop), quote!(&self)),
        (hooks.on_free, quote!(on_free), quote!(&mut self)),
    ];
    let plain = plain.into_iter().filter_map(|(hook, name, receiver)| {
        hook.map(|_| quote!(fn #name(#receiver) { Self::#name(self) }))
    });
    let invoke_func = hooks.invoke_func.map(|_| {
        quote! {
            fn invoke_func(
                &self,
                name: &str,
                args: &[#b::Value],
            ) -> ::core::option::Option<#root::Result<#b::Value>> {
                ::core::option::Option::Some(Self::invoke_func(self, name, args).map_err(::core::convert::Into::into))
            }
        }
    });
    let state = state::state(plugin);
    let library = library(plugin, &name, &version);
    quote! {
        #item

        #[allow(clippy::all, clippy::pedantic)]
        #[allow(improper_ctypes_definitions, trivial_bounds, unexpected_cfgs)]
        const _: () = {
            #use_boundary

            #imports_item

            #[automatically_derived]
            impl #root::Plugin for #ty #bounds {
                const NAME: &'static str = #name;
                const VERSION: &'static str = #version;
                const FUNCTIONS: &'static [#b::FunctionDesc] = &[#(#descriptions),*];
                const EXPORTS: &'static [#b::ExportDesc] = &[#(#exports),*];
                const TABLES: #b::Tables<Self> = unsafe { #b::Tables::new(Self::FUNCTIONS, Self::EXPORTS) };
                type Imports = #imports;
                #construct
                #reloadable
                #(#fallible)*
                #on_start
                #(#plain)*
                #state
                #invoke_func
            }

            #library
        };
    }
}

fn text_or(option: &Option<syn::LitStr>, default: TokenStream) -> TokenStream {
    option.as_ref().map_or(default, |text| quote!(#text))
}

/// Calls a function that returns a `Result` or nothing.
fn or_ok(hook: &ImplItemFn, call: TokenStream) -> TokenStream {
    let ok = quote!(::core::result::Result::Ok);
    match is_result(&hook.sig.output) {
        true => quote!(#ok(#call?)),
        false => quote! {
            #call;
            #ok(())
        },
    }
}

/// Returns the type of the constructor's last parameter, if it is owned.
fn imports<'a>(plugin: &Plugin<'a>) -> Option<&'a Type> {
    params(plugin.hooks.new?)
        .last()
        .filter(|ty| !is_reference(ty))
}

/// Returns the type of the plugin's imports, and its definition. It is not the author's own type, which may be private
/// to a module, while the plugin is visible outside of it.
fn imports_item(plugin: &Plugin<'_>) -> (TokenStream, TokenStream) {
    let Some(ty) = imports(plugin) else {
        return (quote!(), quote!(()));
    };
    let (root, b) = (&plugin.options.root, plugin.options.root.boundary());
    let item = quote! {
        #[doc(hidden)]
        pub struct __Imports(#ty);

        #[automatically_derived]
        impl #root::Import for __Imports {
            const IMPORTS: &'static [#b::ImportDesc] = <#ty as #root::Import>::IMPORTS;
            const METADATA: &'static str = <#ty as #root::Import>::METADATA;
            fn bind(objects: &#b::Bindings<'_>) -> Self {
                Self(<#ty as #root::Import>::bind(objects))
            }
        }
    };
    (item, quote!(__Imports))
}

fn construct(plugin: &Plugin<'_>) -> TokenStream {
    let root = &plugin.options.root;
    let ok = quote!(::core::result::Result::Ok);
    let (body, used) = match plugin.hooks.new {
        // On the tokens of the type, which may not have a default.
        None => {
            let ty = plugin.ty;
            let default = quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default());
            (quote!(#ok(#default)), [false, false])
        }
        Some(new) => {
            let used = [params(new).any(is_reference), imports(plugin).is_some()];
            let (cx, deps) = (
                used[0].then(|| quote!(cx,)),
                used[1].then(|| quote!(imports.0)),
            );
            let ty = plugin.ty;
            let call = quote!(<#ty>::new(#cx #deps));
            (
                if is_result(&new.sig.output) {
                    quote!(#ok(#call?))
                } else {
                    quote!(#ok(#call))
                },
                used,
            )
        }
    };
    let unused = ["cx", "imports"]
        .into_iter()
        .zip(used)
        .filter(|(_, used)| !used)
        .map(|(name, _)| {
            let name = quote::format_ident!("{name}");
            quote!(let _ = #name;)
        });
    let (ty, (_, imports)) = (plugin.ty, imports_item(plugin));
    // The constant uses the type, and so everything that the plugin consists of. In a build without the entry points
    // nothing else may use it, and the compiler would report dead code.
    quote! {
        fn construct(cx: &#root::Context, imports: Self::Imports) -> #root::Result<Self> {
            fn construct(cx: &#root::Context, imports: #imports) -> #root::Result<#ty> {
                #(#unused)*
                #body
            }
            const _: fn(&#root::Context, #imports) -> #root::Result<#ty> = construct;
            construct(cx, imports)
        }
    }
}

fn reloadable(plugin: &Plugin<'_>) -> Option<TokenStream> {
    let root = &plugin.options.root;
    let body = match (plugin.hooks.reloadable, &plugin.options.reloadable) {
        (Some(hook), _) if params(hook).next().is_some() => quote!(Self::reloadable(cx)),
        (Some(_), _) => quote!(let _ = cx; Self::reloadable()),
        (None, Some(reloadable)) => quote!(let _ = cx; #reloadable),
        (None, None) => return None,
    };
    Some(quote!(fn reloadable(cx: &#root::Context) -> bool { #body }))
}

/// Returns the code that only a shared library has, and the code of a plugin that is linked into its host.
fn library(plugin: &Plugin<'_>, name: &TokenStream, version: &TokenStream) -> TokenStream {
    let Plugin { options, ty, .. } = plugin;
    let (root, b) = (&options.root, &options.root.boundary());
    let allocator = options.allocator.then(|| quote!(#root::__allocator!();));
    let marks = plugin.smoke.iter().zip(&plugin.health).zip(&plugin.patches);
    let functions = plugin.functions.iter().zip(marks);
    let functions = functions.map(|(function, ((smoke, health), patch))| {
        let smoke = smoke.map(|time| format!(r#","smoke":"{}""#, time.name()));
        let health = if *health { r#","health":true"# } else { "" };
        let signature = json(&format!("{}{}", function.keyword(), function.written("")));
        format!(
            r#"{{"name":"{}","signature":"{signature}"{}{health}{}}}"#,
            function.name(),
            smoke.unwrap_or_default(),
            patch.as_ref().map(Patched::metadata).unwrap_or_default()
        )
    });
    let functions = functions.collect::<Vec<_>>().join(",");
    let hooks = plugin.hooks.names().map(|name| format!("\"{name}\""));
    let hooks = hooks.collect::<Vec<_>>().join(",");
    let end = format!(
        r#"","reloadable":{},"hooks":[{hooks}],"functions":[{functions}]}}"#,
        metadata_reloadable(plugin, options)
    );
    let exports = exports(b, &options.exports);
    quote! {
        #[cfg(hotswap_dylib)]
        mod library {
            #root::__shim!();
            #allocator
        }
        #[cfg(hotswap_dylib)]
        #root::__entry!(#ty);
        #[cfg(hotswap_static)]
        #root::__linked!(#ty);
        #[cfg(any(hotswap_dylib, hotswap_static))]
        #root::__metadata!(
            ::core::concat!(
                r#"{"name":""#, #name,
                r#"","version":""#, #version,
                r#"","crate":""#, ::core::env!("CARGO_PKG_NAME"),
                #end,
            ),
            [#exports]
        );
    }
}

fn metadata_reloadable(plugin: &Plugin<'_>, options: &Options) -> &'static str {
    match (plugin.hooks.reloadable, &options.reloadable) {
        (Some(_), _) => "null",
        (None, Some(reloadable)) if !reloadable.value => "false",
        _ => "true",
    }
}

/// Returns the texts that make up the JSON of the exports.
fn exports(b: &TokenStream, exports: &[Path]) -> TokenStream {
    let items = exports.iter().enumerate().map(|(i, path)| {
        let name = path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .unwrap_or_default();
        let comma = if i > 0 { "," } else { "" };
        let begin = format!(r#"{comma}{{"interface":"{name}","signature":""#);
        quote!(#begin, <dyn #path as #b::Interface>::SIGNATURE, "\"}",)
    });
    quote!("[", #(#items)* "]")
}
