//! `#[live_data]`: the checks.
use super::options::number;
use super::{Body, LiveData, Part};
use crate::support::{Errors, owned};
use std::collections::HashSet;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Fields, Generics, Item, Member, Path, Token, Type};

/// Checks what can be seen before the options are parsed.
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
                    "an enum without variants has no values: add a variant",
                );
            }
            for variant in &item.variants {
                attributes(&variant.attrs, &mut errors);
                cfg(&variant.attrs, &mut errors);
                fields(&variant.fields, &mut errors);
            }
        }
        Item::Union(item) => {
            let text = "a union does not say which of its fields is valid: write an enum";
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
        errors.at(param, "live data cannot have generic parameters, since its name stands for one type: write a type for each use");
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(clause, "live data cannot have a `where` clause: remove it");
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
        errors.at(attr, "live data has the same fields in every build: remove the `cfg`, and make the field an `Option` if some builds have no value");
    }
}

/// Refuses attributes and derives of `serde`, which here writes and reads by names only.
fn attributes(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs {
        if attr.path().is_ident("serde") {
            errors.at(attr, "live data does not take `serde`'s attributes: `#[live_data(…)]` has `default`, `was`, and `skip`");
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

/// Checks the options and the fields.
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
        errors.at(name, "the name of a type cannot be empty");
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
                    errors.at(&part.ty, "the fields of a tuple are identified by their positions: give them names, in `{ … }`");
                }
            }
            (_, Some(skip)) if !part.options.was.is_empty() => {
                errors.at(
                    skip,
                    "a skipped field has no name in the data: remove `was`",
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

/// Refuses types whose values cannot outlive the code that made them.
struct Kept<'a> {
    errors: &'a mut Errors,
}

impl Visit<'_> for Kept<'_> {
    fn visit_type(&mut self, ty: &Type) {
        let text = match ty {
            Type::Reference(reference) => {
                format!("live data cannot borrow: write `{}`", owned(reference))
            }
            Type::Ptr(_) => "an address means nothing to another version: write `#[live_data(skip)]` on the field".into(),
            Type::FnPtr(_) => "a function is gone with the version that has it: keep its name instead, or write `#[live_data(skip)]` on the field".into(),
            Type::TraitObject(_) | Type::ImplTrait(_) => "the type to restore is not known: write an enum of the types, or `#[live_data(skip)]` on the field".into(),
            Type::Infer(_) => "write the type".into(),
            ty => return syn::visit::visit_type(self, ty),
        };
        self.errors.at(ty, text);
    }
}
