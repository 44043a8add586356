//! `#[patch]`: functions that the host calls in the place of those of other plugins.
use super::health::is_health;
use super::hooks::{is_hook, is_invoke};
use super::smoke::is_smoke;
use crate::support::{Errors, json, unknown_option};
use syn::{Attribute, ImplItemFn, LitStr, Meta};

/// The function that another one stands for.
pub struct Patched {
    plugin: LitStr,
    function: LitStr,
}

/// Returns true if the attribute marks a patch.
pub fn is_patch(attr: &Attribute) -> bool {
    attr.path().is_ident("patch")
}

impl Patched {
    /// Returns the function that the method stands for, if it is a patch, and checks its form.
    pub fn of(method: &ImplItemFn, errors: &mut Errors) -> Option<Self> {
        let mut attrs = method.attrs.iter().filter(|attr| is_patch(attr));
        let attr = attrs.next()?;
        if let Some(second) = attrs.next() {
            errors.at(
                second,
                "a function stands for one other function: write a second function",
            );
        }
        let name = &method.sig.ident;
        let has = |is: fn(&Attribute) -> bool| method.attrs.iter().any(is);
        if has(is_invoke) {
            errors.at(
                name,
                "a patch can be called by its name, too: remove `#[invoke]`",
            );
        }
        if (has(is_smoke) || has(is_health)) && !is_hook(name) {
            errors.at(
                name,
                "a smoke test and a health check are only called by the host: remove `#[patch]`",
            );
        }
        let (mut plugin, mut function): (Option<LitStr>, Option<LitStr>) = (None, None);
        let parsed = match attr.meta {
            Meta::List(_) => attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("plugin") {
                    plugin = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("function") {
                    function = Some(meta.value()?.parse()?);
                } else {
                    let known = "`plugin = \"…\"` and `function = \"…\"`";
                    return Err(unknown_option(&meta, known));
                }
                Ok(())
            }),
            _ => Ok(()),
        };
        if let Err(error) = parsed {
            errors.push(error);
            return None;
        }
        let (Some(plugin), Some(function)) = (plugin, function) else {
            errors.at(
                attr,
                "say which function it stands for: write `#[patch(plugin = \"world\", function = \"hum\")]`",
            );
            return None;
        };
        if function.value().contains("::") {
            errors.at(
                &function,
                "a method of an interface is patched by the host: see `Swapper::patch`",
            );
        }
        for text in [&plugin, &function] {
            if text.value().is_empty() {
                errors.at(text, "a name is not empty");
            }
        }
        Some(Patched { plugin, function })
    }

    /// Reports functions that stand for the same one.
    pub fn check_all(all: &[Option<Self>], errors: &mut Errors) {
        let all: Vec<_> = all.iter().flatten().collect();
        for (number, one) in all.iter().enumerate() {
            let same = |other: &&&Patched| {
                let plugins = [&one.plugin, &other.plugin].map(LitStr::value);
                let functions = [&one.function, &other.function].map(LitStr::value);
                plugins[0] == plugins[1] && functions[0] == functions[1]
            };
            if all[..number].iter().any(|other| same(&other)) {
                let (plugin, function) = (one.plugin.value(), one.function.value());
                let text = format!(
                    "another function of this plugin stands for {plugin}.{function} already"
                );
                errors.at(&one.function, text);
            }
        }
    }

    /// Its part of the metadata.
    pub fn metadata(&self) -> String {
        let [plugin, function] = [&self.plugin, &self.function].map(|text| json(&text.value()));
        format!(r#","patch":{{"plugin":"{plugin}","function":"{function}"}}"#)
    }
}
