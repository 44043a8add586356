//! What has to become of a value: said without any bytes, from what the documentation promises.
use crate::types::{Def, Field, Ty, Val, Variant};

/// What is saved of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A nil, with so many `Some` around it.
    Nil(usize),
    Bool(bool),
    Int(i128),
    Large(u128),
    Float(f64),
    Str(String),
    List(Vec<Data>),
    Map(Vec<(Data, Data)>),
}

/// A value, or the path to what does not fit.
pub type Expected = Result<Val, String>;

/// What is saved.
pub fn save(value: &Val, ty: &Ty, defs: &[Def]) -> Data {
    match (value, ty) {
        (Val::Int(number), _) => Data::Int(*number),
        (Val::Large(number), _) => Data::Large(*number),
        (Val::Float(number), _) => Data::Float(*number),
        (Val::Bool(yes), _) => Data::Bool(*yes),
        (Val::Char(char), _) => Data::Str(char.to_string()),
        (Val::Str(text), _) => Data::Str(text.clone()),
        (Val::Unit, _) | (Val::Option(None), _) => Data::Nil(0),
        (Val::Option(Some(value)), Ty::Option(ty)) => match save(value, ty, defs) {
            Data::Nil(depth) => Data::Nil(depth + 1),
            data => data,
        },
        (value, Ty::Boxed(ty)) => save(value, ty, defs),
        (Val::Items(items), Ty::Vec(ty) | Ty::Array(ty, _)) => {
            Data::List(items.iter().map(|item| save(item, ty, defs)).collect())
        }
        (Val::Items(items), Ty::Tuple(tys)) => list(items, tys, defs),
        (Val::Map(entries), Ty::Map(_, ty)) => {
            let entry =
                |(key, value): &(Val, Val)| (save(key, &Ty::Unit, defs), save(value, ty, defs));
            Data::Map(entries.iter().map(entry).collect())
        }
        (value, Ty::Def(number)) => save_def(value, &defs[*number], defs),
        other => unreachable!("{other:?}"),
    }
}

fn list(items: &[Val], tys: &[Ty], defs: &[Def]) -> Data {
    Data::List(
        items
            .iter()
            .zip(tys)
            .map(|(item, ty)| save(item, ty, defs))
            .collect(),
    )
}

pub fn save_def(value: &Val, def: &Def, defs: &[Def]) -> Data {
    match (value, def) {
        (_, Def::Unit) => Data::Map(Vec::new()),
        (Val::Items(items), Def::Struct(fields)) => {
            let kept = fields.iter().zip(items).filter(|(field, _)| !field.skip);
            let entry = |(field, item): (&Field, &Val)| {
                (Data::Str(field.name.clone()), save(item, &field.ty, defs))
            };
            Data::Map(kept.map(entry).collect())
        }
        (Val::Items(items), Def::Tuple(tys)) => match (&items[..], &tys[..]) {
            ([item], [ty]) => save(item, ty, defs),
            (items, tys) => list(items, tys, defs),
        },
        (Val::Variant(index, content), Def::Enum(variants)) => {
            let Variant {
                name, content: def, ..
            } = &variants[*index];
            let name = Data::Str(name.clone());
            match (content, def) {
                (Some(content), Some(def)) => Data::Map(vec![(name, save_def(content, def, defs))]),
                _ => name,
            }
        }
        other => unreachable!("{other:?}"),
    }
}

fn at(name: &str, path: &str) -> String {
    let dot = if path.is_empty() || path.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{name}{dot}{path}")
}

fn label(key: &Data) -> String {
    match key {
        Data::Str(name) => name.clone(),
        Data::Int(number) => format!("[{number}]"),
        other => unreachable!("{other:?}"),
    }
}

/// What is restored.
pub fn restore(data: &Data, ty: &Ty, defs: &[Def]) -> Expected {
    let wrong = || Err(String::new());
    match (ty, data) {
        (Ty::Int(_, bits, sign), Data::Int(number)) => {
            let low = if *sign { i128::MIN >> (128 - bits) } else { 0 };
            let high = (u128::MAX >> (128 - bits)) >> u32::from(*sign);
            match *number >= low && (*number < 0 || number.unsigned_abs() <= high) {
                true => Ok(Val::Int(*number)),
                false => wrong(),
            }
        }
        (Ty::Int(_, 128, false), Data::Large(number)) => Ok(Val::Large(*number)),
        (Ty::F64, Data::Float(number)) => Ok(Val::Float(*number)),
        (Ty::F32, Data::Float(number)) if f64::from(*number as f32) == *number => {
            Ok(Val::Float(*number))
        }
        // Larger ones than these are no integers of 64 bits in the data.
        (Ty::F64, Data::Int(number)) if whole(*number, *number as f64) => {
            Ok(Val::Float(*number as f64))
        }
        (Ty::F32, Data::Int(number)) if whole(*number, f64::from(*number as f32)) => {
            Ok(Val::Float(*number as f64))
        }
        (Ty::Bool, Data::Bool(yes)) => Ok(Val::Bool(*yes)),
        (Ty::Char, Data::Str(text)) => match text.chars().collect::<Vec<_>>()[..] {
            [char] => Ok(Val::Char(char)),
            _ => wrong(),
        },
        (Ty::Str, Data::Str(text)) => Ok(Val::Str(text.clone())),
        (Ty::Unit, Data::Nil(0)) => Ok(Val::Unit),
        (Ty::Option(_), Data::Nil(0)) => Ok(Val::Option(None)),
        (Ty::Option(ty), data) => {
            let inner = match data {
                Data::Nil(depth) => &Data::Nil(depth - 1),
                data => data,
            };
            restore(inner, ty, defs).map(|value| Val::Option(Some(Box::new(value))))
        }
        (Ty::Boxed(ty), data) => restore(data, ty, defs),
        (Ty::Vec(ty), Data::List(items)) => restore_items(items, items.iter().map(|_| &**ty), defs),
        (Ty::Array(ty, len), Data::List(items)) => {
            restore_items(items, (0..*len).map(|_| &**ty), defs)
        }
        (Ty::Tuple(tys), Data::List(items)) => restore_items(items, tys.iter(), defs),
        (Ty::Map(texts, ty), Data::Map(entries)) => {
            let entries = entries.iter().map(|(key, value)| {
                let fits = match key {
                    Data::Str(_) => *texts,
                    Data::Int(number) => !*texts && u16::try_from(*number).is_ok(),
                    _ => false,
                };
                let name = label(key);
                if !fits {
                    return Err(name);
                }
                let key = match key {
                    Data::Int(number) => Val::Int(*number),
                    _ => Val::Str(name.clone()),
                };
                Ok((
                    key,
                    restore(value, ty, defs).map_err(|path| at(&name, &path))?,
                ))
            });
            let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
            entries.sort_by_key(|(key, _)| match key {
                Val::Int(number) => (*number, String::new()),
                Val::Str(text) => (0, text.clone()),
                other => unreachable!("{other:?}"),
            });
            Ok(Val::Map(entries))
        }
        (Ty::Def(number), data) => restore_def(data, &defs[*number], defs),
        _ => wrong(),
    }
}

/// Whether an integer of 64 bits is this float.
fn whole(number: i128, float: f64) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number) && float as i128 == number
}

/// As many items as there are types.
fn restore_items<'t>(
    items: &[Data],
    tys: impl ExactSizeIterator<Item = &'t Ty>,
    defs: &[Def],
) -> Expected {
    let len = tys.len();
    let values = items
        .iter()
        .zip(tys)
        .enumerate()
        .map(|(index, (item, ty))| {
            restore(item, ty, defs).map_err(|path| at(&format!("[{index}]"), &path))
        });
    let values = values.collect::<Result<Vec<_>, _>>()?;
    match items.len() == len {
        true => Ok(Val::Items(values)),
        false => Err(String::new()),
    }
}

pub fn restore_def(data: &Data, def: &Def, defs: &[Def]) -> Expected {
    match (def, data) {
        (Def::Unit, Data::Map(_)) => Ok(Val::Items(Vec::new())),
        (Def::Struct(fields), Data::Map(entries)) => restore_fields(entries, fields, defs),
        (Def::Tuple(tys), data) => match (&tys[..], data) {
            ([ty], data) => restore(data, ty, defs).map(|value| Val::Items(vec![value])),
            (tys, Data::List(items)) => restore_items(items, tys.iter(), defs),
            _ => Err(String::new()),
        },
        (Def::Enum(variants), data) => {
            let nothing = Data::Map(Vec::new());
            let (name, content) = match data {
                Data::Str(name) => (name, None),
                Data::Map(entries) => match &entries[..] {
                    [(Data::Str(name), content)] => (name, Some(content)),
                    _ => return Err(String::new()),
                },
                _ => return Err(String::new()),
            };
            let index = variants
                .iter()
                .position(|variant| variant.names().any(|own| own == name));
            let Some(index) = index else {
                return Err(String::new());
            };
            let value = match (&variants[index].content, content) {
                (None, None | Some(Data::Map(_))) => return Ok(Val::Variant(index, None)),
                (Some(def @ Def::Struct(_)), content) => {
                    restore_def(content.unwrap_or(&nothing), def, defs)
                }
                (Some(def), Some(content)) => restore_def(content, def, defs),
                _ => Err(String::new()),
            };
            let value = value.map_err(|path| at(name, &path))?;
            Ok(Val::Variant(index, Some(Box::new(value))))
        }
        _ => Err(String::new()),
    }
}

/// Whether a field that is not in the data is `None`.
fn is_option(ty: &Ty) -> bool {
    match ty {
        Ty::Option(_) => true,
        Ty::Boxed(ty) => is_option(ty),
        _ => false,
    }
}

fn restore_fields(entries: &[(Data, Data)], fields: &[Field], defs: &[Def]) -> Expected {
    let mut values: Vec<Option<Val>> = vec![None; fields.len()];
    for (key, data) in entries {
        let Data::Str(name) = key else {
            return Err(label(key));
        };
        let known = |field: &Field| !field.skip && field.names().any(|own| own == name);
        if let Some(index) = fields.iter().position(known) {
            let value = restore(data, &fields[index].ty, defs);
            values[index] = Some(value.map_err(|path| at(name, &path))?);
        }
    }
    let values = fields.iter().zip(values).map(|(field, value)| match value {
        Some(value) => Ok(value),
        None => match (&field.default, &field.ty) {
            (Some(value), _) => Ok(value.clone()),
            (None, ty) if is_option(ty) => Ok(Val::Option(None)),
            _ => Err(field.name.clone()),
        },
    });
    Ok(Val::Items(values.collect::<Result<_, _>>()?))
}

/// What a value is that the data is restored into.
pub fn overlay(old: &Val, data: &Data, ty: &Ty, defs: &[Def]) -> Expected {
    match (ty, old) {
        (Ty::Boxed(ty), old) => overlay(old, data, ty, defs),
        (Ty::Option(ty), Val::Option(Some(old))) if !matches!(data, Data::Nil(_)) => {
            let value = overlay(old, data, ty, defs)?;
            Ok(Val::Option(Some(Box::new(value))))
        }
        (Ty::Def(number), old) => overlay_def(old, data, &defs[*number], defs),
        (ty, _) => restore(data, ty, defs),
    }
}

pub fn overlay_def<'d>(old: &Val, data: &'d Data, def: &Def, defs: &[Def]) -> Expected {
    match (def, old) {
        (Def::Tuple(tys), Val::Items(old)) if tys.len() == 1 => {
            overlay(&old[0], data, &tys[0], defs).map(|value| Val::Items(vec![value]))
        }
        (Def::Struct(fields), Val::Items(old)) => {
            let Data::Map(entries) = data else {
                return Err(String::new());
            };
            let values = fields.iter().zip(old).map(|(field, old)| {
                let named = |(key, data): &'d (Data, Data)| match key {
                    Data::Str(name) if !field.skip && field.names().any(|own| own == name) => {
                        Some((name, data))
                    }
                    _ => None,
                };
                match entries.iter().find_map(named) {
                    Some((name, data)) => {
                        overlay(old, data, &field.ty, defs).map_err(|path| at(name, &path))
                    }
                    None => Ok(old.clone()),
                }
            });
            Ok(Val::Items(values.collect::<Result<_, _>>()?))
        }
        (def, _) => restore_def(data, def, defs),
    }
}
