//! `Fields`, the value on which a migration works.
use super::codec;
use super::node::Node;
use crate::boundary::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The fields of a value that is migrated from one version of its type to another.
///
/// The fields of a tuple struct are called `0`, `1`, and so on. The fields of an enum are those of the
/// [`variant`](Self::variant).
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// mod before {
///     # use hotswap_plugin::prelude::*;
///     #[live_data]
///     pub struct Fire {
///         pub name: String,
///         pub speed: u32,
///     }
/// }
///
/// #[live_data(version = 2, migrate(1, up = from_1, down = to_1))]
/// struct Fire {
///     name: String,
///     pace: f64,
/// }
///
/// fn from_1(fields: &mut Fields) -> Result<()> {
///     fields.rename("speed", "pace");
///     fields.change("pace", |speed: u32| Ok(f64::from(speed) / 10.0))?;
///     Ok(())
/// }
///
/// fn to_1(fields: &mut Fields) -> Result<()> {
///     fields.rename("pace", "speed");
///     fields.change("speed", |pace: f64| Ok((pace * 10.0) as u32))?;
///     Ok(())
/// }
///
/// let old = LiveData::save(&before::Fire { name: "kitchen".into(), speed: 25 })?;
/// let new: Fire = old.restore()?;
/// assert_eq!((&*new.name, new.pace), ("kitchen", 2.5));
///
/// let lowered = LiveData::save(&new)?.lower::<Fire>(1)?;
/// assert_eq!(lowered.restore::<before::Fire>()?.speed, 25);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Fields {
    variant: Option<String>,
    form: Form,
    fields: Vec<(String, Node)>,
}

/// The kind of value to which the fields belong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Named,
    Tuple,
    /// One value, called `0`.
    Single,
    /// No value.
    Unit,
}

impl Fields {
    /// Returns the names of the fields, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Returns true if there is a field of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    /// Returns the value of a field.
    ///
    /// # Errors
    /// Returns an error if there is no such field, or if it has another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let field = self.fields.iter().find(|(own, _)| own == name);
        let (_, node) = field.ok_or_else(|| absent(name))?;
        Ok(node.to().map_err(|e| e.at(name))?)
    }

    /// Sets a field, or adds it. The value is in the newest version of its type: nothing in it is migrated again.
    ///
    /// # Errors
    /// Returns an error if the value cannot be saved.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        let node = Node::of(value).map_err(|e| e.at(name))?;
        let node = Node::Newest(Box::new(node));
        match self.node(name) {
            Some(field) => *field = node,
            None => self.fields.push((name.to_owned(), node)),
        }
        if self.form == Form::Unit {
            self.form = Form::Named;
        }
        Ok(())
    }

    /// Removes a field. Returns false if there was none.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(own, _)| own != name);
        self.fields.len() < before
    }

    /// Renames a field, and replaces a field that has the new name. Returns false if there was no field `from`.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        if !self.contains(from) {
            return false;
        }
        if from != to {
            self.remove(to);
        }
        for (name, _) in &mut self.fields {
            if name == from {
                to.clone_into(name);
            }
        }
        true
    }

    /// Replaces the value of a field by one that is made from it. Returns false if there was no such field.
    ///
    /// # Errors
    /// Returns an error if the field has another type than `change` takes, or the error of `change`.
    pub fn change<A, B>(&mut self, name: &str, change: impl FnOnce(A) -> Result<B>) -> Result<bool>
    where
        A: DeserializeOwned,
        B: Serialize,
    {
        if !self.contains(name) {
            return Ok(false);
        }
        let new = change(self.get(name)?)?;
        self.set(name, &new)?;
        Ok(true)
    }

    /// Works on the fields of a field. Returns false if there was no such field.
    ///
    /// # Errors
    /// Returns the error of `work`.
    pub fn within(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Fields) -> Result<()>,
    ) -> Result<bool> {
        match self.node(name) {
            Some(node) => {
                let done = node.in_place(|node| apply(node, work));
                done.map_err(|e| located(e, name)).map(|()| true)
            }
            None => Ok(false),
        }
    }

    /// Works on the fields of each item of a field that is a list, or of each value of a field that is a map. Returns
    /// false if there was no such field.
    ///
    /// # Errors
    /// Returns the error of `work`, or an error if the field is neither.
    pub fn each(
        &mut self,
        name: &str,
        mut work: impl FnMut(&mut Fields) -> Result<()>,
    ) -> Result<bool> {
        let Some(node) = self.node(name) else {
            return Ok(false);
        };
        let done = node.in_place(|node| match node {
            Node::List(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
                apply(item, &mut work).map_err(|e| located(e, &format!("[{index}]")))
            }),
            Node::Map(entries) => entries.iter_mut().try_for_each(|(key, value)| {
                apply(value, &mut work).map_err(|e| located(e, &key.label()))
            }),
            _ => Err(codec::Error::new("expected a list or a map").into()),
        });
        done.map_err(|e| located(e, name))?;
        Ok(true)
    }

    /// Returns the name of the variant that has the fields, if the type is an enum.
    pub fn variant(&self) -> Option<&str> {
        self.variant.as_deref()
    }

    /// Turns the fields into those of another variant.
    pub fn set_variant(&mut self, name: &str) {
        self.variant = Some(name.to_owned());
    }

    fn node(&mut self, name: &str) -> Option<&mut Node> {
        let field = self.fields.iter_mut().find(|(own, _)| own == name);
        field.map(|(_, node)| node)
    }

    /// Takes a value apart.
    pub(super) fn take(node: &mut Node, is_enum: bool) -> Fields {
        node.is_newest();
        let (variant, content) = match std::mem::replace(node, Node::Nil) {
            Node::Str(name) if is_enum => (Some(name), None),
            Node::Map(mut entries) if is_enum && entries.len() == 1 => match entries.pop() {
                Some((Node::Str(name), content)) => (Some(name), Some(content)),
                other => (None, Some(Node::Map(other.into_iter().collect()))),
            },
            other => (None, Some(other)),
        };
        let number = |(index, item): (usize, Node)| (index.to_string(), item);
        let (form, fields) = match content {
            None => (Form::Unit, Vec::new()),
            Some(Node::Map(entries))
                if entries.iter().all(|(key, _)| matches!(key, Node::Str(_))) =>
            {
                let named = entries.into_iter().map(|(key, value)| (key.label(), value));
                (Form::Named, named.collect())
            }
            Some(Node::List(items)) => (
                Form::Tuple,
                items.into_iter().enumerate().map(number).collect(),
            ),
            Some(single) => (Form::Single, vec![number((0, single))]),
        };
        Fields {
            variant,
            form,
            fields,
        }
    }

    /// Puts the value together again.
    pub(super) fn into_node(self) -> Result<Node> {
        let Fields {
            variant,
            form,
            mut fields,
        } = self;
        let content = match form {
            Form::Unit => None,
            Form::Named => Some(Node::Map(
                fields
                    .into_iter()
                    .map(|(name, node)| (Node::Str(name), node))
                    .collect(),
            )),
            Form::Tuple | Form::Single => {
                let mut items = Vec::new();
                while let Some(at) = fields
                    .iter()
                    .position(|(name, _)| *name == items.len().to_string())
                {
                    items.push(fields.swap_remove(at).1);
                }
                if let Some((name, _)) = fields.first() {
                    return Err(format!(
                        "the fields of a tuple are called 0, 1, and so on, but one is called {name:?}"
                    )
                    .into());
                }
                match form {
                    Form::Single if items.len() == 1 => items.pop(),
                    _ => Some(Node::List(items)),
                }
            }
        };
        Ok(match (variant, content) {
            (None, content) => content.unwrap_or(Node::Map(Vec::new())),
            (Some(name), None) => Node::Str(name),
            (Some(name), Some(content)) => Node::Map(vec![(Node::Str(name), content)]),
        })
    }
}

fn apply(node: &mut Node, work: impl FnOnce(&mut Fields) -> Result<()>) -> Result<()> {
    let mut fields = Fields::take(node, false);
    work(&mut fields)?;
    *node = fields.into_node()?;
    Ok(())
}

/// Returns the error as seen from the value that has this field.
fn located(error: Error, name: &str) -> Error {
    codec::Error::from_any(error).at(name).into()
}

fn absent(name: &str) -> Error {
    codec::Error::new("there is no such field").at(name).into()
}
