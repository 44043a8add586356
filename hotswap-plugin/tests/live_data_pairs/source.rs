//! The program that saves and restores, as source text.
use crate::expect::{Expected, overlay_def, restore_def, save_def};
use crate::types::{Def, Field, Maker, Ty, Val};
use std::fmt::Write;

/// The functions that the pairs share.
const HEAD: &str = r#"//! Generated.
#![allow(dead_code, unused_imports, clippy::all)]
use hotswap_plugin::prelude::*;
use hotswap_plugin::LiveDataError;
use std::fmt::Debug;

fn compare<T: PartialEq + Debug>(what: &str, found: Result<T, LiveDataError>, expected: Result<T, &str>) {
    let fits = match (&found, &expected) {
        (Ok(found), Ok(expected)) => found == expected,
        (Err(error), Err(path)) => error.path() == Some(*path),
        _ => false,
    };
    if !fits {
        println!("{what}\n  found    {found:?}\n  expected {expected:?}");
    }
}
"#;

/// What the program does with all pairs.
#[derive(Default)]
pub struct Program {
    text: String,
    pairs: usize,
    pub restored: usize,
    pub refused: usize,
}

impl Program {
    /// Adds a type, a later version of it, and some values.
    pub fn add(&mut self, maker: &mut Maker) {
        let before = maker.defs();
        let later = maker.later(&before);
        let (Some(old), Some(new)) = (before.last(), later.last()) else {
            return;
        };
        let (pair, root) = (self.pairs, before.len() - 1);
        self.pairs += 1;
        let mut body = String::new();
        for case in 0..4 {
            let value = maker.value_of(old, &before);
            let target = maker.value_of(new, &later);
            let data = save_def(&value, old, &before);
            let restored = restore_def(&data, new, &later);
            let overlaid = overlay_def(&target, &data, new, &later);
            match restored {
                Ok(_) => self.restored += 1,
                Err(_) => self.refused += 1,
            }
            let (value, target) = (
                literal(&value, &Ty::Def(root), &before, "a"),
                literal(&target, &Ty::Def(root), &later, "b"),
            );
            let expected = |expected: &Expected| match expected {
                Ok(value) => format!("Ok({})", literal(value, &Ty::Def(root), &later, "b")),
                Err(path) => format!("Err({path:?})"),
            };
            let (restored, overlaid) = (expected(&restored), expected(&overlaid));
            let _ = write!(
                body,
                "
        let data = LiveData::save(&{value}).unwrap();
        let data = LiveData::from_bytes(data.as_bytes()).unwrap();
        crate::compare(\"pair {pair}, value {case}\", data.restore::<b::T{root}>(), {restored});
        let (mut target, before) = ({target}, {target});
        let into = data.restore_into(&mut target);
        if into.is_err() {{
            assert_eq!(target, before, \"pair {pair}, value {case}, after an error\");
        }}
        crate::compare(\"pair {pair}, value {case}, into {{before:?}}\", into.map(|()| target), {overlaid});
"
            );
        }
        let (a, b) = (module(&before), module(&later));
        let _ = write!(
            self.text,
            "
mod pair_{pair} {{
    use hotswap_plugin::prelude::*;
    pub mod a {{{a}    }}
    pub mod b {{{b}    }}
    pub fn check() {{{body}    }}
}}
"
        );
    }

    /// The whole program.
    pub fn text(&self) -> String {
        let calls: String = (0..self.pairs)
            .map(|pair| format!("    pair_{pair}::check();\n"))
            .collect();
        format!("{HEAD}{}\nfn main() {{\n{calls}}}\n", self.text)
    }
}

fn module(defs: &[Def]) -> String {
    let mut text =
        "\n        use hotswap_plugin::prelude::*;\n        use std::collections::BTreeMap;\n"
            .to_owned();
    for (number, def) in defs.iter().enumerate() {
        let (keyword, body, end) = match def {
            Def::Enum(variants) => {
                let variants = variants.iter().map(|variant| {
                    let was: String = variant
                        .was
                        .iter()
                        .map(|was| format!("#[live_data(was = {was:?})] "))
                        .collect();
                    let content = variant
                        .content
                        .as_ref()
                        .map(|def| content(def, defs, ""))
                        .unwrap_or_default();
                    format!("{was}{}{content}, ", variant.name)
                });
                (
                    "enum",
                    format!(" {{ {}}}", variants.collect::<String>()),
                    "",
                )
            }
            Def::Struct(_) => ("struct", content(def, defs, "pub "), ""),
            _ => ("struct", content(def, defs, "pub "), ";"),
        };
        let _ = write!(
            text,
            "        #[live_data]\n        #[derive(Clone, Debug, PartialEq)]\n        pub {keyword} T{number}{body}{end}\n"
        );
    }
    text
}

/// The fields of a struct or a variant.
fn content(def: &Def, defs: &[Def], public: &str) -> String {
    match def {
        Def::Unit => String::new(),
        Def::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let Field {
                    name,
                    was,
                    default,
                    skip,
                    ty: of,
                } = field;
                let mut options: Vec<_> = was.iter().map(|was| format!("was = {was:?}")).collect();
                options.extend(
                    default
                        .iter()
                        .map(|value| format!("default = {}", literal(value, of, defs, "self"))),
                );
                options.extend(skip.then(|| "skip".to_owned()));
                let options = match options.is_empty() {
                    true => String::new(),
                    false => format!("#[live_data({})] ", options.join(", ")),
                };
                format!("{options}{public}{name}: {}, ", ty(of))
            });
            format!(" {{ {}}}", fields.collect::<String>())
        }
        Def::Tuple(tys) => {
            let tys = tys.iter().map(|of| format!("{public}{}, ", ty(of)));
            format!("({})", tys.collect::<String>())
        }
        Def::Enum(_) => unreachable!("an enum is in no variant"),
    }
}

fn ty(of: &Ty) -> String {
    match of {
        Ty::Int(name, ..) => (*name).to_owned(),
        Ty::F32 => "f32".to_owned(),
        Ty::F64 => "f64".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Char => "char".to_owned(),
        Ty::Str => "String".to_owned(),
        Ty::Unit => "()".to_owned(),
        Ty::Option(of) => format!("Option<{}>", ty(of)),
        Ty::Boxed(of) => format!("Box<{}>", ty(of)),
        Ty::Vec(of) => format!("Vec<{}>", ty(of)),
        Ty::Array(of, len) => format!("[{}; {len}]", ty(of)),
        Ty::Tuple(all) => format!(
            "({})",
            all.iter().map(|of| ty(of) + ", ").collect::<String>()
        ),
        Ty::Map(true, of) => format!("BTreeMap<String, {}>", ty(of)),
        Ty::Map(false, of) => format!("BTreeMap<u16, {}>", ty(of)),
        Ty::Def(number) => format!("T{number}"),
    }
}

/// A value as an expression. `module` is where the definitions are.
fn literal(value: &Val, of: &Ty, defs: &[Def], module: &str) -> String {
    let all = |items: &[Val], of: &Ty| -> String {
        items
            .iter()
            .map(|item| literal(item, of, defs, module) + ", ")
            .collect()
    };
    match (value, of) {
        (value, Ty::Boxed(of)) => format!("Box::new({})", literal(value, of, defs, module)),
        (Val::Int(number), Ty::Int(name, ..)) => format!("{number}{name}"),
        (Val::Int(number), _) => format!("{number}"),
        (Val::Large(number), _) => format!("{number}u128"),
        (Val::Float(number), Ty::F32) => format!("{:?}f32", *number as f32),
        (Val::Float(number), _) => format!("{number:?}f64"),
        (Val::Bool(yes), _) => yes.to_string(),
        (Val::Char(char), _) => format!("{char:?}"),
        (Val::Str(text), _) => format!("String::from({text:?})"),
        (Val::Unit, _) => "()".to_owned(),
        (Val::Option(None), _) => "None".to_owned(),
        (Val::Option(Some(value)), Ty::Option(of)) => {
            format!("Some({})", literal(value, of, defs, module))
        }
        (Val::Items(items), Ty::Vec(of)) => format!("vec![{}]", all(items, of)),
        (Val::Items(items), Ty::Array(of, _)) => format!("[{}]", all(items, of)),
        (Val::Items(items), Ty::Tuple(tys)) => format!("({})", each(items, tys, defs, module)),
        (Val::Map(entries), Ty::Map(_, of)) => {
            let entry = |(key, value): &(Val, Val)| {
                let key = literal(key, &Ty::Unit, defs, module);
                format!("({key}, {}), ", literal(value, of, defs, module))
            };
            let entries: String = entries.iter().map(entry).collect();
            format!("std::collections::BTreeMap::from([{entries}])")
        }
        (value, Ty::Def(number)) => {
            let path = format!("{module}::T{number}");
            match (value, &defs[*number]) {
                (Val::Variant(index, content), Def::Enum(variants)) => {
                    let variant = &variants[*index];
                    let path = format!("{path}::{}", variant.name);
                    match (content, &variant.content) {
                        (Some(value), Some(def)) => path + &fields(value, def, defs, module),
                        _ => path,
                    }
                }
                (value, def) => path + &fields(value, def, defs, module),
            }
        }
        other => unreachable!("{other:?}"),
    }
}

fn fields(value: &Val, def: &Def, defs: &[Def], module: &str) -> String {
    match (value, def) {
        (Val::Items(items), Def::Struct(fields)) => {
            let fields = fields.iter().zip(items).map(|(field, item)| {
                format!(
                    "{}: {}, ",
                    field.name,
                    literal(item, &field.ty, defs, module)
                )
            });
            format!(" {{ {}}}", fields.collect::<String>())
        }
        (Val::Items(items), Def::Tuple(tys)) => format!("({})", each(items, tys, defs, module)),
        _ => String::new(),
    }
}

fn each(items: &[Val], tys: &[Ty], defs: &[Def], module: &str) -> String {
    let each = items.iter().zip(tys);
    each.map(|(item, of)| literal(item, of, defs, module) + ", ")
        .collect()
}
