//! Messages for libraries that were built with different versions of something: at most six lines, with both sides, the
//! place, the two types, and the remedy.
use crate::boundary::describe::{
    ExtensionDesc, FieldDesc, FunctionDesc, InterfaceDesc, Kind, ParamDesc, TypeDesc, Written, same,
};
use std::fmt;

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party<'a> {
    /// The host.
    Host,
    /// The plugin of this name.
    Plugin(&'a str),
}

impl fmt::Display for Party<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Host => f.write_str("the host"),
            Party::Plugin(name) => f.write_str(name),
        }
    }
}

/// Compares the interface that `need` imports with the one that `have` provides. Returns `None` if they are equal.
pub fn interface(
    need: (Party<'_>, &InterfaceDesc),
    have: (Party<'_>, &InterfaceDesc),
) -> Option<String> {
    let ((importer, a), (exporter, b)) = (need, have);
    let difference = interfaces(a, b)?;
    let head = format!(
        "{importer} cannot use {} of {exporter}: they were built with different versions of it",
        a.name
    );
    Some(difference.say(&head, importer, exporter))
}

/// Compares the signature of a function of `plugin` with the one that `caller` has. Returns `None` if they are equal.
pub fn function(
    caller: Party<'_>,
    plugin: &str,
    params: &[ParamDesc],
    result: &TypeDesc,
    have: &FunctionDesc,
) -> Option<String> {
    let name = have.name.as_str();
    let want = Written {
        name,
        params,
        result,
    };
    let has = Written {
        name,
        params: have.params.as_slice(),
        result: have.result,
    };
    let difference = functions(&want, &has)?;
    let head = format!("{caller} cannot call {name} of {plugin}: the signatures differ");
    Some(difference.say(&head, caller, Party::Plugin(plugin)))
}

/// Compares the signature of a patch of the host with that of the function or method that it is for, as parameters and
/// result. Returns `None` if they are equal.
pub fn patch(
    plugin: &str,
    name: &str,
    need: (&[ParamDesc], &TypeDesc),
    have: (&[ParamDesc], &TypeDesc),
) -> Option<String> {
    let written = |(params, result)| Written {
        name,
        params,
        result,
    };
    let difference = functions(&written(need), &written(have))?;
    let head = format!("the host cannot patch {name} of {plugin}: the signatures differ");
    let text = difference.places(&head, "the patch", plugin);
    Some(text + "  write the signature that the plugin has")
}

/// Compares an extension of the host with the version of `plugin`, which fills slots of it. Returns `None` if they are
/// equal.
pub fn extension(plugin: &str, need: &ExtensionDesc, have: &ExtensionDesc) -> Option<String> {
    let difference = extensions(need, have)?;
    let head = format!(
        "{plugin} cannot extend {} of the host: they were built with different versions of it",
        need.name
    );
    Some(difference.say(&head, Party::Plugin(plugin), Party::Host))
}

/// Compares the type of a value of the host with the type as which `plugin` reads it. Returns `None` if they are equal.
pub fn value(what: &str, plugin: &str, need: &TypeDesc, have: &TypeDesc) -> Option<String> {
    let difference = types(what, need, have)?;
    let head = format!("{plugin} cannot read the {what} of the host: the types differ");
    Some(difference.say(&head, Party::Plugin(plugin), Party::Host))
}

/// The first place where two descriptions differ, and how.
#[derive(Default)]
struct Difference {
    /// The place is a parameter of the type around it, and the message should show that type instead.
    inside: bool,
    method: String,
    path: Vec<String>,
    need: String,
    have: String,
}

impl Difference {
    fn here(need: String, have: String) -> Self {
        Difference {
            need,
            have,
            ..Difference::default()
        }
    }

    /// Returns the message without the remedy.
    fn places(&self, head: &str, needs: impl fmt::Display, has: impl fmt::Display) -> String {
        let mut text = format!("{head}\n");
        if !self.method.is_empty() {
            text += &format!("  {}\n", self.method);
        }
        if !self.path.is_empty() {
            text += &format!("  in {}\n", self.path.join(", "));
        }
        let (expects, provides) = (format!("{needs} expects"), format!("{has} has"));
        let width = expects.len().max(provides.len());
        text += &format!(
            "  {expects:width$} {}\n  {provides:width$} {}\n",
            self.need, self.have
        );
        text
    }

    fn say(&self, head: &str, needs: Party<'_>, has: Party<'_>) -> String {
        self.places(head, needs, has)
            + &match (needs, has) {
                (Party::Plugin(a), Party::Plugin(b)) if a == b => {
                    "  write the signature that the plugin has".into()
                }
                (Party::Plugin(a), Party::Plugin(b)) => {
                    format!("  build both again: cargo hotswap build -p {a} -p {b}")
                }
                (Party::Plugin(name), Party::Host) | (Party::Host, Party::Plugin(name)) => {
                    format!("  build the plugin again, and the host: cargo hotswap build -p {name}")
                }
                (Party::Host, Party::Host) => "  build the host again".into(),
            }
    }
}

fn interfaces(a: &InterfaceDesc, b: &InterfaceDesc) -> Option<Difference> {
    if a.same(b) {
        return None;
    }
    Some(if (a.name, a.origin) != (b.name, b.origin) {
        let whole = |d: &InterfaceDesc| format!("{} of the crate {}", d.name, d.origin);
        Difference::here(whole(a), whole(b))
    } else {
        methods(a, b)
    })
}

fn methods(a: &InterfaceDesc, b: &InterfaceDesc) -> Difference {
    // A changed method says more than a changed list, so compare the methods first.
    for method in a.methods {
        let Some(other) = b.methods.iter().find(|other| other.name == method.name) else {
            continue;
        };
        let need = Written {
            name: method.name.as_str(),
            params: method.params.as_slice(),
            result: method.result,
        };
        let have = Written {
            name: other.name.as_str(),
            params: other.params.as_slice(),
            result: other.result,
        };
        if let Some(mut difference) = functions(&need, &have) {
            difference.method = format!("{}::{}", a.name, method.name);
            return difference;
        }
    }
    let names =
        |d: &InterfaceDesc| -> Vec<_> { d.methods.iter().map(|m| m.name.as_str()).collect() };
    lists("method", &names(a), &names(b))
}

fn extensions(a: &ExtensionDesc, b: &ExtensionDesc) -> Option<Difference> {
    if a.same(b) {
        return None;
    }
    if (a.name, a.origin) != (b.name, b.origin) {
        let whole = |d: &ExtensionDesc| format!("{} of the crate {}", d.name, d.origin);
        return Some(Difference::here(whole(a), whole(b)));
    }
    // A changed slot says more than a changed list.
    let changed = a.slots.iter().find_map(|slot| {
        let other = b.slots.iter().find(|other| other.name == slot.name)?;
        let mut difference = interfaces(slot.interface, other.interface)?;
        difference.path.insert(0, format!("slot {}", slot.name));
        Some(difference)
    });
    let names = |d: &ExtensionDesc| -> Vec<_> { d.slots.iter().map(|s| s.name.as_str()).collect() };
    Some(changed.unwrap_or_else(|| lists("slot", &names(a), &names(b))))
}

/// Compares two lists of names. `what` is the word for one item.
fn lists(what: &str, need: &[&str], have: &[&str]) -> Difference {
    let only = |these: &[&str], those: &[&str]| {
        let only: Vec<_> = these
            .iter()
            .filter(|name| !those.contains(name))
            .copied()
            .collect();
        match only[..] {
            [] => format!("no other {what}"),
            [name] => format!("the {what} {name}"),
            _ => format!("the {what}s {}", only.join(", ")),
        }
    };
    let reordered = need.iter().all(|name| have.contains(name)) && need.len() == have.len();
    if reordered {
        Difference::here(
            format!("the order {}", need.join(", ")),
            format!("the order {}", have.join(", ")),
        )
    } else {
        Difference::here(only(need, have), only(have, need))
    }
}

fn functions(need: &Written<'_>, have: &Written<'_>) -> Option<Difference> {
    let (a, b) = (need.result.of_later(), have.result.of_later());
    if need.params.len() != have.params.len() || a.is_some() != b.is_some() {
        return Some(Difference::here(need.to_string(), have.to_string()));
    }
    let params = need
        .params
        .iter()
        .zip(have.params)
        .enumerate()
        .find_map(|(i, (a, b))| {
            // The host's description of a function has no names of parameters.
            let name = [a.name.as_str(), b.name.as_str()]
                .into_iter()
                .find(|name| !name.is_empty());
            types(name.unwrap_or(&format!("parameter {}", i + 1)), a.ty, b.ty)
        });
    let results = (a.unwrap_or(need.result), b.unwrap_or(have.result));
    params.or_else(|| types("result", results.0, results.1))
}

/// Returns the deepest place where two types differ, since the differences around it follow from it. The parts of types
/// such as `Vec<…>` have no label.
fn types(label: &str, a: &TypeDesc, b: &TypeDesc) -> Option<Difference> {
    if same(a, b) {
        return None;
    }
    let labelled = |text: String| {
        if label.is_empty() {
            text
        } else {
            format!("{label}: {text}")
        }
    };
    let whole = |ty: &TypeDesc| labelled(ty.to_string());
    let here = || Difference {
        inside: label.is_empty(),
        ..Difference::here(whole(a), whole(b))
    };
    if (a.kind, a.name) != (b.kind, b.name) {
        return Some(here());
    }
    if a.origin != b.origin {
        let whole = |ty: &TypeDesc| labelled(format!("{ty} of the crate {}", ty.origin));
        return Some(Difference::here(whole(a), whole(b)));
    }
    if let (Some(x), Some(y)) = (a.interface, b.interface)
        && let Some(mut difference) = interfaces(x, y)
    {
        // The message names the outer method. The method of the object is part of the path.
        let method = std::mem::take(&mut difference.method);
        difference.path.insert(0, whole(a));
        if !method.is_empty() {
            difference.path.insert(1, method);
        }
        return Some(difference);
    }
    let declared = matches!(a.kind, Kind::Struct | Kind::Enum | Kind::Variant);
    if !declared && (a.count, a.parts.len()) != (b.count, b.parts.len()) {
        return Some(here());
    }
    for i in 0..a.parts.len().max(b.parts.len()) {
        let difference = match (a.parts.as_slice().get(i), b.parts.as_slice().get(i)) {
            (Some(x), Some(y)) if x.name == y.name => match types(x.name.as_str(), x.ty, y.ty) {
                // `Vec<u64>` says more than `u64`.
                Some(difference) if difference.inside => return Some(here()),
                Some(difference) => difference,
                None => continue,
            },
            (x, y) => Difference::here(part(x), part(y)),
        };
        let mut path = difference.path;
        if a.kind == Kind::Variant {
            path.insert(0, label.into());
        } else if !label.is_empty() {
            path.insert(0, whole(a));
        }
        return Some(Difference { path, ..difference });
    }
    let sized = |ty: &TypeDesc| {
        labelled(format!(
            "{ty} of {} bytes, aligned to {}",
            ty.size, ty.align
        ))
    };
    Some(Difference::here(sized(a), sized(b)))
}

fn part(part: Option<&FieldDesc>) -> String {
    match part {
        Some(part) if part.ty.kind == Kind::Variant => {
            format!("{} {}", part.name, part.ty).trim_end().into()
        }
        Some(part) => format!("{}: {}", part.name, part.ty),
        None => "nothing".into(),
    }
}
