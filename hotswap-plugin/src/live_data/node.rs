//! A value during a migration: the content of its bytes, without a type.
use super::codec::{self, Decoder, Head};
use serde::de::DeserializeOwned;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value without its type.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `None` or `()`.
    Nil,
    /// A nil within this many `Some`.
    Some(u8),
    /// A bool.
    Bool(bool),
    /// An integer that is not negative.
    Uint(u64),
    /// A negative integer.
    Int(i64),
    /// An integer of more than 64 bits.
    Signed(i128),
    /// An integer of more than 127 bits.
    Unsigned(u128),
    /// A float.
    F32(f32),
    /// A float.
    F64(f64),
    /// A string.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list or a tuple.
    List(Vec<Node>),
    /// A struct, a map, or, with one entry, a variant.
    Map(Vec<(Node, Node)>),
    /// A value that a migration has put here. It is in the newest version already.
    Newest(Box<Node>),
}

impl Node {
    /// Returns the value of these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Node, codec::Error> {
        let mut decoder = Decoder::new(bytes);
        let node = Node::read(&mut decoder)?;
        decoder.end()?;
        Ok(node)
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Node, codec::Error> {
        Ok(match decoder.head()? {
            Head::Nil => Node::Nil,
            Head::Some(depth) => Node::Some(depth),
            Head::Bool(yes) => Node::Bool(yes),
            Head::Uint(number) => Node::Uint(number),
            Head::Int(number) => Node::Int(number),
            Head::Signed(number) => Node::Signed(i128::from_be_bytes(*number)),
            Head::Unsigned(number) => Node::Unsigned(u128::from_be_bytes(*number)),
            Head::F32(number) => Node::F32(number),
            Head::F64(number) => Node::F64(number),
            Head::Str(text) => Node::Str(text.to_owned()),
            Head::Bytes(bytes) => Node::Bytes(bytes.to_vec()),
            Head::List(len) => Node::List(decoder.deeper(|decoder| {
                let items = (0..len).map(|_| Node::read(decoder));
                items.collect()
            })?),
            Head::Map(len) => Node::Map(decoder.deeper(|decoder| {
                let entries = (0..len).map(|_| Ok((Node::read(decoder)?, Node::read(decoder)?)));
                entries.collect()
            })?),
        })
    }

    /// Returns true if the value is in the newest version. Only the first call does so.
    pub(super) fn is_newest(&mut self) -> bool {
        match self {
            Node::Newest(node) => {
                *self = std::mem::replace(&mut **node, Node::Nil);
                true
            }
            _ => false,
        }
    }

    /// Works on the value in its place. If it was the newest version, it stays marked as such.
    pub(super) fn in_place<R>(&mut self, work: impl FnOnce(&mut Node) -> R) -> R {
        match self {
            Node::Newest(node) => work(node),
            node => work(node),
        }
    }

    /// Returns the value of a type, without the type.
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Node, codec::Error> {
        Node::parse(&codec::encode(value, Vec::new())?)
    }

    /// Returns the value as one of a type.
    pub(super) fn to<T: DeserializeOwned>(&self) -> Result<T, codec::Error> {
        codec::decode(&codec::encode(self, Vec::new())?)
    }

    /// Overwrites a value of a type with this one.
    pub(super) fn put<T: DeserializeOwned>(
        &self,
        value: &mut T,
        write: bool,
    ) -> Result<(), codec::Error> {
        let new = self.to()?;
        if write {
            *value = new;
        }
        Ok(())
    }

    /// Returns the field with one of these names, and its name.
    pub(super) fn field_mut(&mut self, names: &[&str]) -> Option<(String, &mut Node)> {
        let entries = self.entries_mut();
        entries.iter_mut().find_map(|(key, value)| match key {
            Node::Str(key) if names.contains(&key.as_str()) => Some((key.clone(), value)),
            _ => None,
        })
    }

    /// Checks that the value has named fields.
    ///
    /// # Errors
    /// Returns an error if it has not.
    pub fn named(&self) -> Result<(), codec::Error> {
        match self {
            Node::Map(_) => Ok(()),
            _ => Err(codec::Error::new("expected named fields")),
        }
    }

    /// Runs `work` with the field that has one of these names, if there is one.
    ///
    /// # Errors
    /// Returns the errors of `work`, with the field in their paths.
    pub fn field(
        &self,
        names: &[&str],
        work: impl FnOnce(&Node) -> Result<(), codec::Error>,
    ) -> Result<(), codec::Error> {
        let Node::Map(entries) = self else {
            return Ok(());
        };
        for (key, node) in entries {
            if let Node::Str(key) = key
                && names.contains(&key.as_str())
            {
                return work(node).map_err(|e| e.at(key));
            }
        }
        Ok(())
    }

    /// Returns the name of a variant, and its content.
    pub fn variant_mut(&mut self) -> Option<(&str, &mut Node)> {
        match self {
            Node::Map(entries) => match entries.as_mut_slice() {
                [(Node::Str(name), content)] => Some((name, content)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub(super) fn items_mut(&mut self) -> &mut [Node] {
        match self {
            Node::List(items) => items,
            _ => &mut [],
        }
    }

    /// Returns the item of a tuple.
    pub fn item_mut(&mut self, index: usize) -> Option<&mut Node> {
        self.items_mut().get_mut(index)
    }

    /// Returns the entries of a map.
    pub(super) fn entries_mut(&mut self) -> &mut [(Node, Node)] {
        match self {
            Node::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// Returns the label of a key in a path.
    pub(super) fn label(&self) -> String {
        match self {
            Node::Str(name) => name.clone(),
            Node::Uint(number) => format!("[{number}]"),
            Node::Int(number) => format!("[{number}]"),
            _ => "[…]".to_owned(),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Nil => serializer.serialize_none(),
            Node::Some(0) => serializer.serialize_none(),
            Node::Some(depth) => serializer.serialize_some(&Node::Some(depth - 1)),
            Node::Bool(yes) => serializer.serialize_bool(*yes),
            Node::Uint(number) => serializer.serialize_u64(*number),
            Node::Int(number) => serializer.serialize_i64(*number),
            Node::Signed(number) => serializer.serialize_i128(*number),
            Node::Unsigned(number) => serializer.serialize_u128(*number),
            Node::F32(number) => serializer.serialize_f32(*number),
            Node::F64(number) => serializer.serialize_f64(*number),
            Node::Str(text) => serializer.serialize_str(text),
            Node::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Node::List(items) => serializer.collect_seq(items),
            Node::Newest(node) => node.serialize(serializer),
            Node::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
