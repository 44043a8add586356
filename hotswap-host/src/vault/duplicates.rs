//! Finds live items with the same name.
use crate::artifact::LiveEntry;
use crate::base::name::{PluginName, folded};
use crate::error::{LivePlace, ReloadError};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Refuses plugins if two items of them have the same kind and name, including the earlier names of a type. The errors
/// name their files, because none of their code has run yet.
pub(crate) fn check<'a>(
    plugins: impl Iterator<Item = (&'a PluginName, &'a Path, &'a [LiveEntry])>,
) -> Result<(), ReloadError> {
    let mut known: HashMap<_, LivePlace> = HashMap::new();
    for (plugin, file, items) in plugins {
        for item in items {
            let place = || LivePlace {
                plugin: plugin.clone(),
                file: file.to_owned(),
                module: item.module.clone(),
            };
            let names = std::iter::once(&item.name).chain(&item.was);
            // Two names of one type may differ only in case.
            let names: BTreeMap<_, _> = names.map(|name| (folded(name), name)).collect();
            for (folded, name) in names {
                if let Some(first) = known.insert((item.kind, folded), place()) {
                    return Err(ReloadError::LiveDuplicate {
                        kind: item.kind,
                        name: name.clone(),
                        first: Box::new(first),
                        second: Box::new(place()),
                    });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::artifact::LiveEntry;
    use crate::base::name::PluginName;
    use hotswap_plugin::LiveKind::{self, Function, Type};
    use std::path::Path;

    fn item(kind: LiveKind, name: &str, was: &[&str]) -> LiveEntry {
        LiveEntry {
            module: "jobs".into(),
            name: name.into(),
            kind,
            signature: String::new(),
            version: None,
            was: was.iter().map(|name| (*name).to_owned()).collect(),
            history: None,
            hash: [0; 16].into(),
        }
    }

    /// Returns the error if these items are refused, each in a plugin of its own.
    fn refused(items: &[LiveEntry]) -> Option<String> {
        let (name, file) = (PluginName::from("world"), Path::new("libworld.so"));
        let plugins = items
            .iter()
            .map(|item| (&name, file, std::slice::from_ref(item)));
        check(plugins).err().map(|error| error.to_string())
    }

    #[test]
    fn functions_and_types_have_names_of_their_own() {
        assert_eq!(
            refused(&[item(Function, "fire", &[]), item(Type, "Fire", &[])]),
            None
        );
        assert_eq!(refused(&[item(Type, "Fire", &["FIRE"])]), None);
    }

    #[test]
    fn a_name_that_another_type_had_earlier_is_taken() {
        let error = refused(&[item(Type, "Fire", &["Blaze"]), item(Type, "blaze", &[])]);
        assert_eq!(
            error.as_deref(),
            Some(
                "two live types are called blaze: in module jobs of world (libworld.so), and in module jobs of world \
                 (libworld.so); rename one of them"
            )
        );
    }
}
