//! `#[live_data]`: what the types of fields tell.
use super::Part;
use crate::support::{argument, bare};
use quote::ToTokens;
use syn::{GenericArgument, Ident, Member, PathArguments, Type};

/// How the fields lie in the data.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Under their names.
    Named,
    /// The only field, as if there were nothing around it.
    Single,
    /// In a list.
    Tuple,
}

impl Shape {
    pub fn of(parts: &[Part]) -> Self {
        match parts {
            [
                Part {
                    member: Member::Unnamed(_),
                    ..
                },
            ] => Shape::Single,
            [
                Part {
                    member: Member::Unnamed(_),
                    ..
                },
                ..,
            ] => Shape::Tuple,
            _ => Shape::Named,
        }
    }
}

/// Types that live data always takes, and that hold no live type.
const PLAIN: [&str; 24] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "bool",
    "char",
    "String",
    "PathBuf",
    "Duration",
    "SystemTime",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
];

/// What a type is made of.
enum Made<'a> {
    Plain,
    /// Of these, each of which lies in it as it is.
    Of(Vec<&'a Type>),
    /// Of these, which lie elsewhere in memory.
    Behind(Vec<&'a Type>),
    Other,
}

fn made(ty: &Type) -> Made<'_> {
    match bare(ty) {
        Type::Tuple(tuple) => Made::Of(tuple.elems.iter().collect()),
        Type::Array(array) => Made::Of(vec![&array.elem]),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return Made::Other;
            };
            let name = last.ident.to_string();
            match &last.arguments {
                PathArguments::None if PLAIN.contains(&name.as_str()) => Made::Plain,
                PathArguments::AngleBracketed(arguments) => {
                    let types = arguments.args.iter().filter_map(|argument| match argument {
                        GenericArgument::Type(ty) => Some(ty),
                        _ => None,
                    });
                    match name.as_str() {
                        "Option" | "Result" => Made::Of(types.collect()),
                        "Box" | "Vec" | "VecDeque" | "HashSet" | "BTreeSet" | "HashMap"
                        | "BTreeMap" => Made::Behind(types.collect()),
                        _ => Made::Other,
                    }
                }
                _ => Made::Other,
            }
        }
        _ => Made::Other,
    }
}

/// Whether there may be a live type in it.
pub fn may_hold(ty: &Type) -> bool {
    match made(ty) {
        Made::Plain => false,
        Made::Of(types) | Made::Behind(types) => types.into_iter().any(may_hold),
        Made::Other => true,
    }
}

/// Whether it is written as `Vec<u8>`.
pub fn is_bytes(ty: &Type) -> bool {
    matches!(argument(ty, "Vec").map(bare), Some(Type::Path(path)) if path.path.is_ident("u8"))
}

/// The types in a type that may be unfit for live data.
#[derive(Default)]
pub struct Uses<'a> {
    /// Those that lie in it.
    pub direct: Vec<&'a Type>,
    /// Those that lie elsewhere: only these may contain the type with the field.
    pub behind: Vec<&'a Type>,
}

impl<'a> Uses<'a> {
    /// Those in the type of a field, without the type that has the field.
    pub fn of(ty: &'a Type, own: &Ident) -> Self {
        let mut uses = Uses::default();
        uses.collect(ty, own, false);
        uses
    }

    fn collect(&mut self, ty: &'a Type, own: &Ident, behind: bool) {
        match made(ty) {
            Made::Plain => {}
            Made::Of(types) => types
                .into_iter()
                .for_each(|ty| self.collect(ty, own, behind)),
            Made::Behind(types) => types.into_iter().for_each(|ty| self.collect(ty, own, true)),
            Made::Other => {
                let text = ty.to_token_stream().to_string();
                if text == "Self" || *own == text {
                } else if behind {
                    self.behind.push(ty);
                } else {
                    self.direct.push(ty);
                }
            }
        }
    }
}
