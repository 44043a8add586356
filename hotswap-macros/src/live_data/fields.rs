//! `#[live_data]`: properties of the types of fields.
use super::Part;
use crate::support::{argument, bare};
use quote::ToTokens;
use syn::{GenericArgument, Ident, Member, PathArguments, Type};

/// The layout of fields in the data.
#[derive(Clone, Copy)]
pub enum Shape {
    /// They lie under their names.
    Named,
    /// The only field, without anything around it.
    Single,
    /// They lie in a list.
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

/// Types that live data always accepts, and that contain no live type.
const PLAIN: [&str; 23] = [
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
];

/// The parts of a type.
enum Made<'a> {
    Plain,
    /// It consists of these types.
    Of(Vec<&'a Type>),
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
                        "Option" | "Result" | "Box" | "Vec" | "VecDeque" | "HashSet"
                        | "BTreeSet" | "HashMap" | "BTreeMap" => Made::Of(types.collect()),
                        _ => Made::Other,
                    }
                }
                _ => Made::Other,
            }
        }
        _ => Made::Other,
    }
}

/// Returns true if the type may contain a live type.
pub fn may_hold(ty: &Type) -> bool {
    match made(ty) {
        Made::Plain => false,
        Made::Of(types) => types.into_iter().any(may_hold),
        Made::Other => true,
    }
}

/// Returns true if the type is written as `Vec<u8>`.
pub fn is_bytes(ty: &Type) -> bool {
    matches!(argument(ty, "Vec").map(bare), Some(Type::Path(path)) if path.path.is_ident("u8"))
}

/// Returns true if the type is written as an `Option`, boxed or not.
pub fn is_option(ty: &Type) -> bool {
    argument(ty, "Option").is_some() || argument(ty, "Box").is_some_and(is_option)
}

/// Returns the types in a type that may be unfit for live data, except for those that always fit and the type that has
/// the field.
pub fn unknown<'a>(ty: &'a Type, own: &Ident) -> Vec<&'a Type> {
    match made(ty) {
        Made::Plain => Vec::new(),
        Made::Of(types) => {
            let within: Vec<_> = types.iter().flat_map(|ty| unknown(ty, own)).collect();
            // The content of a box may be unsized, such as a `str`.
            match argument(ty, "Box") {
                Some(boxed) if within == [boxed] => vec![ty],
                _ => within,
            }
        }
        Made::Other => {
            let text = ty.to_token_stream().to_string();
            if text == "Self" || *own == text {
                return Vec::new();
            }
            vec![ty]
        }
    }
}
