//! `#[plugin]`: check.
use super::hooks::is_hook;
use super::is_invoke;
use crate::call::Call;
use crate::support::{Errors, refuse_cfg};
use syn::{FnArg, ImplItemFn, ItemImpl};

/// How many parameters a function may have: a call by handle has one trait for each number.
const PARAMS: usize = 8;

/// The `impl` as a whole.
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
            "a plugin is one type, of which the host makes one instance: it has no parameters",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(
            clause,
            "a plugin has no parameters, and so no conditions: remove this",
        );
    }
}

/// A function with `#[invoke]`.
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
            "this is a hook, which only the host calls: remove `#[invoke]`, or rename the function",
        );
    }
    refuse_cfg(&method.attrs, "function with `#[invoke]`", errors);
    let params = sig
        .inputs
        .iter()
        .filter(|input| matches!(input, FnArg::Typed(_)));
    if let Some(param) = params.into_iter().nth(PARAMS) {
        errors.at(
            param,
            format!("a function has up to {PARAMS} parameters: put some of them into a `#[shared]` struct"),
        );
    }
    Call::parse(sig, errors)
}
