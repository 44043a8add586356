//! `#[live_data]`: generate.
use super::fields::{Shape, Uses, is_bytes, may_hold};
use super::options::{Default_, number};
use super::{Body, LiveData, Part};
use crate::support::name_span;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Field, Ident, Item, LitStr, Member, parse_quote, parse_quote_spanned};

/// The item with what `serde` is to make of it, and the implementation of `LiveType`.
pub fn live_data(live: &LiveData, mut item: Item) -> TokenStream {
    let (root, ident) = (live.root(), &live.ident);
    let serde = quote!(#root::__private::serde);
    let serde_path = serde.to_string().replace(' ', "");
    match (&mut item, &live.body) {
        (Item::Struct(item), Body::Struct(parts)) => {
            item.fields
                .iter_mut()
                .zip(parts)
                .for_each(|(field, part)| serde_field(live, "", field, part));
        }
        (Item::Enum(item), Body::Enum(variants)) => {
            for (variant, own) in item.variants.iter_mut().zip(variants) {
                for was in &own.names[1..] {
                    variant.attrs.push(parse_quote!(#[serde(alias = #was)]));
                }
                let prefix = format!("{}_", own.ident.unraw());
                variant
                    .fields
                    .iter_mut()
                    .zip(&own.fields)
                    .for_each(|(field, part)| serde_field(live, &prefix, field, part));
            }
        }
        _ => unreachable!("parsed from this item"),
    }
    let default = live
        .options
        .default
        .iter()
        .map(|word| quote_spanned!(word.span()=> #[serde(default)]));
    let defaults = defaults(live);
    let checks = checks(live);
    let live_type = live_type(live);
    quote! {
        #[derive(#serde::Serialize, #serde::Deserialize)]
        #[serde(crate = #serde_path)]
        #(#default)*
        #item

        #[allow(clippy::all, clippy::pedantic)]
        #[allow(non_snake_case, unused_variables)]
        const _: () = {
            use #root::live_data as __live;
            #[allow(unused_imports)]
            use __live::generated::Other as _;
            #checks
            #defaults
            #[automatically_derived]
            impl __live::LiveType for #ident {
                #live_type
            }
        };
    }
}

/// Says what `serde` is to make of a field.
fn serde_field(live: &LiveData, prefix: &str, field: &mut Field, part: &Part) {
    let attrs = &mut field.attrs;
    if let Some(word) = &part.options.skip {
        attrs.push(parse_quote_spanned!(word.span()=> #[serde(skip)]));
    }
    for was in part.names.iter().skip(1) {
        attrs.push(parse_quote!(#[serde(alias = #was)]));
    }
    match &part.options.default {
        None => {}
        Some(Default_::OfType) => attrs.push(parse_quote!(#[serde(default)])),
        Some(Default_::Value(_)) => {
            let path = format!("{}::{}", live.ident, default_name(prefix, &part.member));
            attrs.push(parse_quote!(#[serde(default = #path)]));
        }
    }
    if part.options.skip.is_some() {
        return;
    }
    let root = live.root().to_token_stream().to_string().replace(' ', "");
    if is_bytes(&part.ty) {
        let path = format!("{root}::live_data::bytes");
        attrs.push(parse_quote!(#[serde(with = #path)]));
    }
    // A type that cannot be in live data is then one error, on its own tokens.
    let direct = Uses::of(&part.ty, &live.ident).direct;
    if let Some(first) = direct.first() {
        let bounds = direct
            .iter()
            .map(|ty| format!("{}: {root}::live_data::LiveField", ty.to_token_stream()));
        let bounds = LitStr::new(&bounds.collect::<Vec<_>>().join(", "), name_span(first));
        attrs.push(parse_quote!(#[serde(bound = #bounds)]));
    }
}

fn default_name(prefix: &str, member: &Member) -> Ident {
    match member {
        Member::Named(ident) => format_ident!("__live_default_{prefix}{}", ident.unraw()),
        Member::Unnamed(index) => format_ident!("__live_default_{prefix}{}", index.index),
    }
}

/// The functions that make defaults.
fn defaults(live: &LiveData) -> TokenStream {
    let ident = &live.ident;
    let functions: TokenStream = live
        .parts()
        .filter_map(|(prefix, part)| match &part.options.default {
            Some(Default_::Value(value)) => {
                let (name, ty) = (default_name(&prefix, &part.member), &part.ty);
                Some(quote! {
                    #[doc(hidden)]
                    fn #name() -> #ty {
                        #value
                    }
                })
            }
            _ => None,
        })
        .collect();
    match functions.is_empty() {
        true => functions,
        false => quote!(impl #ident { #functions }),
    }
}

/// Complains about types in collections that cannot be in live data. A condition of an implementation would do it with
/// fewer words, but not where two types contain each other.
fn checks(live: &LiveData) -> TokenStream {
    let kept = live.parts().filter(|(_, part)| part.options.skip.is_none());
    let types: Vec<_> = kept
        .flat_map(|(_, part)| Uses::of(&part.ty, &live.ident).behind)
        .collect();
    match types.is_empty() {
        true => TokenStream::new(),
        false => quote! {
            const _: fn() = || {
                fn check<T: __live::LiveField>() {}
                #(check::<#types>();)*
            };
        },
    }
}

/// The inside of the implementation.
fn live_type(live: &LiveData) -> TokenStream {
    let options = &live.options;
    let name = match &options.name {
        Some(name) => name.value(),
        None => live.ident.unraw().to_string(),
    };
    let version = options.version().unwrap_or_default();
    let was = &options.was;
    let earlier =
        (!was.is_empty()).then(|| quote!(const EARLIER: &'static [&'static str] = &[#(#was),*];));
    let is_enum = matches!(live.body, Body::Enum(_)).then(|| {
        quote!(
            const IS_ENUM: bool = true;
        )
    });
    let types = live
        .parts()
        .map(|(_, part)| part)
        .filter(|part| part.options.skip.is_none() && may_hold(&part.ty));
    let types = types.map(|part| &part.ty);
    let migrations = migrations(live);
    let migrate_within = migrate_within(live);
    let overlay = overlay(live);
    quote! {
        const NAME: &'static str = #name;
        const VERSION: u32 = #version;
        #earlier
        #is_enum
        #migrations
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {
                #(__live::generated::Field::<#types>::types(types);)*
            }
        }
        #migrate_within
        #overlay
    }
}

fn migrations(live: &LiveData) -> Option<TokenStream> {
    let mut steps: Vec<_> = live.options.steps.iter().collect();
    steps.sort_by_key(|step| number(&step.from).unwrap_or_default());
    let steps = steps.into_iter().map(|step| {
        let way = |path: &Option<syn::ExprPath>| match path {
            Some(path) => quote!(::core::option::Option::Some(#path)),
            None => quote!(::core::option::Option::None),
        };
        let (from, up, down) = (&step.from, way(&step.up), way(&step.down));
        quote!(__live::Migration { from: #from, up: #up, down: #down })
    });
    let steps: Vec<_> = steps.collect();
    (!steps.is_empty())
        .then(|| quote!(const MIGRATIONS: &'static [__live::Migration] = &[#(#steps),*];))
}

fn migrate_within(live: &LiveData) -> Option<TokenStream> {
    let body = match &live.body {
        Body::Struct(parts) => migrate_parts(parts),
        Body::Enum(variants) => {
            let arms = variants.iter().filter_map(|variant| {
                let body = migrate_parts(&variant.fields)?;
                let names = &variant.names;
                Some(quote! {
                    ::core::option::Option::Some((name @ (#(#names)|*), node)) => {
                        __live::generated::variant(name, node, |node| { #body ::core::result::Result::Ok(()) })?
                    }
                })
            });
            let arms: Vec<_> = arms.collect();
            (!arms.is_empty()).then(|| quote!(match node.variant_mut() { #(#arms)* _ => {} }))
        }
    }?;
    Some(quote! {
        fn migrate_within(
            node: &mut __live::Node,
            walk: &__live::Walk<'_>,
        ) -> ::core::result::Result<(), __live::LiveDataError> {
            #body
            ::core::result::Result::Ok(())
        }
    })
}

fn migrate_parts(parts: &[Part]) -> Option<TokenStream> {
    let shape = Shape::of(parts);
    let each = parts.iter().enumerate();
    let each = each.filter(|(_, part)| part.options.skip.is_none() && may_hold(&part.ty));
    let each = each.map(|(index, Part { ty, names, .. })| {
        let migrate = quote!(__live::generated::Field::<#ty>::migrate);
        match shape {
            Shape::Named => quote!(walk.field(node, &[#(#names),*], #migrate)?;),
            Shape::Single => quote!(#migrate(node, walk)?;),
            Shape::Tuple => quote!(walk.item(node, #index, #migrate)?;),
        }
    });
    let all: TokenStream = each.collect();
    (!all.is_empty()).then_some(all)
}

/// Of structs whose fields have names, or of what is in the only field.
fn overlay(live: &LiveData) -> Option<TokenStream> {
    let Body::Struct(parts) = &live.body else {
        return None;
    };
    let kept = parts.iter().filter(|part| part.options.skip.is_none());
    let each = kept.map(
        |Part {
             member, names, ty, ..
         }| {
            let overlay = quote!(__live::generated::Field::<#ty>::overlay);
            match Shape::of(parts) {
                Shape::Named => {
                    Some(quote!(node.field(&[#(#names),*], &mut self.#member, write, #overlay)?;))
                }
                Shape::Single => Some(quote!(#overlay(&mut self.#member, node, write)?;)),
                Shape::Tuple => None,
            }
        },
    );
    let all: TokenStream = each.collect::<Option<_>>()?;
    (!parts.is_empty()).then(|| {
        quote! {
            fn overlay(
                &mut self,
                node: &__live::Node,
                write: bool,
            ) -> ::core::result::Result<(), __live::CodecError> {
                #all
                ::core::result::Result::Ok(())
            }
        }
    })
}
