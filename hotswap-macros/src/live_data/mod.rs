//! `#[live_data]`: the parser.
mod check;
mod fields;
mod generate;
mod history;
mod options;

use crate::support::{Errors, Root};
pub use options::TypeOptions;
use options::{FieldOptions, VariantOptions};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Field, Fields, Ident, Item, Member, Type};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = TypeOptions::parse(options)?;
    let mut item: Item = syn::parse2(item)?;
    let live = LiveData::parse(options, &mut item)?;
    Ok(generate::live_data(&live, item))
}

/// Returns what the item declares of its earlier versions, as JSON.
pub fn history(options: TokenStream, item: TokenStream) -> syn::Result<String> {
    let options = TypeOptions::parse(options)?;
    let live = LiveData::parse(options, &mut syn::parse2(item)?)?;
    Ok(history::history(&live))
}

/// Returns the item as `#[live_data]` leaves it, without the attributes that only the expansion understands. For an
/// item with errors.
pub fn without_options(item: TokenStream) -> TokenStream {
    let Ok(mut item) = syn::parse2::<Item>(item.clone()) else {
        return item;
    };
    let strip = |attrs: &mut Vec<Attribute>| {
        attrs.retain(|attr| !attr.path().is_ident("live_data") && !attr.path().is_ident("serde"));
    };
    let strip_all = |fields: &mut Fields| fields.iter_mut().for_each(|f| strip(&mut f.attrs));
    match &mut item {
        Item::Struct(item) => {
            strip(&mut item.attrs);
            strip_all(&mut item.fields);
        }
        Item::Enum(item) => {
            strip(&mut item.attrs);
            for variant in &mut item.variants {
                strip(&mut variant.attrs);
                strip_all(&mut variant.fields);
            }
        }
        _ => {}
    }
    item.into_token_stream()
}

/// Takes the options out of the attributes.
fn take(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    attrs
        .extract_if(.., |attr| attr.path().is_ident("live_data"))
        .collect()
}

/// A type that is to be live data.
struct LiveData {
    options: TypeOptions,
    ident: Ident,
    body: Body,
}

enum Body {
    Struct(Vec<Part>),
    Enum(Vec<Variant>),
}

struct Variant {
    ident: Ident,
    /// Its name, followed by its earlier names.
    names: Vec<String>,
    fields: Vec<Part>,
}

/// A field.
struct Part {
    member: Member,
    /// Its name, followed by its earlier names. Empty for a field without a name.
    names: Vec<String>,
    ty: Type,
    options: FieldOptions,
}

impl LiveData {
    /// Takes the options out of the item.
    fn parse(options: TypeOptions, item: &mut Item) -> syn::Result<Self> {
        let mut errors = check::item(item)?;
        let (ident, body) = match item {
            Item::Struct(item) => {
                let parts = parts(&mut item.fields, &mut errors);
                (item.ident.clone(), Body::Struct(parts))
            }
            Item::Enum(item) => {
                let variants = item.variants.iter_mut().map(|variant| {
                    let VariantOptions { was } =
                        VariantOptions::parse(&take(&mut variant.attrs), &mut errors);
                    Variant {
                        ident: variant.ident.clone(),
                        names: names(&variant.ident, &was),
                        fields: parts(&mut variant.fields, &mut errors),
                    }
                });
                (item.ident.clone(), Body::Enum(variants.collect()))
            }
            _ => unreachable!("other items were refused"),
        };
        let live = LiveData {
            options,
            ident,
            body,
        };
        check::all(&live, &mut errors);
        errors.finish()?;
        Ok(live)
    }

    /// Returns all fields, each with a prefix that distinguishes the fields of one variant from those of another.
    fn parts(&self) -> impl Iterator<Item = (String, &Part)> {
        let all: Vec<_> = match &self.body {
            Body::Struct(parts) => parts.iter().map(|part| (String::new(), part)).collect(),
            Body::Enum(variants) => {
                let parts = variants.iter().flat_map(|variant| {
                    let prefix = format!("{}_", variant.ident.unraw());
                    variant
                        .fields
                        .iter()
                        .map(move |part| (prefix.clone(), part))
                });
                parts.collect()
            }
        };
        all.into_iter()
    }

    fn root(&self) -> &Root {
        &self.options.root
    }
}

fn parts(fields: &mut Fields, errors: &mut Errors) -> Vec<Part> {
    let part = |(index, field): (usize, &mut Field)| {
        let options = FieldOptions::parse(&take(&mut field.attrs), errors);
        Part {
            names: field
                .ident
                .iter()
                .flat_map(|ident| names(ident, &options.was))
                .collect(),
            member: match &field.ident {
                Some(ident) => ident.clone().into(),
                None => index.into(),
            },
            ty: field.ty.clone(),
            options,
        }
    };
    fields.iter_mut().enumerate().map(part).collect()
}

/// Returns the present and the earlier names of an item in the data.
fn names(ident: &Ident, was: &[syn::LitStr]) -> Vec<String> {
    let was = was.iter().map(syn::LitStr::value);
    std::iter::once(ident.unraw().to_string())
        .chain(was)
        .collect()
}
