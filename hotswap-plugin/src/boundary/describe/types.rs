//! Descriptions of types.
use super::calls::InterfaceDesc;
use super::hash::{Hash, Hasher};
use abi_stable::std_types::{RSlice, RStr};
use std::fmt;

/// The kind of a type, which decides how it is written.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A type without parts: `u32`, `String`.
    Leaf,
    /// `Name<A, B>`.
    Generic,
    /// `&A`.
    Reference,
    /// `&[A]`.
    Slice,
    /// `[A; count]`.
    Array,
    /// `(A, B)`.
    Tuple,
    /// A `#[shared]` struct.
    Struct,
    /// A `#[shared]` enum. Its parts are its variants.
    Enum,
    /// A variant. Its parts are its fields.
    Variant,
    /// `Held<dyn Interface>`.
    Held,
    /// The result of an `async fn`. Its part is the type of the awaited value.
    Later,
}

/// A type that may cross, or a variant of one.
#[repr(C)]
pub struct TypeDesc {
    /// Its name, without parameters.
    pub name: RStr<'static>,
    /// The crate that defines it; empty for types of the standard library.
    pub origin: RStr<'static>,
    /// The kind of the type.
    pub kind: Kind,
    /// Its parameters, fields or variants.
    pub parts: RSlice<'static, FieldDesc>,
    /// How many items an array has.
    pub count: usize,
    /// The size of its view.
    pub size: usize,
    /// The alignment of its view.
    pub align: usize,
    /// The interface of a `Held`.
    pub interface: Option<&'static InterfaceDesc>,
    /// The hash of all of this.
    pub hash: Hash,
}

/// A part of a type.
#[repr(C)]
pub struct FieldDesc {
    /// The name of the field or variant; empty for a parameter.
    pub name: RStr<'static>,
    /// Its type.
    pub ty: &'static TypeDesc,
}

impl FieldDesc {
    /// Returns a part with this name.
    ///
    /// ```
    /// use hotswap_plugin::boundary::{Later, Shared, TypeDesc};
    ///
    /// const _: &TypeDesc = <Later<u32> as Shared>::TYPE;
    /// ```
    ///
    /// The caller of an `async fn` knows that the result is a future, and counts it. A future within a value is
    /// refused:
    ///
    /// ```compile_fail,E0080
    /// use hotswap_plugin::boundary::{Later, Shared, TypeDesc};
    ///
    /// const _: &TypeDesc = <Option<Later<u32>> as Shared>::TYPE;
    /// ```
    ///
    /// # Panics
    /// Panics for the type of a future; at compile time, if the description is a constant.
    pub const fn new(name: &'static str, ty: &'static TypeDesc) -> Self {
        assert!(
            !matches!(ty.kind, Kind::Later),
            "a future cannot be a part of a value: let an `async fn` return the value"
        );
        FieldDesc {
            name: RStr::from_str(name),
            ty,
        }
    }
}

impl TypeDesc {
    /// Returns a type of the standard library without parts, whose view is a `V`.
    pub const fn leaf<V>(name: &'static str) -> Self {
        TypeDesc::new::<V>("", name, Kind::Leaf, &[])
    }

    /// Returns a type whose view is a `V`.
    pub const fn new<V>(
        origin: &'static str,
        name: &'static str,
        kind: Kind,
        parts: &'static [FieldDesc],
    ) -> Self {
        TypeDesc::of(
            origin,
            name,
            kind,
            parts,
            0,
            [size_of::<V>(), align_of::<V>()],
            None,
        )
    }

    /// Returns the type of an object with this interface, whose view is a `V`.
    pub const fn held<V>(interface: &'static InterfaceDesc) -> Self {
        TypeDesc::of(
            "",
            "Held",
            Kind::Held,
            &[],
            0,
            [size_of::<V>(), align_of::<V>()],
            Some(interface),
        )
    }

    /// Returns the type of an array of `count` items, whose view is a `V`.
    pub const fn array<V>(item: &'static [FieldDesc], count: usize) -> Self {
        TypeDesc::of(
            "",
            "",
            Kind::Array,
            item,
            count,
            [size_of::<V>(), align_of::<V>()],
            None,
        )
    }

    /// Returns the type of the value that an `async fn` with this result yields. Returns `None` for any other result.
    pub fn of_later(&self) -> Option<&TypeDesc> {
        let part = self.parts.first().filter(|_| self.kind == Kind::Later)?;
        Some(part.ty)
    }

    /// Returns a variant of an enum. The description of the enum has the size.
    pub const fn variant(fields: &'static [FieldDesc]) -> Self {
        TypeDesc::of("", "", Kind::Variant, fields, 0, [0, 0], None)
    }

    const fn of(
        origin: &'static str,
        name: &'static str,
        kind: Kind,
        parts: &'static [FieldDesc],
        count: usize,
        [size, align]: [usize; 2],
        interface: Option<&'static InterfaceDesc>,
    ) -> Self {
        let mut hash = Hasher::new().text(name).text(origin).number(kind as u64);
        hash = hash
            .number(count as u64)
            .number(size as u64)
            .number(align as u64);
        let mut i = 0;
        while i < parts.len() {
            hash = hash.text(parts[i].name.as_str()).node(parts[i].ty.hash);
            i += 1;
        }
        if let Some(interface) = interface {
            hash = hash.node(interface.hash);
        }
        TypeDesc {
            name: RStr::from_str(name),
            origin: RStr::from_str(origin),
            kind,
            parts: RSlice::from_slice(parts),
            count,
            size,
            align,
            interface,
            hash: hash.finish(),
        }
    }
}

/// Shows the type as an author writes it: `Vec<Vector>`, `&[i64]`.
impl fmt::Display for TypeDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, open: &str, close: &str| {
            f.write_str(open)?;
            for (i, part) in self.parts.iter().enumerate() {
                write!(f, "{}{}", if i > 0 { ", " } else { "" }, part.ty)?;
            }
            f.write_str(close)
        };
        match self.kind {
            Kind::Leaf | Kind::Struct | Kind::Enum => f.write_str(self.name.as_str()),
            Kind::Generic | Kind::Later => {
                f.write_str(self.name.as_str())?;
                list(f, "<", ">")
            }
            Kind::Held => {
                let interface = self
                    .interface
                    .map_or("", |interface| interface.name.as_str());
                write!(f, "{}<dyn {interface}>", self.name)
            }
            Kind::Reference => list(f, "&", ""),
            Kind::Slice => list(f, "&[", "]"),
            Kind::Array => list(f, "[", &format!("; {}]", self.count)),
            Kind::Tuple => list(f, "(", ")"),
            Kind::Variant if self.parts.is_empty() => Ok(()),
            Kind::Variant => {
                f.write_str("{ ")?;
                for (i, part) in self.parts.iter().enumerate() {
                    write!(
                        f,
                        "{}{}: {}",
                        if i > 0 { ", " } else { "" },
                        part.name,
                        part.ty
                    )?;
                }
                f.write_str(" }")
            }
        }
    }
}

impl fmt::Debug for TypeDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} #{}/{}", self.size, self.align)
    }
}

/// Returns true if two descriptions are equal, wherever they lie in memory.
pub fn same(a: &TypeDesc, b: &TypeDesc) -> bool {
    std::ptr::eq(a, b)
        || (a.hash == b.hash
            && (a.name, a.origin, a.kind) == (b.name, b.origin, b.kind)
            && (a.count, a.size, a.align) == (b.count, b.size, b.align)
            && a.parts.len() == b.parts.len()
            && a.parts
                .iter()
                .zip(b.parts)
                .all(|(a, b)| a.name == b.name && same(a.ty, b.ty))
            && match (a.interface, b.interface) {
                (Some(a), Some(b)) => a.same(b),
                (a, b) => a.is_none() && b.is_none(),
            })
}
