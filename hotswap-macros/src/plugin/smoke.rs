//! `#[smoke]`: tests that a plugin brings along.
use super::hooks::{is_hook, is_invoke, is_result, params};
use crate::support::Errors;
use syn::{Attribute, Ident, ImplItemFn, Meta, ReturnType};

/// The time at which a smoke test runs.
#[derive(Clone, Copy)]
pub enum SmokeTime {
    /// Before each reload, on an instance that is thrown away.
    Staged,
    /// Behind the gate, on the instance that has just received the state.
    Restored,
    /// Only where time does not matter.
    Deep,
}

/// Returns true if the attribute marks a smoke test.
pub fn is_smoke(attr: &Attribute) -> bool {
    attr.path().is_ident("smoke")
}

/// Returns true if the method only takes `&self` and is not `async`.
pub fn is_plain(method: &ImplItemFn) -> bool {
    let sig = &method.sig;
    let shared = sig
        .receiver()
        .is_some_and(|receiver| receiver.mutability.is_none());
    sig.asyncness.is_none() && shared && params(method).next().is_none()
}

impl SmokeTime {
    /// Returns the time if the method is a smoke test, and checks its form.
    pub fn of(method: &ImplItemFn, errors: &mut Errors) -> Option<Self> {
        let attr = method.attrs.iter().find(|attr| is_smoke(attr))?;
        let time = match &attr.meta {
            Meta::Path(_) => Some(SmokeTime::Staged),
            Meta::List(_) => attr.parse_args::<Ident>().ok().and_then(|name| {
                let all = [SmokeTime::Restored, SmokeTime::Deep];
                all.into_iter().find(|time| name == time.name())
            }),
            Meta::NameValue(_) => None,
        };
        if time.is_none() {
            errors.at(
                attr,
                "write `#[smoke]`, `#[smoke(restored)]`, or `#[smoke(deep)]`",
            );
        }
        let sig = &method.sig;
        if method.attrs.iter().any(is_invoke) {
            let text = "a smoke test is only called by the host: remove `#[invoke]` or `#[smoke]`";
            errors.at(&sig.ident, text);
        }
        let unit = matches!(sig.output, ReturnType::Default) || is_result(&sig.output);
        let right = unit && is_plain(method);
        if !is_hook(&sig.ident) && !right {
            let text = format!(
                "write this smoke test as `fn {}(&self)` or `fn {0}(&self) -> Result<(), String>`",
                sig.ident
            );
            errors.at(&sig.ident, text);
        }
        time
    }

    /// The name in the attribute and in the metadata.
    pub fn name(self) -> &'static str {
        match self {
            SmokeTime::Staged => "staged",
            SmokeTime::Restored => "restored",
            SmokeTime::Deep => "deep",
        }
    }
}
