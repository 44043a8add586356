//! `#[live_data]`: the generated code.
use super::fields::{Shape, is_bytes, is_option, may_hold, unknown};
use super::history::history;
use super::options::{Default_, number};
use super::{Body, LiveData, Part};
use crate::support::name_span;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Field, Ident, Item, Member, Type, parse_quote, parse_quote_spanned};

/// Returns the item with attributes for `serde`, and the implementation of `LiveType`.
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
    let own_default = format!("{ident}::__live_default");
    let default = live
        .options
        .default
        .iter()
        .map(|word| quote_spanned!(word.span()=> #[serde(default = #own_default)]));
    let functions = functions(live);
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
            use #root::live_data::generated as __live;
            #[allow(unused_imports)]
            use __live::{Other as _, Unfit as _};
            #checks
            #functions
            #[automatically_derived]
            impl __live::LiveType for #ident {
                #live_type
            }
        };
    }
}

/// Adds the attributes for `serde` to a field.
fn serde_field(live: &LiveData, prefix: &str, field: &mut Field, part: &Part) {
    let attrs = &mut field.attrs;
    let (options, names) = (&part.options, Names::of(prefix, &part.member));
    let path = |name: &Ident| format!("{}::{name}", live.ident);
    for was in part.names.iter().skip(1) {
        attrs.push(parse_quote!(#[serde(alias = #was)]));
    }
    if options.default.is_some() || options.skip.is_some() {
        let default = path(&names.default);
        attrs.push(parse_quote!(#[serde(default = #default)]));
    }
    if let Some(word) = &options.skip {
        attrs.push(parse_quote_spanned!(word.span()=> #[serde(skip)]));
    } else if is_bytes(&part.ty) {
        let root = live.root().to_token_stream().to_string().replace(' ', "");
        let bytes = format!("{root}::live_data::bytes");
        attrs.push(parse_quote!(#[serde(with = #bytes)]));
    } else if !unknown(&part.ty, &live.ident).is_empty() {
        let (write, read) = (path(&names.write), path(&names.read));
        attrs.push(parse_quote!(#[serde(serialize_with = #write, deserialize_with = #read)]));
        // `serde` does so itself, unless it is told how to read a field.
        let named = matches!(part.member, Member::Named(_));
        if named
            && is_option(&part.ty)
            && options.default.is_none()
            && live.options.default.is_none()
        {
            attrs.push(parse_quote!(#[serde(default)]));
        }
    }
}

/// The names of the functions of a field.
struct Names {
    default: Ident,
    write: Ident,
    read: Ident,
}

impl Names {
    fn of(prefix: &str, member: &Member) -> Self {
        let field = match member {
            Member::Named(ident) => ident.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        Names {
            default: format_ident!("__live_default_{prefix}{field}"),
            write: format_ident!("__live_write_{prefix}{field}"),
            read: format_ident!("__live_read_{prefix}{field}"),
        }
    }
}

/// Returns the functions to which the attributes for `serde` refer.
fn functions(live: &LiveData) -> TokenStream {
    let ident = &live.ident;
    let mut functions = TokenStream::new();
    if let Some(word) = &live.options.default {
        let span = word.span();
        functions.extend(quote_spanned! {span=>
            fn __live_default() -> Self {
                <Self as ::core::default::Default>::default()
            }
        });
    }
    for (prefix, part) in live.parts() {
        let (ty, options) = (&part.ty, &part.options);
        let Names {
            default,
            write,
            read,
        } = Names::of(&prefix, &part.member);
        let value = match &options.default {
            Some(Default_::Value(value)) => Some(value.to_token_stream()),
            Some(Default_::OfType) => Some(of_type(ty)),
            None => options.skip.is_some().then(|| of_type(ty)),
        };
        functions.extend(value.map(|value| {
            quote! {
                fn #default() -> #ty {
                    #value
                }
            }
        }));
        if options.skip.is_none() && !unknown(ty, ident).is_empty() {
            functions.extend(quote! {
                fn #write<S: __live::Serializer>(
                    value: &#ty,
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    __live::Stored::<#ty>::write(value, serializer)
                }
                fn #read<'de, D: __live::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<#ty, D::Error> {
                    __live::Stored::<#ty>::read(deserializer)
                }
            });
        }
    }
    match functions.is_empty() {
        true => functions,
        false => quote!(impl #ident { #functions }),
    }
}

/// Returns the default of a type. Errors about it are reported on the type.
fn of_type(ty: &Type) -> TokenStream {
    let span = name_span(ty);
    let default = quote_spanned!(span=> ::core::default::Default>::default());
    quote_spanned!(span=> <#ty as #default)
}

/// Reports types that cannot be in live data, once for each, on its tokens. All other code compiles with them.
fn checks(live: &LiveData) -> TokenStream {
    let kept = live.parts().filter(|(_, part)| part.options.skip.is_none());
    let types: Vec<_> = kept
        .flat_map(|(_, part)| unknown(&part.ty, &live.ident))
        .collect();
    match types.is_empty() {
        true => TokenStream::new(),
        false => quote! {
            const _: () = {
                #(__live::fits::<#types>();)*
            };
        },
    }
}

/// Returns the content of the implementation.
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
    let (migrations, history) = (migrations(live), history(live));
    let migrate_within = migrate_within(live);
    let overlay = overlay(live);
    let check = check(live);
    quote! {
        const NAME: &'static str = #name;
        const VERSION: u32 = #version;
        #earlier
        #is_enum
        #migrations
        const HISTORY: &'static str = #history;
        fn types(types: &mut __live::Types) {
            if types.enter::<Self>() {
                #(__live::Field::<#types>::types(types);)*
            }
        }
        #migrate_within
        #overlay
        #check
    }
}

fn migrations(live: &LiveData) -> Option<TokenStream> {
    let mut steps: Vec<_> = live.options.steps.iter().collect();
    steps.sort_by_key(|step| number(&step.from).unwrap_or_default());
    let steps = steps.into_iter().map(|step| {
        let way = |path: &Option<syn::ExprPath>| match path {
            Some(path) => quote!({
                let step: __live::Step = #path;
                ::core::option::Option::Some(step)
            }),
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
                        __live::variant(name, node, |node| { #body ::core::result::Result::Ok(()) })?
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
        let migrate = quote!(__live::Field::<#ty>::migrate);
        match shape {
            Shape::Named => quote!(walk.field(node, &[#(#names),*], #migrate)?;),
            Shape::Single => quote!(#migrate(node, walk)?;),
            Shape::Tuple => quote!(walk.item(node, #index, #migrate)?;),
        }
    });
    let all: TokenStream = each.collect();
    (!all.is_empty()).then_some(all)
}

/// Returns the check of the fields that may have to be read back.
fn check(live: &LiveData) -> TokenStream {
    let body = match &live.body {
        Body::Struct(parts) => {
            let shape = Shape::of(parts);
            let each = checked(parts).map(|(_, part)| {
                let member = &part.member;
                check_part(shape, part, &quote!(&self.#member))
            });
            let each: TokenStream = each.collect();
            quote!(#each ::core::result::Result::Ok(()))
        }
        Body::Enum(variants) => {
            let arms = variants.iter().filter_map(|variant| {
                let bind = |index| format_ident!("field{index}");
                let fields: Vec<_> = checked(&variant.fields).collect();
                let binds = fields.iter().map(|(index, part)| {
                    let (member, bind) = (&part.member, bind(*index));
                    quote!(#member: #bind)
                });
                let shape = Shape::of(&variant.fields);
                let checks = fields
                    .iter()
                    .map(|(index, part)| check_part(shape, part, &bind(*index).to_token_stream()));
                let (ident, name) = (&variant.ident, &variant.names[0]);
                let arm = quote! {
                    Self::#ident { #(#binds,)* .. } => {
                        let checked = || -> ::core::result::Result<(), __live::CodecError> {
                            #(#checks)*
                            ::core::result::Result::Ok(())
                        };
                        checked().map_err(|e| e.at(#name))
                    }
                };
                (!fields.is_empty()).then_some(arm)
            });
            let arms: Vec<_> = arms.collect();
            let others =
                (arms.len() < variants.len()).then(|| quote!(_ => ::core::result::Result::Ok(()),));
            match arms.is_empty() {
                true => quote!(::core::result::Result::Ok(())),
                false => quote!(match self { #(#arms)* #others }),
            }
        }
    };
    quote! {
        fn check(&self) -> ::core::result::Result<(), __live::CodecError> {
            #body
        }
    }
}

/// Returns the fields that may contain types that only `serde` knows.
fn checked(parts: &[Part]) -> impl Iterator<Item = (usize, &Part)> {
    let each = parts.iter().enumerate();
    each.filter(|(_, part)| part.options.skip.is_none() && may_hold(&part.ty))
}

fn check_part(shape: Shape, part: &Part, value: &TokenStream) -> TokenStream {
    let ty = &part.ty;
    let checked = quote!(__live::Field::<#ty>::check(#value, __live::Stored::<#ty>::check));
    match (shape, &part.member) {
        (Shape::Single, _) => quote!(#checked?;),
        (_, Member::Named(_)) => {
            let name = &part.names[0];
            quote!(#checked.map_err(|e| e.at(#name))?;)
        }
        (_, Member::Unnamed(index)) => {
            let index = index.index as usize;
            quote!(#checked.map_err(|e| e.index(#index))?;)
        }
    }
}

/// Returns the overlay of a struct with named fields, or of the content of an only field.
fn overlay(live: &LiveData) -> Option<TokenStream> {
    let Body::Struct(parts) = &live.body else {
        return None;
    };
    let kept = parts.iter().filter(|part| part.options.skip.is_none());
    let each = kept.map(|part| {
        let (member, names, ty) = (&part.member, &part.names, &part.ty);
        let overlay = quote! {
            __live::Field::<#ty>::overlay(&mut self.#member, node, write, __live::Stored::<#ty>::put)
        };
        match Shape::of(parts) {
            Shape::Named => Some(quote!(node.field(&[#(#names),*], |node| #overlay)?;)),
            Shape::Single => Some(quote!(#overlay?;)),
            Shape::Tuple => None,
        }
    });
    let all: TokenStream = each.collect::<Option<_>>()?;
    let named = matches!(Shape::of(parts), Shape::Named).then(|| quote!(node.named()?;));
    (!parts.is_empty()).then(|| {
        quote! {
            fn overlay(
                &mut self,
                node: &__live::Node,
                write: bool,
            ) -> ::core::result::Result<(), __live::CodecError> {
                #named
                #all
                ::core::result::Result::Ok(())
            }
        }
    })
}
