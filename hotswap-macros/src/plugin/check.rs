//! `#[plugin]`: the checks.
use super::hooks::{is_hook, is_invoke};
use super::patch::is_patch;
use super::smoke::is_smoke;
use crate::call::{Call, check_count};
use crate::support::{Errors, refuse_cfg};
use syn::{Attribute, ImplItemFn, ItemImpl};

/// Checks the `impl` as a whole.
pub fn item(item: &ItemImpl, errors: &mut Errors) {
    if let Some((path, _)) = &item.trait_ {
        errors.at(
            path,
            "write `#[plugin]` on the `impl` without a trait, and the name of the trait in `#[plugin(exports(…))]`",
        );
    }
    for param in &item.generics.params {
        errors.at(
            param,
            "a plugin cannot have generic parameters, since the host makes one instance of one type",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a plugin cannot have a `where` clause: remove it");
    }
}

/// Checks a function with `#[invoke]`, `#[patch]`, `#[smoke]`, or `#[health]`.
pub fn function<'a>(method: &'a ImplItemFn, errors: &mut Errors) -> Call<'a> {
    let sig = &method.sig;
    for attr in method.attrs.iter().filter(|attr| is_invoke(attr)) {
        if !matches!(attr.meta, syn::Meta::Path(_)) {
            errors.at(
                attr,
                "`#[invoke]` has no options: the name is that of the function",
            );
        }
    }
    if is_hook(&sig.ident) {
        errors.at(
            &sig.ident,
            "this is a hook, which only the host calls: remove the attribute, or rename the function",
        );
    }
    let has = |is: fn(&Attribute) -> bool| method.attrs.iter().any(is);
    let what = match (has(is_invoke), has(is_patch), has(is_smoke)) {
        (true, ..) => "function with `#[invoke]`",
        (_, true, _) => "function with `#[patch]`",
        (.., true) => "function with `#[smoke]`",
        (false, false, false) => "function with `#[health]`",
    };
    refuse_cfg(&method.attrs, what, errors);
    check_count(sig, errors);
    Call::parse(sig, errors)
}
