//! Values of any shape.
use arbitrary::{Arbitrary, Result, Unstructured};
use hotswap_plugin::Value;

/// Returns a value with lists and maps within each other, up to this depth.
///
/// # Errors
/// Returns an error if the input is used up.
pub fn any(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 8 } else { 10 })? {
        0 => Value::Nil,
        1 => Value::Bool(u.arbitrary()?),
        2 => Value::Int(u.arbitrary()?),
        3 => Value::Int(i128::from(u.arbitrary::<i8>()?)),
        4 => Value::from(u.arbitrary::<u128>()?),
        5 => Value::Float(u.arbitrary()?),
        6 => Value::Str(u.arbitrary()?),
        7 => Value::from(u.arbitrary::<char>()?),
        8 => Value::Bytes(u.arbitrary()?),
        9 => Value::List(some(u, |u| any(u, depth - 1))?),
        _ => Value::Map(
            some(u, |u| Ok((u.arbitrary()?, any(u, depth - 1)?)))?
                .into_iter()
                .collect(),
        ),
    })
}

fn some<T>(
    u: &mut Unstructured<'_>,
    item: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..u.int_in_range(0..=4)?).map(|_| item(u)).collect()
}

/// Replaces one place within the value by another value, or removes it.
///
/// # Errors
/// Returns an error if the input is used up.
pub fn graft(value: &mut Value, u: &mut Unstructured<'_>) -> Result<()> {
    match value {
        Value::List(items) if !items.is_empty() && u.arbitrary()? => {
            let at = u.choose_index(items.len())?;
            if u.ratio(1, 8)? {
                items.remove(at);
                return Ok(());
            }
            graft(&mut items[at], u)
        }
        Value::Map(map) if !map.is_empty() && u.arbitrary()? => {
            let at = u.choose_index(map.len())?;
            let key = map.keys().nth(at).cloned().unwrap_or_default();
            let mut item = map.remove(&key).unwrap_or_default();
            match u.int_in_range(0..=7)? {
                // The field is missing, or has another name.
                0 => return Ok(()),
                1 => _ = map.insert(String::arbitrary(u)?, item),
                _ => {
                    graft(&mut item, u)?;
                    map.insert(key, item);
                }
            }
            Ok(())
        }
        _ => {
            *value = any(u, 2)?;
            Ok(())
        }
    }
}
