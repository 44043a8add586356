//! The names of plugins, compared in the way in which people write them.
use crate::shown;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The name of a plugin.
///
/// It is displayed as it was written, on one line. Comparison ignores case and treats `-` and `_` as equal, so
/// `Hello-World` and `hello_world` are the same plugin.
///
/// ```
/// use hotswap_host::PluginName;
///
/// let name = PluginName::from("Hello-World");
/// assert_eq!(name, "hello_world");
/// assert_eq!(name.to_string(), "Hello-World");
/// ```
#[derive(Clone)]
pub struct PluginName {
    written: Arc<str>,
    /// The form that is compared. It is the same allocation if nothing had to be changed.
    folded: Arc<str>,
}

impl PluginName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

fn fold(name: &str) -> String {
    name.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == '-' { '_' } else { c })
        .collect()
}

/// Returns the form in which the name of a plugin or of a live item is compared.
pub(crate) fn folded(name: &str) -> Cow<'_, str> {
    let as_it_is = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase() && byte != b'-';
    match name.bytes().all(as_it_is) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(fold(name)),
    }
}

impl From<&str> for PluginName {
    fn from(name: &str) -> Self {
        let written = Arc::<str>::from(name);
        let folded = match folded(name) {
            folded if *folded == *written => written.clone(),
            folded => folded.into(),
        };
        PluginName { written, folded }
    }
}

impl From<String> for PluginName {
    fn from(name: String) -> Self {
        PluginName::from(name.as_str())
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown::line(&self.written))
    }
}

impl fmt::Debug for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.written, f)
    }
}

impl PartialEq for PluginName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for PluginName {}

impl PartialEq<str> for PluginName {
    fn eq(&self, other: &str) -> bool {
        *self.folded == *folded(other)
    }
}

impl PartialEq<&str> for PluginName {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialOrd for PluginName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PluginName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for PluginName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl Serialize for PluginName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::PluginName;
    use std::collections::{BTreeSet, HashSet};

    #[test]
    fn hyphens_and_case_do_not_matter() {
        let names = ["hello-world", "hello_world", "Hello_World", "HELLO-world"];
        let names = names.map(PluginName::from);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 1);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 1);
        assert_ne!(PluginName::from("hello"), PluginName::from("hello_"));
    }

    #[test]
    fn a_name_is_shown_as_written() {
        let name = PluginName::from("Hello-World");
        assert_eq!(
            format!("{name}|{name:?}|{name:>12}"),
            "Hello-World|\"Hello-World\"| Hello-World"
        );
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Hello-World\"");
    }
}
