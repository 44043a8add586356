//! `#[live_data]`: what is refused.
use super::options::number;
use super::{Body, LiveData, Part};
use crate::support::{Errors, owned};
use std::collections::HashSet;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Fields, Generics, Item, Member, Path, Token, Type};

/// What can be seen before the options are parsed.
pub fn item(item: &Item) -> syn::Result<Errors> {
    let mut errors = Errors::default();
    match item {
        Item::Struct(item) => {
            generics(&item.generics, &mut errors);
            attributes(&item.attrs, &mut errors);
            fields(&item.fields, &mut errors);
        }
        Item::Enum(item) => {
            generics(&item.generics, &mut errors);
            attributes(&item.attrs, &mut errors);
            if item.variants.is_empty() {
                errors.at(
                    &item.ident,
                    "a value of an enum without variants cannot exist: add a variant",
                );
            }
            for variant in &item.variants {
                attributes(&variant.attrs, &mut errors);
                cfg(&variant.attrs, &mut errors);
                fields(&variant.fields, &mut errors);
            }
        }
        Item::Union(item) => {
            let text = "nobody can tell which field of a union is the right one: write an enum";
            return Err(syn::Error::new_spanned(item.union_token, text));
        }
        item => {
            let text = "`#[live_data]` is for structs and enums";
            return Err(syn::Error::new_spanned(item, text));
        }
    }
    Ok(errors)
}

fn generics(generics: &Generics, errors: &mut Errors) {
    for param in &generics.params {
        errors.at(param, "live data has no parameters, since its name says all of its type: write a type for each use");
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(
            clause,
            "live data has no parameters, and so no conditions: remove this",
        );
    }
}

fn fields(fields: &Fields, errors: &mut Errors) {
    for field in fields {
        attributes(&field.attrs, errors);
        cfg(&field.attrs, errors);
    }
}

fn cfg(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        errors.at(attr, "live data has the same fields in every build: remove the `cfg`, and make the field an `Option` where some builds have no value");
    }
}

/// `serde` writes and reads by names here, and nothing else.
fn attributes(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs {
        if attr.path().is_ident("serde") {
            errors.at(attr, "live data is written in one way only: `#[live_data(…)]` has `default`, `was` and `skip`");
        }
        if attr.path().is_ident("derive")
            && let Ok(traits) =
                attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            let last = |path: &&Path| {
                path.segments
                    .last()
                    .is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize")
            };
            for path in traits.iter().filter(last) {
                errors.at(path, "`#[live_data]` derives this: remove it here");
            }
        }
    }
}

/// What is wrong with the options and the fields.
pub fn all(live: &LiveData, errors: &mut Errors) {
    let version = live.options.version();
    let mut seen = HashSet::new();
    for step in &live.options.steps {
        match (number(&step.from), &version) {
            (Err(error), _) => errors.push(error),
            (Ok(from), Ok(version)) if from >= *version => errors.at(
                &step.from,
                format!("the type has version {version}: a migration from {from} to {} is for `version = {}`", from + 1, from + 1),
            ),
            (Ok(from), _) if !seen.insert(from) => {
                errors.at(&step.from, format!("there is a migration from {from} already"));
            }
            _ => {}
        }
    }
    if let Err(error) = version {
        errors.push(error);
    }
    if let Some(name) = &live.options.name
        && name.value().is_empty()
    {
        errors.at(name, "a type has a name");
    }
    match &live.body {
        Body::Struct(fields) => parts(fields, errors),
        Body::Enum(variants) => {
            if let Some(word) = &live.options.default {
                errors.at(
                    word,
                    "the variants of an enum have no fields in common: write `default` on fields",
                );
            }
            let names = variants
                .iter()
                .flat_map(|variant| variant.names.iter().map(|name| (&variant.ident, name)));
            let mut seen = HashSet::new();
            for (ident, name) in names {
                if !seen.insert(name) {
                    errors.at(ident, format!("two variants are, or were, called `{name}`"));
                }
            }
            variants
                .iter()
                .for_each(|variant| parts(&variant.fields, errors));
        }
    }
}

fn parts(parts: &[Part], errors: &mut Errors) {
    let mut seen = HashSet::new();
    for part in parts {
        if part.options.skip.is_none() {
            Kept { errors }.visit_type(&part.ty);
        }
        match (&part.member, &part.options.skip) {
            (Member::Unnamed(_), _) => {
                if !part.options.is_empty() {
                    errors.at(&part.ty, "the fields of a tuple are known by their place: give them names, in `{ … }`");
                }
            }
            (_, Some(skip)) if !part.options.was.is_empty() => {
                errors.at(
                    skip,
                    "a field that is not in the data has no earlier name there: remove `was`",
                );
            }
            (_, Some(_)) => {}
            (Member::Named(ident), None) => {
                for name in &part.names {
                    if !seen.insert(name) {
                        errors.at(ident, format!("two fields are, or were, called `{name}`"));
                    }
                }
            }
        }
    }
}

/// Refuses types whose values end with the code that made them.
struct Kept<'a> {
    errors: &'a mut Errors,
}

impl Visit<'_> for Kept<'_> {
    fn visit_type(&mut self, ty: &Type) {
        let text = match ty {
            Type::Reference(reference) => {
                format!("live data owns what it holds: write `{}`", owned(reference))
            }
            Type::Ptr(_) => "an address means nothing to another version: write `#[live_data(skip)]` on the field".into(),
            Type::FnPtr(_) => "a function goes with the version that has it: keep its name, or write `#[live_data(skip)]` on the field".into(),
            Type::TraitObject(_) | Type::ImplTrait(_) => "nobody can tell what type to restore: write an enum of the types, or `#[live_data(skip)]` on the field".into(),
            Type::Infer(_) => "write the type".into(),
            ty => return syn::visit::visit_type(self, ty),
        };
        self.errors.at(ty, text);
    }
}
