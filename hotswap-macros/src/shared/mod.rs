//! `#[shared]`: the parser and the checks.
mod generate;

use crate::support::{Errors, Root, check_owned, refuse_cfg};
use proc_macro2::TokenStream;
use syn::visit::Visit;
use syn::{Attribute, Fields, Generics, Ident, Item, Type, Variant};

/// Expands the attribute on an item.
pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let root = Root::only_or_default(options, &mut errors);
    let item: Item = syn::parse2(item)?;
    let shared = match Shared::parse(&item) {
        Ok(shared) => shared,
        Err(error) => {
            errors.push(error);
            return errors.beside(TokenStream::new);
        }
    };
    shared.check(&mut errors);
    errors.beside(|| generate::shared(&root, &shared, &item))
}

/// A type to be shared.
struct Shared<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    attrs: &'a [Attribute],
    body: Body<'a>,
}

enum Body<'a> {
    Struct(&'a Fields),
    Enum(Vec<&'a Variant>),
}

impl<'a> Shared<'a> {
    fn parse(item: &'a Item) -> syn::Result<Self> {
        let (ident, generics, attrs, body) = match item {
            Item::Struct(item) => (
                &item.ident,
                &item.generics,
                &item.attrs,
                Body::Struct(&item.fields),
            ),
            Item::Enum(item) => (
                &item.ident,
                &item.generics,
                &item.attrs,
                Body::Enum(item.variants.iter().collect()),
            ),
            Item::Union(item) => {
                return Err(syn::Error::new_spanned(
                    item.union_token,
                    "a union does not say which of its fields is valid: write an enum",
                ));
            }
            Item::Trait(item) => {
                return Err(syn::Error::new_spanned(
                    item.trait_token,
                    "`#[shared]` is for structs and enums: write `#[interface]` on a trait",
                ));
            }
            item => {
                return Err(syn::Error::new_spanned(
                    item,
                    "`#[shared]` is for structs and enums",
                ));
            }
        };
        Ok(Shared {
            ident,
            generics,
            attrs,
            body,
        })
    }

    /// Returns the types of all fields.
    fn types(&self) -> impl Iterator<Item = &'a Type> {
        let fields: Vec<&Fields> = match &self.body {
            Body::Struct(fields) => vec![fields],
            Body::Enum(variants) => variants.iter().map(|variant| &variant.fields).collect(),
        };
        fields.into_iter().flatten().map(|field| &field.ty)
    }

    fn check(&self, errors: &mut Errors) {
        for param in &self.generics.params {
            errors.at(
                param,
                "a shared type cannot have generic parameters, since both sides must agree on one layout: write a type for each use",
            );
        }
        if let Some(clause) = &self.generics.where_clause {
            errors.at(
                clause,
                "a shared type cannot have a `where` clause: remove it",
            );
        }
        match &self.body {
            Body::Struct(fields) => self.check_fields(fields, errors),
            Body::Enum(variants) => {
                if variants.is_empty() {
                    errors.at(
                        self.ident,
                        "an enum without variants has no values: add a variant",
                    );
                }
                for variant in variants {
                    refuse_cfg(&variant.attrs, "variant of a shared enum", errors);
                    self.check_fields(&variant.fields, errors);
                }
            }
        }
    }

    fn check_fields(&self, fields: &Fields, errors: &mut Errors) {
        for field in fields {
            refuse_cfg(&field.attrs, "field of a shared type", errors);
            check_owned(&field.ty, "a field", errors);
            let mut recursion = Recursion {
                ident: self.ident,
                errors,
            };
            recursion.visit_type(&field.ty);
        }
    }
}

/// Refuses a field whose type refers to the type that contains it.
struct Recursion<'a> {
    ident: &'a Ident,
    errors: &'a mut Errors,
}

impl Visit<'_> for Recursion<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        let own = path
            .get_ident()
            .filter(|ident| *ident == self.ident || *ident == "Self");
        if let Some(ident) = own {
            self.errors.at(
                ident,
                "a shared type cannot contain itself: put the items into one `Vec`, and let them refer to each other by index",
            );
        }
        syn::visit::visit_path(self, path);
    }
}
