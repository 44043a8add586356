//! `#[health]`: checks of a plugin's health, which the host runs while the plugin is live.
use super::hooks::{is_hook, is_invoke, is_named, is_result};
use super::smoke::is_plain;
use crate::support::Errors;
use syn::{Attribute, ImplItemFn, Meta, ReturnType};

/// Returns true if the attribute marks a health check.
pub fn is_health(attr: &Attribute) -> bool {
    attr.path().is_ident("health")
}

/// Returns true if the method is a health check, and checks its form.
pub fn check(method: &ImplItemFn, errors: &mut Errors) -> bool {
    let Some(attr) = method.attrs.iter().find(|attr| is_health(attr)) else {
        return false;
    };
    if !matches!(attr.meta, Meta::Path(_)) {
        errors.at(
            attr,
            "`#[health]` has no options: the host says how often the check runs, and what follows from it",
        );
    }
    let sig = &method.sig;
    if method.attrs.iter().any(is_invoke) {
        let text = "a health check is only called by the host: remove `#[invoke]` or `#[health]`";
        errors.at(&sig.ident, text);
    }
    let returns_health = match &sig.output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_result(&sig.output) || is_named(ty, "Health"),
    };
    let is_right = returns_health && is_plain(method);
    // Hooks have a message of their own.
    if !(is_right || is_hook(&sig.ident)) {
        let text = format!(
            "write this health check as `fn {}(&self) -> Result<(), String>` or `fn {0}(&self) -> Health`",
            sig.ident
        );
        errors.at(&sig.ident, text);
    }
    true
}
